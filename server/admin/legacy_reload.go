package admin

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"path/filepath"
	"time"

	"github.com/hookd/hookd/internal/secret"
)

// maxGuesses is how many wrong tokens a client may send per minute.
const maxGuesses = 10

// LegacyReload is what POST /admin/reload-config and GET /admin/config-status
// of the public listener are made from, in the shape of the original service.
type LegacyReload struct {
	Token secret.String // CONFIG_RELOAD_ADMIN_TOKEN; zero refuses all with 403
	// Reload reads both files again, all or nothing; an error means that it
	// could not be tried.
	Reload func(ctx context.Context, r ReloadRequest) (ReloadResult, error)
	Status func() ConfigStatus
	Client func(r *http.Request) netip.Addr
	Log    *slog.Logger // nil discards
}

// ConfigStatus is the answer of GET /admin/config-status.
type ConfigStatus struct {
	LastReload       time.Time             `json:"last_reload,omitzero"`
	ReloadInProgress bool                  `json:"reload_in_progress"`
	Webhooks         int                   `json:"webhooks_count"`
	Connections      int                   `json:"connections_count"`
	Pools            PoolCounts            `json:"connection_pools"`
	PoolDetails      map[string]PoolDetail `json:"pool_details"`
	Provider         map[string]string     `json:"provider"`
	FileWatching     bool                  `json:"file_watching_enabled"`
}

// PoolCounts counts open connections: those in use by the configuration in
// force, and those that only wait for their last user.
type PoolCounts struct {
	Active     int `json:"active"`
	Deprecated int `json:"deprecated"`
}

// PoolDetail is one open connection.
type PoolDetail struct {
	Version        int       `json:"version"`
	CreatedAt      time.Time `json:"created_at,omitzero"`
	ActiveRequests int       `json:"active_requests"`
	Deprecated     bool      `json:"deprecated"`
}

// Handlers makes the two handlers.
func (l LegacyReload) Handlers() (reload, status http.Handler) {
	if l.Log == nil {
		l.Log = slog.New(slog.DiscardHandler)
	}
	wrong := newWindow(maxGuesses)
	return l.guarded(wrong, l.serveReload), l.guarded(wrong, l.serveStatus)
}

func (l LegacyReload) guarded(wrong *window, next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if l.Token.IsZero() {
			writeProblem(w, http.StatusForbidden, "admin_disabled", "Admin API is disabled")
			return
		}
		client, now := l.Client(r), time.Now()
		if wait, spent := wrong.spent(client, now); spent {
			tooMany(w, wait)
			return
		}
		if !legacyToken(r.Header, l.Token) {
			wrong.take(client, now)
			unauthorized(w)
			return
		}
		next(w, r)
	})
}

// legacyAnswer is the answer of a reload.
type legacyAnswer struct {
	Status    string          `json:"status"`
	Error     string          `json:"error,omitempty"`
	Reloaded  map[string]bool `json:"reloaded,omitempty"`
	Details   map[string]any  `json:"details,omitempty"`
	Timestamp time.Time       `json:"timestamp"`
}

func (l LegacyReload) serveReload(w http.ResponseWriter, r *http.Request) {
	webhooks, connections, check := true, true, false
	var body map[string]any
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
	if err != nil {
		writeProblem(w, http.StatusRequestEntityTooLarge, "body_too_large", "the body is over 1 MiB or ended early")
		return
	}
	if json.Unmarshal(b, &body) == nil { // a body that is no JSON object asks for everything
		webhooks = wish(body, "reload_webhooks", webhooks)
		connections = wish(body, "reload_connections", connections)
		check = wish(body, "validate_only", check)
	}
	if !webhooks && !connections && !check {
		writeJSON(w, http.StatusOK, legacyAnswer{Status: "error", Error: "No reload operation specified", Timestamp: time.Now().UTC()})
		return
	}
	res, err := l.Reload(r.Context(), ReloadRequest{DryRun: check})
	if err != nil {
		l.Log.ErrorContext(r.Context(), "reload could not be tried", "error", err)
		writeProblem(w, http.StatusServiceUnavailable, "reload_unavailable", "the configuration cannot be reloaded now; the log has the reason")
		return
	}
	answer := legacyAnswer{Status: "success", Details: legacyDetails(res), Timestamp: time.Now().UTC()}
	switch {
	case !res.OK:
		answer.Status, answer.Error = "error", "Configuration has errors; the one in force before stays"
		writeJSON(w, http.StatusBadRequest, answer)
		return
	case check:
		answer.Status = "valid"
	default:
		// Both files make one configuration and are swapped together.
		answer.Reloaded = map[string]bool{"webhooks": true, "connections": true}
	}
	writeJSON(w, http.StatusOK, answer)
}

func (l LegacyReload) serveStatus(w http.ResponseWriter, _ *http.Request) {
	s := l.Status()
	if s.PoolDetails == nil {
		s.PoolDetails = map[string]PoolDetail{}
	}
	if s.Provider == nil {
		s.Provider = map[string]string{}
	}
	writeJSON(w, http.StatusOK, s)
}

// legacyDetails names files without their folder: this goes to the public
// listener.
func legacyDetails(res ReloadResult) map[string]any {
	d := map[string]any{"webhooks": res.Hooks, "connections": res.Connections}
	if len(res.Problems) > 0 {
		problems := make([]Problem, len(res.Problems))
		for i, p := range res.Problems {
			p.Place = filepath.Base(p.Place)
			problems[i] = p
		}
		d["problems"] = problems
	}
	return d
}

// wish reads a boolean; the text "false" is one too.
func wish(body map[string]any, key string, unset bool) bool {
	switch v := body[key].(type) {
	case bool:
		return v
	case string:
		return v != "" && v != "false" && v != "0"
	case float64:
		return v != 0
	default:
		return unset
	}
}
