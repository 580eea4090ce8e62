package edge_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/server/edge"
	"github.com/hookd/hookd/server/ingest"
	"github.com/hookd/hookd/server/ingest/limit"
)

// gate answers every request with the same.
type gate struct {
	got  ingest.Accepted
	err  error
	seen *ingest.Request
	body string
}

func (g *gate) Accept(_ context.Context, r *ingest.Request) (ingest.Accepted, error) {
	copied := *r
	g.seen = &copied
	b, err := io.ReadAll(r.Body)
	g.body = string(b)
	if err != nil {
		return ingest.Accepted{}, err
	}
	return g.got, g.err
}

var anID = event.ID{1, 2, 3, 4, 5, 6, 0x70, 8, 0x80, 10, 11, 12, 13, 14, 15, 16}

func ask(t testing.TB, o edge.Options, r *http.Request) *http.Response {
	t.Helper()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	w := httptest.NewRecorder()
	edge.NewHandler(o).ServeHTTP(w, r)
	res := w.Result()
	res.Request = r
	return res
}

func request(method, target string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader("{}"))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func text(t testing.TB, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(b))
	return string(b)
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	const id = "01020304-0506-7008-800a-0b0c0d0e0f10"
	hook := func(r ingest.Reply) *ingest.Hook { return &ingest.Hook{ID: "a", Reply: r} }
	for name, c := range map[string]struct {
		got    ingest.Accepted
		status int
		ctype  string
		body   string
	}{
		"accepted":       {ingest.Accepted{ID: anID, Hook: hook(ingest.Reply{})}, 200, "application/json", `{"message":"200 OK","id":"` + id + `"}`},
		"duplicate":      {ingest.Accepted{ID: anID, Duplicate: true, Hook: hook(ingest.Reply{})}, 200, "application/json", `{"message":"200 OK","id":"` + id + `","duplicate":true}`},
		"own status":     {ingest.Accepted{ID: anID, Hook: hook(ingest.Reply{Status: 202})}, 202, "application/json", `{"message":"202 Accepted","id":"` + id + `"}`},
		"own text":       {ingest.Accepted{ID: anID, Hook: hook(ingest.Reply{Body: "[accepted]x"})}, 200, "application/json", "[accepted]x"},
		"own plain text": {ingest.Accepted{ID: anID, Hook: hook(ingest.Reply{Body: "ok", Header: map[string]string{"x-y": "z", "Content-Length": "9"}})}, 200, "text/plain; charset=utf-8", "ok"},
		"own type":       {ingest.Accepted{ID: anID, Hook: hook(ingest.Reply{Body: "<Response/>", Header: map[string]string{"Content-Type": "text/xml"}})}, 200, "text/xml", "<Response/>"},
		"no content":     {ingest.Accepted{ID: anID, Hook: hook(ingest.Reply{Status: 204})}, 204, "application/json", ""},
		"delivered":      {ingest.Accepted{ID: anID, Outcome: &ingest.Outcome{Delivered: 1}, Hook: hook(ingest.Reply{Delivered: true})}, 200, "application/json", `{"message":"200 OK","id":"` + id + `","status":"delivered"}`},
		"not yet":        {ingest.Accepted{ID: anID, Hook: hook(ingest.Reply{Delivered: true})}, 202, "application/json", `{"message":"202 Accepted","id":"` + id + `","status":"accepted"}`},
		"dead":           {ingest.Accepted{ID: anID, Outcome: &ingest.Outcome{Delivered: 1, Dead: 1}, Hook: hook(ingest.Reply{Delivered: true})}, 502, "application/problem+json", ""},
		"delivered, own": {ingest.Accepted{ID: anID, Outcome: &ingest.Outcome{Delivered: 1}, Hook: hook(ingest.Reply{Delivered: true, Body: "done"})}, 200, "text/plain; charset=utf-8", "done"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := ask(t, edge.Options{Gate: &gate{got: c.got}}, request("POST", "/webhook/a"))
			checkAnswer(t, r)
			body := text(t, r)
			if r.StatusCode != c.status || r.Header.Get("Content-Type") != c.ctype || c.body != "" && body != c.body {
				t.Errorf("%d %s %q, want %d %s %q", r.StatusCode, r.Header.Get("Content-Type"), body, c.status, c.ctype, c.body)
			}
			if r.Header.Get("Hookd-Event-Id") != id || r.Header.Get("X-Request-Id") == "" {
				t.Errorf("headers %v", r.Header)
			}
			if n := r.Header.Get("Content-Length"); n == "9" {
				t.Error("the configuration set Content-Length")
			}
			if strings.HasPrefix(body, "{") && !json.Valid([]byte(body)) {
				t.Errorf("%q is no JSON", body)
			}
		})
	}
}

