package admin_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hookd/hookd/internal/record"
	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/server/admin"
)

func TestNewDemandsAToken(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		addr         string
		token, certs bool
		ok           bool
	}{
		{addr: "127.0.0.1:8001", ok: true},
		{addr: "127.8.9.1:0", ok: true},
		{addr: "[::1]:8001", ok: true},
		{addr: "[::ffff:127.0.0.1]:8001", ok: true},
		{addr: "localhost:8001", ok: true},
		{addr: ":8001"},
		{addr: "0.0.0.0:8001"},
		{addr: "[::]:8001"},
		{addr: "10.0.0.1:8001"},
		{addr: "localhost.example.com:8001"},
		{addr: "0.0.0.0:8001", token: true, ok: true},
		{addr: "0.0.0.0:8001", certs: true, ok: true},
	} {
		o := admin.Options{Addr: tc.addr, ClientCerts: tc.certs, Store: newBench(t).queue, Recorder: record.New(0), Lanes: &lanes{}, Hooks: func() []admin.Hook { return nil }}
		if tc.token {
			o.Token = secret.New(token)
		}
		_, err := admin.New(o)
		if (err == nil) != tc.ok || !tc.ok && !errors.Is(err, admin.ErrTokenRequired) {
			t.Errorf("%s token=%v certs=%v: %v", tc.addr, tc.token, tc.certs, err)
		}
	}
	if _, err := admin.New(admin.Options{Addr: "127.0.0.1:1", Hosts: []string{"https://admin.example/"}}); err == nil {
		t.Error("a URL passed as a host")
	}
	if _, err := admin.New(admin.Options{Addr: "no port"}); err == nil {
		t.Error("an address without a port passed")
	}
	if _, err := admin.New(admin.Options{Addr: "127.0.0.1:1"}); err == nil {
		t.Error("options without a store passed")
	}
}

const js = "application/json"

