package edge_test

import (
	"crypto/tls"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/hookd/hookd/server/edge"
)

func TestHSTS(t *testing.T) {
	t.Parallel()
	const year = "max-age=31536000; includeSubDomains"
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for name, c := range map[string]struct {
		o     edge.Options
		tls   bool
		peer  string
		proto []string
		want  string
	}{
		"plain":                      {},
		"tls":                        {tls: true, want: year},
		"forced":                     {o: edge.Options{Security: edge.Security{ForceHTTPS: true, HSTSMaxAge: 60}}, want: "max-age=60"},
		"preload":                    {o: edge.Options{Security: edge.Security{HSTSMaxAge: 1 << 40, HSTSPreload: true}}, tls: true, want: "max-age=63072000; preload"},
		"said by anyone":             {peer: "192.0.2.1", proto: []string{"https"}},
		"said by a trusted proxy":    {o: edge.Options{TrustedProxies: proxies}, peer: "10.0.0.1", proto: []string{"HTTPS"}, want: year},
		"said by another than it":    {o: edge.Options{TrustedProxies: proxies}, peer: "192.0.2.1", proto: []string{"https"}},
		"the proxy says http":        {o: edge.Options{TrustedProxies: proxies}, peer: "10.0.0.1", proto: []string{"http"}},
		"the proxy's word is last":   {o: edge.Options{TrustedProxies: proxies}, peer: "10.0.0.1", proto: []string{"https", "http"}},
		"the proxy's word is last 2": {o: edge.Options{TrustedProxies: proxies}, peer: "10.0.0.1", proto: []string{"https, http"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.o.Gate = &gate{}
			r := request("GET", "/nothing")
			if c.tls {
				r.TLS = &tls.ConnectionState{}
			}
			if c.peer != "" {
				r.RemoteAddr = c.peer + ":1"
			}
			if c.proto != nil {
				r.Header["X-Forwarded-Proto"] = c.proto
			}
			if got := ask(t, c.o, r).Header.Get("Strict-Transport-Security"); got != c.want {
				t.Errorf("HSTS %q, want %q", got, c.want)
			}
		})
	}
	for in, want := range map[string]int{"60": 60, " 60 ": 60, "0": 0, "-1": 31536000, "abc": 31536000, "": 31536000, "99999999999": 63072000} {
		if got := edge.ParseHSTSMaxAge(in); got != want {
			t.Errorf("ParseHSTSMaxAge(%q) = %d, want %d", in, got, want)
		}
	}
}

func TestCSP(t *testing.T) {
	t.Parallel()
	o := edge.Options{Gate: &gate{}}
	if got := ask(t, o, request("GET", "/")).Header.Get("Content-Security-Policy"); !strings.Contains(got, "frame-ancestors 'none'") || !strings.Contains(got, "default-src 'self'") {
		t.Errorf("default policy %q", got)
	}
	o.Security = edge.Security{CSP: "default-src 'none'"}
	if got := ask(t, o, request("GET", "/")).Header.Get("Content-Security-Policy"); got != "default-src 'none'" {
		t.Errorf("own policy %q", got)
	}
}

func TestCORS(t *testing.T) {
	t.Parallel()
	const good = "https://app.example.com"
	o := edge.Options{Gate: &gate{}, Origins: []string{good}}
	for name, c := range map[string]struct {
		none                    bool // no origins configured
		method, origin          string
		wantMethod, wantHeaders string
		status                  int
		body, allowed           string
	}{
		"preflight":                     {method: "OPTIONS", origin: good, wantMethod: "POST", status: 200, body: "OK", allowed: good},
		"preflight with headers":        {method: "OPTIONS", origin: good, wantMethod: "POST", wantHeaders: "content-type, x-hub-signature-256", status: 200, body: "OK", allowed: good},
		"bad header":                    {method: "OPTIONS", origin: good, wantMethod: "POST", wantHeaders: "x-evil", status: 400, body: "Disallowed CORS headers", allowed: good},
		"bad method":                    {method: "OPTIONS", origin: good, wantMethod: "DELETE", status: 400, body: "Disallowed CORS method", allowed: good},
		"bad origin":                    {method: "OPTIONS", origin: "https://evil.example", wantMethod: "POST", status: 400, body: "Disallowed CORS origin"},
		"all bad":                       {method: "OPTIONS", origin: "null", wantMethod: "PUT", wantHeaders: "a", status: 400, body: "Disallowed CORS origin, method, headers"},
		"longer origin":                 {method: "OPTIONS", origin: good + ".evil.example", wantMethod: "POST", status: 400, body: "Disallowed CORS origin"},
		"upper case origin":             {method: "OPTIONS", origin: strings.ToUpper(good), wantMethod: "POST", status: 400, body: "Disallowed CORS origin"},
		"nothing allowed":               {none: true, method: "OPTIONS", origin: good, wantMethod: "POST", status: 400, body: "Disallowed CORS origin"},
		"simple request":                {method: "GET", origin: good, status: 200, allowed: good},
		"simple request from elsewhere": {method: "GET", origin: "https://evil.example", status: 200},
		"OPTIONS that is not preflight": {method: "OPTIONS", origin: good, status: 405, allowed: good},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := o
			if c.none {
				o.Origins = nil
			}
			r := request(c.method, "/health", "Origin", c.origin)
			if c.wantMethod != "" {
				r.Header.Set("Access-Control-Request-Method", c.wantMethod)
			}
			if c.wantHeaders != "" {
				r.Header.Set("Access-Control-Request-Headers", c.wantHeaders)
			}
			res := ask(t, o, r)
			checkAnswer(t, res)
			h := res.Header
			if res.StatusCode != c.status || h.Get("Access-Control-Allow-Origin") != c.allowed || c.body != "" && text(t, res) != c.body {
				t.Errorf("%d %q, allowed %q; want %d %q %q", res.StatusCode, text(t, res), h.Get("Access-Control-Allow-Origin"), c.status, c.body, c.allowed)
			}
			if (h.Get("Access-Control-Allow-Credentials") == "true") == c.none || !c.none && h.Get("Vary") != "Origin" {
				t.Errorf("headers %v", h)
			}
			if c.wantMethod != "" && (h.Get("Access-Control-Max-Age") != "600" || h.Get("Access-Control-Allow-Methods") != "POST, GET, OPTIONS") {
				t.Errorf("headers %v", h)
			}
		})
	}
	if h := ask(t, o, request(http.MethodGet, "/")).Header; h.Get("Vary") != "" || h.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("a request without Origin got %v", h)
	}
}

func TestParseOrigins(t *testing.T) {
	t.Parallel()
	got, warnings := edge.ParseOrigins("https://a.example, http://b.example:8080,,https://a.example,*,null,ftp://c.example,https://d.example/," +
		"https://e.example?x,https://f.example#,https://u:p@g.example,https://h .example,i.example,http://localhost:3000")
	want := []string{"https://a.example", "http://b.example:8080", "http://localhost:3000"}
	if !slices.Equal(got, want) {
		t.Errorf("origins %q, want %q", got, want)
	}
	if len(warnings) != 10 {
		t.Errorf("%d warnings: %q", len(warnings), warnings)
	}
}