func TestHandshakeAnswer(t *testing.T) {
	t.Parallel()
	r := ask(t, edge.Options{Gate: &gate{got: ingest.Accepted{Answer: &auth.Answer{
		Body: []byte("<script>"), Header: map[string]string{"Content-Type": "text/html", "X-Hook-Secret": "s"},
	}}}}, request("GET", "/webhook/a"))
	if r.StatusCode != 200 || r.Header.Get("Content-Type") != "text/plain; charset=utf-8" || text(t, r) != "<script>" || r.Header.Get("X-Hook-Secret") != "s" {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
	checkAnswer(t, r)
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err    error
		status int
		header map[string]string
		body   string
	}{
		{&ingest.Refusal{Status: 401, Code: "unauthorized", Public: "Unauthorized", Challenge: `Basic realm="x"`}, 401, map[string]string{"WWW-Authenticate": `Basic realm="x"`}, `"detail":"Unauthorized"`},
		{&ingest.Refusal{Status: 429, Code: "rate_limited", Public: "slow", RetryAfter: 1500 * time.Millisecond}, 429, map[string]string{"Retry-After": "2"}, `"code":"rate_limited"`},
		{&ingest.Refusal{Status: 422, Code: "schema_violated", Public: "no", Violations: []ingest.Violation{{Pointer: "/a", Detail: "b"}}}, 422, nil, `"errors":[{"pointer":"/a","detail":"b"}]`},
		{&ingest.Refusal{Status: 415, Code: "unsupported_encoding", Public: "no"}, 415, map[string]string{"Accept-Encoding": "gzip, deflate"}, ""},
		{&ingest.Refusal{Status: 405, Code: "method_not_allowed", Public: "Method Not Allowed"}, 405, map[string]string{"Allow": "POST"}, ""},
		{&ingest.Refusal{Status: 413, Code: "body_too_large", Public: "no"}, 413, map[string]string{"Connection": "close"}, ""},
		{errors.New("secret"), 500, nil, `"code":"internal"`},
		{&ingest.Refusal{Status: 503, Code: "queue_full", Public: "full", Err: errors.New("secret"), Reason: "secret"}, 503, nil, ""},
	} {
		r := ask(t, edge.Options{Gate: &gate{err: c.err}}, request("POST", "/webhook/a"))
		checkAnswer(t, r)
		// checkAnswer has read the body.
		r = ask(t, edge.Options{Gate: &gate{err: c.err}}, request("POST", "/webhook/a"))
		body := text(t, r)
		if r.StatusCode != c.status || !strings.Contains(body, c.body) || strings.Contains(body, "secret") {
			t.Errorf("%v: %d %s", c.err, r.StatusCode, body)
		}
		for k, v := range c.header {
			if r.Header.Get(k) != v {
				t.Errorf("%v: %s is %q, want %q", c.err, k, r.Header.Get(k), v)
			}
		}
	}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	o := edge.Options{
		Gate: &gate{err: &ingest.Refusal{Status: 405, Code: "method_not_allowed", Public: "Method Not Allowed"}},
		Mount: []edge.Route{{Method: "GET", Path: "/docs", Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Security-Policy", "own")
		})}},
	}
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/", 200, ""},
		{"HEAD", "/", 200, ""},
		{"GET", "/health", 200, ""},
		{"GET", "/healthz", 200, ""},
		{"GET", "/readyz", 200, ""},
		{"POST", "/health", 405, "GET, HEAD"},
		{"GET", "/docs", 200, ""},
		{"GET", "/redoc", 404, ""},
		{"GET", "/stats", 404, ""},
		{"GET", "/webhook/a", 405, "POST"},
		{"PUT", "/webhook/a", 405, "POST"},
		{"DELETE", "/webhook/n/a", 405, "POST"},
		{"BREW", "/webhook/a", 405, "POST"},
		{"OPTIONS", "/webhook/a", 405, "POST"},
		{"HEAD", "/webhook/a", 405, "POST"},
		{"POST", "/webhook", 404, ""},
		{"POST", "/webhook/", 404, ""},
		{"POST", "/webhook/a/b/c", 404, ""},
		{"POST", "/webhooks/a", 404, ""},
		{"GET", "/health/", 404, ""},
		{"GET", "/HEALTH", 404, ""},
		{"GET", "/debug/pprof/", 404, ""},
		{"GET", "/nothing", 404, ""},
	} {
		r := ask(t, o, request(c.method, c.path))
		if r.StatusCode != c.status || r.Header.Get("Allow") != c.allow {
			t.Errorf("%s %s: %d, Allow %q; want %d %q", c.method, c.path, r.StatusCode, r.Header.Get("Allow"), c.status, c.allow)
		}
		if c.path != "/docs" {
			checkAnswer(t, r)
		} else if got := r.Header.Get("Content-Security-Policy"); got != "own" {
			t.Errorf("the mounted route's policy became %q", got)
		}
	}
}