func TestGuard(t *testing.T) {
	t.Parallel()
	loopback := func(o *admin.Options) { o.Hosts = []string{"hookd.internal", "Other.Example:8001"} }
	loopbackToken := func(o *admin.Options) { o.Token = secret.New(token) }
	public := func(o *admin.Options) { o.Addr, o.Token = "0.0.0.0:8001", secret.New(token) }
	publicHosts := func(o *admin.Options) {
		o.Addr, o.Token, o.Hosts = "0.0.0.0:8001", secret.New(token), []string{"admin.example"}
	}
	bearer := "Bearer " + token
	for _, tc := range []struct {
		name    string
		options func(*admin.Options)
		method  string
		path    string
		header  []string
		want    int
		code    string
	}{
		// DNS rebinding: the Host header is the name that the page has.
		{name: "ip", path: "/api/v1/stats", want: 200},
		{name: "localhost", path: "/api/v1/stats", header: []string{"Host", "localhost:8001"}, want: 200},
		{name: "localhost upper", path: "/api/v1/stats", header: []string{"Host", "LOCALHOST."}, want: 200},
		{name: "ipv6", path: "/api/v1/stats", header: []string{"Host", "[::1]:8001"}, want: 200},
		{name: "ipv6 without port", path: "/api/v1/stats", header: []string{"Host", "[::1]"}, want: 200},
		{name: "rebound name", path: "/api/v1/stats", header: []string{"Host", "evil.example:8001"}, want: 403, code: "host_not_allowed"},
		{name: "rebound name for health", path: "/healthz", header: []string{"Host", "evil.example"}, want: 403, code: "host_not_allowed"},
		{name: "name that begins well", path: "/api/v1/stats", header: []string{"Host", "localhost.evil.example"}, want: 403, code: "host_not_allowed"},
		{name: "name that looks like an ip", path: "/api/v1/stats", header: []string{"Host", "127.0.0.1.nip.io"}, want: 403, code: "host_not_allowed"},
		{name: "decimal ip", path: "/api/v1/stats", header: []string{"Host", "2130706433"}, want: 403, code: "host_not_allowed"},
		{name: "other ip", path: "/api/v1/stats", header: []string{"Host", "10.0.0.1:8001"}, want: 403, code: "host_not_allowed"},
		{name: "no host", path: "/api/v1/stats", header: []string{"Host", ""}, want: 403, code: "host_not_allowed"},
		{name: "host with user", path: "/api/v1/stats", header: []string{"Host", "localhost@evil.example"}, want: 403, code: "host_not_allowed"},
		{name: "metrics are guarded too", path: "/metrics", header: []string{"Host", "evil.example"}, want: 403, code: "host_not_allowed"},
		{name: "not found is guarded too", path: "/nope", header: []string{"Host", "evil.example"}, want: 403, code: "host_not_allowed"},
		{name: "configured name", options: loopback, path: "/api/v1/stats", header: []string{"Host", "Hookd.Internal:8001"}, want: 200},
		{name: "configured name with port", options: loopback, path: "/api/v1/stats", header: []string{"Host", "other.example"}, want: 200},
		{name: "not the configured name", options: loopback, path: "/api/v1/stats", header: []string{"Host", "x.hookd.internal"}, want: 403, code: "host_not_allowed"},

		// CSRF: Origin and Sec-Fetch-Site are set by the browser alone.
		{name: "own origin", method: "POST", path: "/api/v1/replay", header: []string{"Host", "localhost:8001", "Origin", "http://localhost:8001", "Content-Type", js}, want: 400, code: "filter_required"},
		{name: "foreign origin", method: "POST", path: "/api/v1/replay", header: []string{"Origin", "https://evil.example", "Content-Type", js}, want: 403, code: "origin_not_allowed"},
		{name: "other port", method: "POST", path: "/api/v1/replay", header: []string{"Host", "localhost:8001", "Origin", "http://localhost:3000", "Content-Type", js}, want: 403, code: "origin_not_allowed"},
		{name: "null origin", method: "POST", path: "/api/v1/replay", header: []string{"Origin", "null", "Content-Type", js}, want: 403, code: "origin_not_allowed"},
		{name: "two origins", method: "POST", path: "/api/v1/replay", header: []string{"Origin", "http://127.0.0.1:8001", "Origin", "http://127.0.0.1:8001", "Content-Type", js}, want: 403, code: "origin_not_allowed"},
		{name: "origin of a file", method: "POST", path: "/api/v1/replay", header: []string{"Origin", "file://127.0.0.1:8001", "Content-Type", js}, want: 403, code: "origin_not_allowed"},
		{name: "foreign origin reads", path: "/api/v1/events", header: []string{"Origin", "https://evil.example"}, want: 403, code: "origin_not_allowed"},
		{name: "cross site", path: "/api/v1/events", header: []string{"Sec-Fetch-Site", "cross-site"}, want: 403, code: "origin_not_allowed"},
		{name: "same site is not same origin", path: "/api/v1/events", header: []string{"Sec-Fetch-Site", "same-site"}, want: 403, code: "origin_not_allowed"},
		{name: "same origin", path: "/api/v1/events", header: []string{"Sec-Fetch-Site", "same-origin"}, want: 200},
		{name: "typed address", path: "/api/v1/events", header: []string{"Sec-Fetch-Site", "none"}, want: 200},
		{name: "form", method: "POST", path: "/api/v1/dead/purge", header: []string{"Content-Type", "application/x-www-form-urlencoded"}, want: 415, code: "content_type_required"},
		{name: "text that is json", method: "POST", path: "/api/v1/dead/purge", header: []string{"Content-Type", "text/plain"}, want: 415, code: "content_type_required"},
		{name: "type that contains json", method: "POST", path: "/api/v1/dead/purge", header: []string{"Content-Type", "text/plain; application/json"}, want: 415, code: "content_type_required"},
		{name: "no type", method: "POST", path: "/api/v1/lanes/github/log-1/pause", want: 415, code: "content_type_required"},
		{name: "own header", method: "POST", path: "/api/v1/lanes/github/log-1/pause", header: []string{"Hookd-Admin", "1"}, want: 200},
		{name: "json with charset", method: "POST", path: "/api/v1/lanes/github/log-1/pause", header: []string{"Content-Type", "application/json; charset=utf-8"}, want: 200},
		{name: "preflight gets nothing", method: "OPTIONS", path: "/api/v1/events", header: []string{"Hookd-Admin", "1"}, want: 405, code: "method_not_allowed"},
		{name: "preflight of a page", method: "OPTIONS", path: "/api/v1/events", header: []string{"Origin", "https://evil.example"}, want: 403, code: "origin_not_allowed"},

		// The token.
		{name: "token", options: public, path: "/api/v1/stats", header: []string{"Authorization", bearer}, want: 200},
		{name: "token, any host", options: public, path: "/api/v1/stats", header: []string{"Authorization", bearer, "Host", "anything.example"}, want: 200},
		{name: "scheme in lower case", options: public, path: "/api/v1/stats", header: []string{"Authorization", "bearer " + token}, want: 200},
		{name: "no token", options: public, path: "/api/v1/stats", want: 401, code: "unauthorized"},
		{name: "wrong token", options: public, path: "/api/v1/stats", header: []string{"Authorization", bearer + "x"}, want: 401, code: "unauthorized"},
		{name: "prefix of the token", options: public, path: "/api/v1/stats", header: []string{"Authorization", bearer[:len(bearer)-1]}, want: 401, code: "unauthorized"},
		{name: "empty token", options: public, path: "/api/v1/stats", header: []string{"Authorization", "Bearer "}, want: 401, code: "unauthorized"},
		{name: "plain token", options: public, path: "/api/v1/stats", header: []string{"Authorization", token}, want: 401, code: "unauthorized"},
		{name: "basic", options: public, path: "/api/v1/stats", header: []string{"Authorization", "Basic " + token}, want: 401, code: "unauthorized"},
		{name: "token twice", options: public, path: "/api/v1/stats", header: []string{"Authorization", bearer, "Authorization", bearer}, want: 401, code: "unauthorized"},
		{name: "token in the query", options: public, path: "/api/v1/stats?token=" + token, want: 401, code: "unauthorized"},
		{name: "metrics need it", options: public, path: "/metrics", want: 401, code: "unauthorized"},
		{name: "tail needs it", options: public, path: "/api/v1/tail", want: 401, code: "unauthorized"},
		{name: "not found needs it", options: public, path: "/nope", want: 401, code: "unauthorized"},
		{name: "pprof needs it", options: public, path: "/debug/pprof/", want: 401, code: "unauthorized"},
		{name: "health does not", options: public, path: "/healthz", want: 200},
		{name: "loopback with token", options: loopbackToken, path: "/api/v1/stats", want: 401, code: "unauthorized"},
		{name: "loopback with token and name", options: loopbackToken, path: "/api/v1/stats", header: []string{"Authorization", bearer, "Host", "evil.example"}, want: 403, code: "host_not_allowed"},
		{name: "hosts elsewhere", options: publicHosts, path: "/api/v1/stats", header: []string{"Authorization", bearer, "Host", "evil.example"}, want: 403, code: "host_not_allowed"},
		{name: "hosts elsewhere, own", options: publicHosts, path: "/api/v1/stats", header: []string{"Authorization", bearer, "Host", "admin.example:443"}, want: 200},
		{name: "probe by address", options: publicHosts, path: "/healthz", header: []string{"Host", "10.1.2.3:8001"}, want: 200},

		{name: "pprof is off", path: "/debug/pprof/", want: 404, code: "not_found"},
		{name: "unknown", path: "/api/v1/nope", want: 404, code: "not_found"},
		{name: "trailing slash", path: "/api/v1/stats/", want: 404, code: "not_found"},
		{name: "wrong method", method: "DELETE", path: "/api/v1/events", header: []string{"Hookd-Admin", "1"}, want: 405, code: "method_not_allowed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var change []func(*admin.Options)
			if tc.options != nil {
				change = append(change, tc.options)
			}
			if tc.method == "" {
				tc.method = http.MethodGet
			}
			w := newBench(t, change...).do(tc.method, tc.path, "", tc.header...)
			text := body(t, w)
			if w.Code != tc.want {
				t.Fatalf("status %d, want %d: %s", w.Code, tc.want, text)
			}
			h := w.Result().Header
			for name, want := range map[string]string{
				"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Cache-Control": "no-store",
				"Access-Control-Allow-Origin": "", "Access-Control-Allow-Methods": "",
			} {
				if h.Get(name) != want {
					t.Errorf("header %s: %q, want %q", name, h.Get(name), want)
				}
			}
			if tc.code == "" {
				return
			}
			var p struct {
				Status       int
				Detail, Code string
			}
			if err := json.Unmarshal([]byte(text), &p); err != nil || p.Status != tc.want || p.Code != tc.code || p.Detail == "" || h.Get("Content-Type") != "application/problem+json" {
				t.Errorf("problem %s (%v), want code %s", text, err, tc.code)
			}
			if strings.Contains(text, token) {
				t.Errorf("the token is in %s", text)
			}
			if challenge := h.Get("WWW-Authenticate"); (tc.want == 401) != (challenge != "") {
				t.Errorf("challenge %q", challenge)
			}
		})
	}
}

