package plan

import (
	"errors"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/presets"
	"github.com/hookd/hookd/internal/config"
	"github.com/hookd/hookd/internal/diag"
)

// Proofs makes the verifiers of a hook: its provider's first, then its own in
// the order of the file. `hookd test-send` signs with the same ones.
func Proofs(h *config.Hook, reg *auth.Registry, env auth.Env) ([]auth.Verifier, diag.List) {
	var (
		all      []auth.Verifier
		problems diag.List
	)
	path := "hooks." + h.ID
	if h.Provider != "" {
		if p, ok := presets.Lookup(h.Provider); ok {
			v, err := p.New(env, presets.Options{Secrets: h.Secrets, PublicURL: h.PublicURL, Tolerance: h.Tolerance, Params: h.Params})
			if err != nil {
				problems.Add(problem(h.ProviderPos, path+".provider", err))
			} else {
				all = append(all, v)
			}
		} else {
			problems.Add(problem(h.ProviderPos, path+".provider", errors.New("no such provider")))
		}
	}
	for _, p := range h.Proofs {
		m, ok := reg.Lookup(p.Method)
		if !ok {
			problems.Add(problem(p.Pos, path+"."+p.Method, errors.New("no such method")))
			continue
		}
		v, err := m.New(env, p.Options)
		if err != nil {
			problems.Add(problem(p.Pos, path+"."+p.Method, err))
			continue
		}
		all = append(all, v)
	}
	return all, problems
}

func problem(pos diag.Pos, path string, err error) diag.Problem {
	return diag.Problem{Pos: pos, Path: path, Code: "bad_value", Message: err.Error()}
}
