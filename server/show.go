package server

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/hookd/hookd/internal/config"
	"github.com/hookd/hookd/internal/record"
	"github.com/hookd/hookd/server/admin"
	"github.com/hookd/hookd/server/edge"
)

// laneControl shows and steers the lanes for the admin API.
type laneControl struct{ d *daemon }

// Lanes is admin.LaneControl.
func (l laneControl) Lanes() []admin.LaneState {
	var out []admin.LaneState
	for _, s := range l.d.engine.Status() {
		out = append(out, admin.LaneState{Name: s.Name, Hook: s.Hook, Module: s.Module, Paused: s.Paused, Breaker: string(s.Breaker)})
	}
	return out
}

// Pause is admin.LaneControl.
func (l laneControl) Pause(lane string) bool { return l.d.engine.Pause(lane) == nil }

// Resume is admin.LaneControl.
func (l laneControl) Resume(lane string) bool { return l.d.engine.Resume(lane) == nil }

// hooks lists the configured hooks, without secrets.
func (d *daemon) hooks() []admin.Hook {
	var out []admin.Hook
	for i := range d.current.Plan().Config.Hooks {
		h := &d.current.Plan().Config.Hooks[i]
		out = append(out, admin.Hook{
			ID: h.ID, Path: "/webhook/" + h.ID, Description: h.Description, Enabled: h.Enabled,
			DataType: string(h.DataType), Provider: h.Provider, Auth: proofs(h), Lanes: lanes(h),
		})
	}
	return out
}

// banner lists the hooks that are served.
func (d *daemon) banner() []StartedHook {
	var out []StartedHook
	for _, h := range d.hooks() {
		if h.Enabled {
			out = append(out, StartedHook{ID: h.ID, Path: h.Path, Provider: h.Provider, Auth: h.Auth, Lanes: h.Lanes})
		}
	}
	return out
}

// proofs are the names of what a request must show.
func proofs(h *config.Hook) []string { return append([]string{}, proofNames(&h.ProofSet)...) }

func proofNames(s *config.ProofSet) []string {
	var out []string
	if s.Provider != "" {
		out = append(out, s.Provider)
	}
	for _, p := range s.Proofs {
		out = append(out, p.Method)
	}
	for i := range s.AllOf {
		out = append(out, proofNames(&s.AllOf[i])...)
	}
	var alternatives []string
	for i := range s.AnyOf {
		alternatives = append(alternatives, strings.Join(proofNames(&s.AnyOf[i]), "+"))
	}
	if len(alternatives) > 0 {
		out = append(out, "any of "+strings.Join(alternatives, ", "))
	}
	return out
}

func lanes(h *config.Hook) []string {
	out := []string{}
	for _, d := range h.Destinations {
		out = append(out, config.LaneName(h.ID, d.Name))
	}
	return out
}

// routes are those of the public listener besides its own.
func (d *daemon) routes() ([]edge.Route, error) {
	stats, err := admin.LegacyStats{
		Token: d.o.Stats.Token, AllowedIPs: d.o.Stats.AllowedIPs, RateLimit: d.o.Stats.RateLimit,
		SanitizeIDs: d.o.Stats.SanitizeIDs, Client: d.client,
		Counts: func() map[string]admin.Windows { return windows(d.recorder.Snapshot()) },
	}.Handler()
	if err != nil {
		return nil, err
	}
	out := []edge.Route{{Method: http.MethodGet, Path: "/stats", Handler: stats}}
	if !d.o.DocsDisabled {
		out = append(out, edge.Route{Method: http.MethodGet, Path: "/openapi.json", Handler: &document{d: d}})
	}
	if !d.o.ReloadToken.IsZero() {
		reload, status := admin.LegacyReload{
			Token: d.o.ReloadToken, Reload: d.reload.reload, Status: d.reload.status, Client: d.client, Log: d.log,
		}.Handlers()
		out = append(out,
			edge.Route{Method: http.MethodPost, Path: "/admin/reload-config", Handler: reload},
			edge.Route{Method: http.MethodGet, Path: "/admin/config-status", Handler: status})
	}
	return out, nil
}

// windows are the counts of accepted requests, by hook.
func windows(s record.Snapshot) map[string]admin.Windows {
	out := make(map[string]admin.Windows, len(s.Hooks))
	for id, h := range s.Hooks {
		out[id] = h.Windows
	}
	return out
}

// client is who asks for /stats and /admin: behind trusted proxies, the
// right-most address that is none.
func (d *daemon) client(r *http.Request) netip.Addr {
	return edge.Client(r, d.o.Edge.TrustedProxies)
}