func TestClientCertificates(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *admin.Options) { o.Addr, o.ClientCerts = "0.0.0.0:8001", true })
	for name, tc := range map[string]struct {
		state *tls.ConnectionState
		want  int
	}{
		"plain":      {nil, 401},
		"unverified": {&tls.ConnectionState{PeerCertificates: []*x509.Certificate{{}}}, 401},
		"verified":   {&tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{{}}}}, 200},
	} {
		r := httptest.NewRequest(http.MethodGet, "http://hookd.example/api/v1/stats", nil)
		r.TLS = tc.state
		w := httptest.NewRecorder()
		b.handler.ServeHTTP(w, r)
		if w.Code != tc.want {
			t.Errorf("%s: %d, want %d", name, w.Code, tc.want)
		}
	}
}

func TestPprof(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *admin.Options) { o.Pprof = true })
	for path, want := range map[string]int{"/debug/pprof/": 200, "/debug/pprof/goroutine?debug=1": 200, "/debug/pprof/heap": 200, "/debug/pprof/cmdline": 404} {
		if w := b.do("GET", path, ""); w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
	if w := b.do("GET", "/debug/pprof/heap", "", "Host", "evil.example"); w.Code != http.StatusForbidden {
		t.Errorf("pprof behind a rebound name: %d", w.Code)
	}
}

