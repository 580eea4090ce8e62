package edge

import (
	"net/http"
	"net/netip"
	"strconv"
	"strings"
)

// Security is what the security headers depend on. A daemon fills it from
// CSP_POLICY, FORCE_HTTPS and HSTS_*.
type Security struct {
	CSP        string // Content-Security-Policy; "" is the tight default
	ForceHTTPS bool   // a proxy in front of hookd speaks TLS: always send HSTS

	HSTSMaxAge     int // seconds, at most 63072000
	HSTSSubDomains bool
	HSTSPreload    bool
}

const (
	defaultMaxAge = 31_536_000
	longestMaxAge = 63_072_000
)

// DefaultSecurity is HSTS for a year with subdomains, sent over TLS only.
func DefaultSecurity() Security { return Security{HSTSMaxAge: defaultMaxAge, HSTSSubDomains: true} }

// ParseHSTSMaxAge reads seconds as the original service did: what is no number
// or negative is a year, and two years are the most.
func ParseHSTSMaxAge(s string) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < 0 {
		return defaultMaxAge
	}
	return min(n, longestMaxAge)
}

const (
	defaultCSP = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
		"font-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'"
	permissions = "geolocation=(), microphone=(), camera=(), payment=(), usb=(), magnetometer=(), gyroscope=(), accelerometer=()"
)

// securityHeaders are built once; a response gets the slices themselves, which
// nobody may change.
type securityHeaders struct {
	csp, hsts []string
	always    bool // send hsts also on plain HTTP
}

var (
	nosniff        = []string{"nosniff"}
	deny           = []string{"DENY"}
	xss            = []string{"1; mode=block"}
	referrer       = []string{"strict-origin-when-cross-origin"}
	permissionsAll = []string{permissions}
)

func newSecurityHeaders(s Security) securityHeaders {
	csp := s.CSP
	if csp == "" {
		csp = defaultCSP
	}
	hsts := "max-age=" + strconv.Itoa(min(max(s.HSTSMaxAge, 0), longestMaxAge))
	if s.HSTSSubDomains {
		hsts += "; includeSubDomains"
	}
	if s.HSTSPreload {
		hsts += "; preload"
	}
	return securityHeaders{csp: []string{csp}, hsts: []string{hsts}, always: s.ForceHTTPS}
}

func (s *securityHeaders) set(h http.Header, https bool) {
	h["X-Content-Type-Options"] = nosniff
	h["X-Frame-Options"] = deny
	h["X-Xss-Protection"] = xss
	h["Referrer-Policy"] = referrer
	h["Permissions-Policy"] = permissionsAll
	h["Content-Security-Policy"] = s.csp
	if https || s.always {
		h["Strict-Transport-Security"] = s.hsts
	}
}

// overHTTPS reports whether the client speaks TLS, to hookd or to a trusted
// proxy before it.
func (e *edge) overHTTPS(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	proto := r.Header["X-Forwarded-Proto"]
	if len(proto) == 0 || len(e.o.TrustedProxies) == 0 {
		return false
	}
	// The last proxy is the one that is trusted, and it wrote the last value.
	last := proto[len(proto)-1]
	if i := strings.LastIndexByte(last, ','); i >= 0 {
		last = last[i+1:]
	}
	return strings.EqualFold(strings.TrimSpace(last), "https") && e.o.trusts(peerOf(r))
}

// peerOf is the address of the connection; invalid where there is none.
func peerOf(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}
