package admin

import (
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/hookd/hookd/internal/secret"
)

// guard decides who may speak to the admin listener. On loopback every local
// process may, so the danger is a web page that the operator visits: it can
// reach loopback through the browser, under its own origin (CSRF) or under a
// name that it points at 127.0.0.1 (DNS rebinding). Elsewhere only the holder
// of the token may.
type guard struct {
	loopback bool
	certs    bool
	token    secret.String
	hosts    []string // lower case, without port
}

func newGuard(o Options) (*guard, error) {
	host, _, err := net.SplitHostPort(o.Addr)
	if err != nil {
		return nil, fmt.Errorf("admin address: %w", err)
	}
	g := &guard{loopback: isLoopback(host), certs: o.ClientCerts, token: o.Token}
	if !g.loopback && o.Token.IsZero() && !o.ClientCerts {
		return nil, fmt.Errorf("admin address %s: %w", o.Addr, ErrTokenRequired)
	}
	for _, h := range o.Hosts {
		name := hostName(h)
		if name == "" {
			return nil, fmt.Errorf("admin hosts: %q is not a host name", h)
		}
		g.hosts = append(g.hosts, name)
	}
	return g, nil
}

func (g *guard) check(c *gin.Context) {
	r := c.Request
	probe := c.FullPath() == "/healthz" // learns no more than whether to send traffic
	if !g.hostAllowed(r.Host) && (g.loopback || !probe) {
		refuse(c, http.StatusForbidden, "host_not_allowed", "the request is addressed to a host name that this listener does not serve")
		return
	}
	if !g.originAllowed(r) {
		refuse(c, http.StatusForbidden, "origin_not_allowed", "requests from pages of another origin are refused")
		return
	}
	if g.certs && (r.TLS == nil || len(r.TLS.VerifiedChains) == 0) && !probe {
		refuse(c, http.StatusUnauthorized, "client_certificate_required", "a client certificate is required")
		return
	}
	if !g.token.IsZero() && !probe && !bearer(r.Header, g.token) {
		c.Header("WWW-Authenticate", `Bearer realm="hookd admin"`)
		refuse(c, http.StatusUnauthorized, "unauthorized", "a valid bearer token is required")
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead && !meant(r.Header) {
		refuse(c, http.StatusUnsupportedMediaType, "content_type_required",
			"requests that change something need Content-Type: application/json or the header Hookd-Admin: 1")
		return
	}
	c.Next()
}

func (g *guard) hostAllowed(hostport string) bool {
	if !g.loopback && len(g.hosts) == 0 {
		return true // the token, or the certificate, is no page's to send
	}
	host := hostName(hostport)
	return slices.Contains(g.hosts, host) || g.loopback && isLoopback(host)
}

// originAllowed refuses what a browser marks as coming from elsewhere. Clients
// that are no browsers send neither header.
func (g *guard) originAllowed(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
	default:
		return false
	}
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return true
	}
	u, err := url.Parse(origins[0])
	return len(origins) == 1 && err == nil && (u.Scheme == "http" || u.Scheme == "https") && strings.EqualFold(u.Host, r.Host)
}

// meant reports whether a page could not have made the browser send this
// without a preflight, which this listener never answers.
func meant(h http.Header) bool {
	if h.Get("Hookd-Admin") == "1" {
		return true
	}
	t, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && t == "application/json"
}

// bearer reports whether the header has the token as RFC 6750 section 2.1 has
// it, once.
func bearer(h http.Header, want secret.String) bool {
	v := h.Values("Authorization")
	if len(v) != 1 {
		return false
	}
	scheme, token, ok := strings.Cut(v[0], " ")
	return ok && strings.EqualFold(scheme, "Bearer") && want.Equal(token)
}

// hostName is the host as a client understands it, in lower case and without
// port, brackets and final dot; "" for what is no host.
func hostName(hostport string) string {
	u, err := url.Parse("http://" + hostport)
	if err != nil || u.Host != hostport {
		return ""
	}
	return strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// headers are on every answer, also on refusals.
func headers(c *gin.Context) {
	h := c.Writer.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	c.Next()
}
