package server

import (
	"net/http"
	"sync"

	"github.com/hookd/hookd/internal/config"
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/server/openapi"
	"github.com/hookd/hookd/server/plan"
)

// document serves /openapi.json: the configuration in force, described once
// for each plan.
type document struct {
	d *daemon

	mu   sync.Mutex
	of   *plan.Plan
	body []byte
}

// ServeHTTP answers with the document.
func (s *document) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := s.current() //nolint:contextcheck // asks an offline verifier for the name of a header
	if err != nil {
		s.d.log.ErrorContext(r.Context(), "openapi document", "error", err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body) // the client is gone; net/http notices
}

func (s *document) current() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.d.current.Plan()
	if s.of == p {
		return s.body, nil
	}
	body, err := openapi.Generate(p.Config, openapi.Options{
		BaseURL: s.d.o.OpenAPIBaseURL, Version: s.d.o.Version, Auth: s.d.o.Auth, MaxBody: s.d.o.Limits.Body,
	}).JSON()
	if err != nil {
		return nil, err
	}
	s.of, s.body = p, body
	return body, nil
}

// configuration is what is in force, without secrets, for the admin API.
func (d *daemon) configuration() any {
	cfg := d.current.Plan().Config
	hooks, connections := map[string]any{}, map[string]any{}
	for i := range cfg.Hooks {
		hooks[cfg.Hooks[i].ID] = redacted(&cfg.Hooks[i])
	}
	for i := range cfg.Connections {
		k := &cfg.Connections[i]
		connections[k.Name] = map[string]any{"type": k.Type, "module": k.Module, "options": spec.Redacted(k.Options)}
	}
	return map[string]any{"hooks": hooks, "connections": connections}
}

func redacted(h *config.Hook) map[string]any {
	steps := []any{}
	for _, s := range h.Destinations {
		steps = append(steps, map[string]any{
			"name": s.Name, "module": s.Module, "connection": s.Connection, "options": spec.Redacted(s.Options),
		})
	}
	return map[string]any{
		"enabled": h.Enabled, "data_type": h.DataType, "provider": h.Provider, "proofs": redactedProofs(&h.ProofSet),
		"execution": h.Execution, "destinations": steps,
	}
}

func redactedProofs(s *config.ProofSet) map[string]any {
	out := map[string]any{}
	for _, p := range s.Proofs {
		out[p.Method] = spec.Redacted(p.Options)
	}
	for key, list := range map[string][]config.ProofSet{"all_of": s.AllOf, "any_of": s.AnyOf} {
		var sets []any
		for i := range list {
			set := redactedProofs(&list[i])
			if list[i].Provider != "" {
				set["provider"] = list[i].Provider
			}
			sets = append(sets, set)
		}
		if sets != nil {
			out[key] = sets
		}
	}
	return out
}
