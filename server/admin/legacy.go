package admin

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/hookd/hookd/internal/record"
	"github.com/hookd/hookd/internal/secret"
)

// LegacyStats is what GET /stats of the public listener is made from. Its
// settings are those of the original service.
type LegacyStats struct {
	Token      secret.String // STATS_AUTH_TOKEN; zero is open
	AllowedIPs []string      // STATS_ALLOWED_IPS: addresses or CIDRs; empty is all
	// RateLimit is STATS_RATE_LIMIT: calls per minute and client; 0 refuses
	// all, below 0 is no limit.
	RateLimit   int
	SanitizeIDs bool // STATS_SANITIZE_IDS: ids become webhook_ and 16 hex digits
	// Client finds the client's address; an invalid one is refused where
	// AllowedIPs is set.
	Client func(r *http.Request) netip.Addr
	// Counts are the accepted requests of each hook.
	Counts func() map[string]Windows
}

// Handler makes the handler. An entry of AllowedIPs that is no address is an
// error: ignoring it could open what was meant to be closed.
func (s LegacyStats) Handler() (http.Handler, error) {
	allowed, err := prefixes(s.AllowedIPs)
	if err != nil {
		return nil, fmt.Errorf("STATS_ALLOWED_IPS: %w", err)
	}
	calls := newWindow(s.RateLimit)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client := s.Client(r)
		if len(allowed) > 0 && !within(allowed, client) {
			writeProblem(w, http.StatusForbidden, "address_not_allowed", "Access denied")
			return
		}
		// Before the token, so that it also slows down guessing.
		if s.RateLimit >= 0 {
			if wait, ok := calls.take(client, time.Now()); !ok {
				tooMany(w, wait)
				return
			}
		}
		if !s.Token.IsZero() && !legacyToken(r.Header, s.Token) {
			unauthorized(w)
			return
		}
		out := map[string]Windows{}
		for id, n := range s.Counts() {
			if id == record.Other && n.Total == 0 {
				continue // requests for hooks that are not there
			}
			if s.SanitizeIDs {
				sum := sha256.Sum256([]byte(id))
				id = "webhook_" + hex.EncodeToString(sum[:8])
			}
			out[id] = n
		}
		writeJSON(w, http.StatusOK, out)
	}), nil
}

// legacyToken takes "Bearer tok" and a plain "tok", once.
func legacyToken(h http.Header, want secret.String) bool {
	v := h.Values("Authorization")
	if len(v) != 1 {
		return false
	}
	got := v[0]
	if len(got) > 7 && strings.EqualFold(got[:7], "Bearer ") {
		got = got[7:]
	}
	got = strings.TrimSpace(got)
	return got != "" && want.Equal(got)
}

func unauthorized(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", "Bearer")
	writeProblem(w, http.StatusUnauthorized, "unauthorized", "Unauthorized")
}

func tooMany(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	writeProblem(w, http.StatusTooManyRequests, "rate_limited", "Rate limit exceeded")
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		writeProblem(w, http.StatusInternalServerError, "internal", "this failed")
		return
	}
	w.Header().Set("Content-Type", jsonType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

func prefixes(list []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range list {
		s = strings.TrimSpace(s)
		if p, err := netip.ParsePrefix(s); err == nil {
			out = append(out, p)
			continue
		}
		a, err := netip.ParseAddr(s)
		if err != nil {
			return nil, fmt.Errorf("%q is neither an address nor a CIDR", s)
		}
		a = a.Unmap()
		out = append(out, netip.PrefixFrom(a, a.BitLen()))
	}
	return out, nil
}

func within(list []netip.Prefix, a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
