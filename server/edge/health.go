package edge

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/hookd/hookd/server/ingest"
)

// root tells that something is there; the original service limits it per
// client.
func (e *edge) root(c *gin.Context) {
	if e.o.RootLimit != nil {
		wait, ok := e.o.RootLimit.Allow(e.client(c.Request), e.o.Now())
		if !ok {
			refuse(c.Writer, &ingest.Refusal{
				Status: http.StatusTooManyRequests, Code: "rate_limited", Public: "Rate limit exceeded", RetryAfter: wait,
			})
			return
		}
	}
	writeJSON(c.Writer, http.StatusOK, map[string]string{"message": "200 OK"})
}

// client is who asks, seen from behind the trusted proxies.
func (e *edge) client(r *http.Request) netip.Addr { return Client(r, e.o.TrustedProxies) }

// Client is who asks, seen from behind the trusted proxies: the right-most
// address that is not one of them.
func Client(r *http.Request, trusted []netip.Prefix) netip.Addr {
	addr := peerOf(r)
	hops := strings.Split(strings.Join(r.Header["X-Forwarded-For"], ","), ",")
	for i := len(hops) - 1; i >= 0 && contains(trusted, addr); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		addr = hop.Unmap()
	}
	return addr
}

// health has the shape of the original service.
func (e *edge) health(c *gin.Context) {
	got := e.o.Health(c.Request.Context())
	status, word := http.StatusOK, "healthy"
	if got.Unhealthy {
		status, word = http.StatusServiceUnavailable, "unhealthy"
	}
	if got.Components == nil {
		got.Components = map[string]string{}
	}
	writeJSON(c.Writer, status, struct {
		Status     string            `json:"status"`
		Service    string            `json:"service"`
		Timestamp  float64           `json:"timestamp"`
		Components map[string]string `json:"components"`
	}{word, "webhook-service", float64(e.o.Now().UnixMicro()) / 1e6, got.Components})
}

func (e *edge) live(c *gin.Context) {
	writeJSON(c.Writer, http.StatusOK, map[string]string{"status": "ok"})
}

// ready says no more than yes or no: why not is for the log and the admin
// listener.
func (e *edge) ready(c *gin.Context) {
	if e.o.Draining() || e.o.Ready(c.Request.Context()) != nil {
		writeJSON(c.Writer, http.StatusServiceUnavailable, map[string]string{"status": "not ready"})
		return
	}
	writeJSON(c.Writer, http.StatusOK, map[string]string{"status": "ready"})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte("{}")
	}
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Cache-Control"] = noStore
	w.WriteHeader(status)
	_, _ = w.Write(b)
}