// What the gate is asked is the request, freed of gin.
func TestRequestIsPassedOn(t *testing.T) {
	t.Parallel()
	g := &gate{err: errors.New("x")}
	r := request("POST", "/webhook/team/a%2Db?x=%20y", "X-A", "b")
	r.RemoteAddr = "[::ffff:192.0.2.9]:1234"
	ask(t, edge.Options{Gate: g}, r)
	q := g.seen
	if q.Namespace != "team" || q.Hook != "a-b" || q.URL.RawQuery != "x=%20y" || q.Host != "example.com" || q.Header.Get("X-A") != "b" ||
		q.Peer != netip.MustParseAddr("192.0.2.9") || q.Length != 2 || g.body != "{}" || q.ID == "" || q.Received.IsZero() || q.Method != "POST" {
		t.Errorf("the gate was asked %+v", q)
	}
	ask(t, edge.Options{Gate: g}, request("POST", "/webhook/a%2fb"))
	if g.seen.Hook != "a/b" || g.seen.Namespace != "" {
		t.Errorf("an encoded slash became hook %q of %q", g.seen.Hook, g.seen.Namespace)
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 250_000_000)
	o := edge.Options{Gate: &gate{}, Now: func() time.Time { return now }}
	if got, want := text(t, ask(t, o, request("GET", "/health"))), `{"status":"healthy","service":"webhook-service","timestamp":1700000000.25,"components":{}}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	o.Health = func(context.Context) edge.Health {
		return edge.Health{Unhealthy: true, Components: map[string]string{"queue": "read-only"}}
	}
	o.Ready = func(context.Context) error { return errors.New("a secret reason") }
	if r := ask(t, o, request("GET", "/health")); r.StatusCode != 503 || !strings.Contains(text(t, r), `"status":"unhealthy"`) {
		t.Errorf("%d %s", r.StatusCode, text(t, r))
	}
	if r := ask(t, o, request("GET", "/readyz")); r.StatusCode != 503 || strings.Contains(text(t, r), "secret") {
		t.Errorf("%d %s", r.StatusCode, text(t, r))
	}
	if r := ask(t, o, request("GET", "/healthz")); r.StatusCode != 200 {
		t.Errorf("liveness depends on readiness: %d", r.StatusCode)
	}
}

func TestRootIsLimited(t *testing.T) {
	t.Parallel()
	o := edge.Options{
		Gate:           &gate{},
		RootLimit:      limit.New(limit.Rule{Max: 1, Window: time.Minute, PerClient: true}),
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
	}
	from := func(peer, forwarded string) int {
		r := request("GET", "/")
		r.RemoteAddr = peer + ":1"
		if forwarded != "" {
			r.Header.Set("X-Forwarded-For", forwarded)
		}
		return ask(t, o, r).StatusCode
	}
	for i, c := range []struct {
		peer, forwarded string
		status          int
	}{
		{"192.0.2.1", "", 200},
		{"192.0.2.1", "", 429},
		{"192.0.2.1", "198.51.100.7", 429},
		{"192.0.2.2", "", 200},
		{"10.0.0.1", "203.0.113.1", 200},
		{"10.0.0.1", "203.0.113.2", 200},
		{"10.0.0.1", "203.0.113.9, 203.0.113.2", 429},
		{"10.0.0.1", "203.0.113.2, 10.0.0.2", 429},
		{"10.0.0.1", "junk", 200},
		{"10.0.0.1", "", 429},
	} {
		if got := from(c.peer, c.forwarded); got != c.status {
			t.Errorf("%d: %d, want %d", i, got, c.status)
		}
	}
}

func TestDraining(t *testing.T) {
	t.Parallel()
	o := edge.Options{Gate: &gate{got: ingest.Accepted{Hook: &ingest.Hook{}}}, Draining: func() bool { return true }}
	r := ask(t, o, request("POST", "/webhook/a"))
	if r.StatusCode != 503 || r.Header.Get("Retry-After") == "" || r.Header.Get("Connection") != "close" {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
	checkAnswer(t, r)
	if r := ask(t, o, request("GET", "/readyz")); r.StatusCode != 503 {
		t.Errorf("ready while draining: %d", r.StatusCode)
	}
}

type panicking struct{}

func (panicking) Accept(context.Context, *ingest.Request) (ingest.Accepted, error) {
	var nobody *ingest.Hook
	return ingest.Accepted{}, errors.New(nobody.ID)
}

func TestPanic(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	o := edge.Options{Gate: panicking{}, Log: slog.New(slog.NewTextHandler(&log, nil))}
	r := ask(t, o, request("POST", "/webhook/a"))
	body := text(t, r)
	checkAnswer(t, r)
	if r.StatusCode != 500 || strings.Contains(body, "nil pointer") || strings.Contains(body, ".go") {
		t.Errorf("%d %s", r.StatusCode, body)
	}
	if !strings.Contains(log.String(), "nil pointer") || !strings.Contains(log.String(), "edge_test.go") || !strings.Contains(log.String(), r.Header.Get("X-Request-Id")) {
		t.Errorf("log: %s", log.String())
	}
	o.Mount = []edge.Route{{Method: "GET", Path: "/x", Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		panic("late")
	})}}
	defer func() {
		p := recover()
		if err, ok := p.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
			t.Errorf("after half an answer the connection is not aborted: %v", p)
		}
	}()
	ask(t, o, request("GET", "/x"))
}

func TestRequestIDsAreUnique(t *testing.T) {
	t.Parallel()
	h := edge.NewHandler(edge.Options{Gate: &gate{}, Log: slog.New(slog.DiscardHandler)})
	seen := map[string]bool{}
	for range 1000 {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, request("GET", "/healthz", "X-Request-Id", "chosen by the caller"))
		id := w.Header().Get("X-Request-Id")
		if seen[id] || len(id) != 17 {
			t.Fatalf("request id %q", id)
		}
		seen[id] = true
	}
}

// A whole request through the real gate.
func TestThroughGate(t *testing.T) {
	t.Parallel()
	q := &memory{}
	o := edge.Options{Gate: &ingest.Gate{Hooks: hooks{"a": {ID: "a", Auth: auth.NewChain()}}, Queue: q}}
	r := ask(t, o, request("POST", "/webhook/a", "X-A", "b", "Authorization", "secret"))
	evs := q.stored()
	if r.StatusCode != 200 || len(evs) != 1 {
		t.Fatalf("%d %s, %d events", r.StatusCode, text(t, r), len(evs))
	}
	if got := r.Header.Get("Hookd-Event-Id"); got != evs[0].ID.String() || string(evs[0].Body) != "{}" || evs[0].Header.Get("X-A") != "b" || evs[0].Header.Get("Authorization") != "" {
		t.Errorf("stored %+v", evs[0])
	}
}