func TestRequestBodies(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for body, want := range map[string]int{
		`{"all":true}`:               200,
		`{"all":true,"colour":1}`:    400, // a filter with a typo must not run
		`{"all":true} {}`:            400,
		`{"all":`:                    400,
		`[]`:                         400,
		``:                           400, // filter_required
		`{"status":"nope"}`:          400,
		`{"all":true,"limit":10001}`: 400,
		`{"all":true,"limit":-1}`:    400,
		`{"to":"github/log-1"}`:      400,
		`{"all":true,"to":"nope/x"}`: 404,
		`{"since":"2026-01-02T00:00:00Z","until":"2026-01-01T00:00:00Z"}`: 400,
		`{"all":true,"hook":"` + strings.Repeat("x", 1<<20) + `"}`:        413,
	} {
		if w := b.do("POST", "/api/v1/replay", body, "Content-Type", js); w.Code != want {
			t.Errorf("%.60s: %d, want %d: %s", body, w.Code, want, w.Body)
		}
	}
}

func TestListParameters(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for query, want := range map[string]int{
		"":                               200,
		"?limit=1&hook=github&type=push": 200,
		"?since=2026-01-01T00:00:00Z":    200,
		"?since=yesterday":               400,
		"?limit=0":                       400,
		"?limit=1001":                    400,
		"?limit=x":                       400,
		"?status=nope":                   400,
		"?hok=github":                    400,
		"?hook=a&hook=b":                 400,
		"?cursor=nope":                   400,
		"?hook=%zz":                      400,
		"?since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z": 400,
	} {
		for _, path := range []string{"/api/v1/events", "/api/v1/dead"} {
			if w := b.do("GET", path+query, ""); w.Code != want {
				t.Errorf("%s%s: %d, want %d: %s", path, query, w.Code, want, w.Body)
			}
		}
	}
}
