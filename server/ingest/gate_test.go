package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/internal/record"
	"github.com/hookd/hookd/server/ingest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	start  = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	sender = netip.MustParseAddr("192.0.2.7")
)

// rig is a gate with one hook, "github", and all that it touches.
type rig struct {
	gate     *ingest.Gate
	hook     *ingest.Hook
	released int

	mu    sync.Mutex
	items []queue.Item
	facts []record.Fact
	err   error // of Put
	ids   event.IDs
}

func newRig(proofs ...auth.Verifier) *rig {
	r := &rig{hook: &ingest.Hook{ID: "github", Lanes: []string{"github/log-1"}, Auth: auth.NewChain(proofs...)}}
	r.gate = &ingest.Gate{Hooks: r, Queue: r, Recorder: r, Now: func() time.Time { return start.Add(time.Millisecond) }}
	return r
}

func (r *rig) Hook(id string) (*ingest.Hook, func(), bool) {
	if id != "github" {
		return nil, nil, false
	}
	return r.hook, func() { r.mu.Lock(); r.released++; r.mu.Unlock() }, true
}

func (r *rig) Put(_ context.Context, it queue.Item) (queue.Put, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return queue.Put{}, r.err
	}
	for _, old := range r.items {
		if it.DedupeKey != "" && it.DedupeKey == old.DedupeKey {
			return queue.Put{ID: old.Event.ID}, nil
		}
	}
	it.Event.ID = r.ids.Next(it.Event.Received)
	r.items = append(r.items, it)
	return queue.Put{ID: it.Event.ID, Fresh: true}, nil
}

func (r *rig) Tell(f record.Fact) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.facts = append(r.facts, f)
}

// post is a request to the hook, changed by edits.
func post(body string, edits ...func(*ingest.Request)) *ingest.Request {
	req := &ingest.Request{
		ID: "req-1", Method: http.MethodPost, Hook: "github", URL: &url.URL{Path: "/webhook/github"}, Host: "hooks.example.com",
		Header: http.Header{"Content-Type": {"application/json"}}, Peer: sender, Length: int64(len(body)),
		Body: strings.NewReader(body), Received: start,
	}
	for _, e := range edits {
		e(req)
	}
	return req
}

func header(name, value string) func(*ingest.Request) {
	return func(r *ingest.Request) { r.Header.Add(name, value) }
}

func (r *rig) accept(t *testing.T, req *ingest.Request) ingest.Accepted {
	t.Helper()
	got, err := r.gate.Accept(context.Background(), req)
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	return got
}

func (r *rig) refuse(t *testing.T, req *ingest.Request, status int, code string) *ingest.Refusal {
	t.Helper()
	_, err := r.gate.Accept(context.Background(), req)
	var ref *ingest.Refusal
	if !errors.As(err, &ref) {
		t.Fatalf("got %v, want %d %s", err, status, code)
	}
	if ref.Status != status || ref.Code != code {
		t.Errorf("got %d %s (%v), want %d %s", ref.Status, ref.Code, ref.Err, status, code)
	}
	return ref
}

// proof is a Verifier made of a function.
type proof struct {
	cost   auth.Cost
	verify func(*auth.Request) error
	marks  auth.Marks
}

func (p *proof) Cost() auth.Cost { return p.cost }
func (p *proof) Verify(_ context.Context, r *auth.Request) (auth.Identity, error) {
	if p.verify != nil {
		if err := p.verify(r); err != nil {
			return auth.Identity{}, err
		}
	}
	return auth.Identity{Method: "test", Subject: "test:0"}, nil
}
func (p *proof) Mark(*auth.Request) auth.Marks { return p.marks }
func (p *proof) CredentialHeaders() []string   { return []string{"X-Own"} }
func (p *proof) CredentialParams() []string    { return []string{"own"} }

func TestAccept(t *testing.T) {
	t.Parallel()
	r := newRig(&proof{cost: auth.CostBody, marks: auth.Marks{Type: "push"}})
	r.hook.Client = func(netip.Addr, http.Header) (netip.Addr, error) { return netip.MustParseAddr("198.51.100.1"), nil }
	got := r.accept(t, post(`{"a":1}`, func(q *ingest.Request) { q.URL.RawQuery = "x=1" }))
	if got.Duplicate || got.Hook != r.hook || got.ID.IsZero() {
		t.Errorf("accepted %+v", got)
	}
	it := r.items[0]
	ev := it.Event
	if ev.ID != got.ID || ev.Hook != "github" || ev.Type != "push" || !ev.Received.Equal(start) || ev.Subject != "test:0" ||
		ev.Remote != netip.MustParseAddr("198.51.100.1") || ev.Query != "x=1" || string(ev.Body) != `{"a":1}` ||
		ev.Header.Get("Content-Type") != "application/json" {
		t.Errorf("stored %+v", ev)
	}
	if len(it.Lanes) != 1 || it.Lanes[0] != "github/log-1" || it.DedupeKey != "" {
		t.Errorf("item %+v", it)
	}
	want := record.Fact{
		Time: start, Kind: record.Accepted, Hook: "github", Event: got.ID, Type: "push", Status: 200, Bytes: 7,
		Duration: time.Millisecond, Remote: ev.Remote, Request: "req-1",
	}
	if len(r.facts) != 1 || r.facts[0] != want {
		t.Errorf("told %+v, want %+v", r.facts, want)
	}
	if r.released != 1 {
		t.Errorf("the hook was released %d times", r.released)
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	r := newRig()
	for _, c := range []struct {
		id     string
		status int
		code   string
	}{
		{"unknown", 404, "unknown_hook"},
		{"GitHub", 404, "unknown_hook"},
		{strings.Repeat("a", 64), 404, "unknown_hook"},
		{"mystats", 404, "unknown_hook"},
		{"adminuser", 404, "unknown_hook"},
		{"a-b_c", 404, "unknown_hook"},
		{"0", 404, "unknown_hook"},
		{strings.Repeat("a", 65), 400, "bad_hook_id"},
		{"", 400, "bad_hook_id"},
		{"stats", 400, "bad_hook_id"},
		{"STATS", 400, "bad_hook_id"},
		{"health", 400, "bad_hook_id"},
		{"openapi.json", 400, "bad_hook_id"},
		{"_a", 400, "bad_hook_id"},
		{"-a", 400, "bad_hook_id"},
		{"admin_x", 400, "bad_hook_id"},
		{"Admin_x", 400, "bad_hook_id"},
		{"x_admin", 400, "bad_hook_id"},
		{"system_x", 400, "bad_hook_id"},
		{"x_internal", 400, "bad_hook_id"},
		{"a--b", 400, "bad_hook_id"},
		{"a__b", 400, "bad_hook_id"},
		{"a b", 400, "bad_hook_id"},
		{"a$", 400, "bad_hook_id"},
		{"a/b", 400, "bad_hook_id"},
		{"..", 400, "bad_hook_id"},
		{"a.b", 400, "bad_hook_id"},
		{"a\x00", 400, "bad_hook_id"},
		{"é", 400, "bad_hook_id"},
		{"github ", 400, "bad_hook_id"},
	} {
		t.Run(fmt.Sprintf("%.20q", c.id), func(t *testing.T) {
			ref := r.refuse(t, post("{}", func(q *ingest.Request) { q.Hook = c.id }), c.status, c.code)
			if ref.Public == "" || strings.Contains(ref.Public, "\x00") {
				t.Errorf("public text %q", ref.Public)
			}
		})
	}
	for ns, ok := range map[string]bool{"": true, "team-1_A": true, "_": true, "n s": false, "..": false, strings.Repeat("n", 65): false, "a.b": false} {
		req := post("{}", func(q *ingest.Request) { q.Namespace = ns })
		if ok {
			r.accept(t, req)
		} else {
			r.refuse(t, req, 400, "bad_namespace")
		}
	}
	for _, f := range r.facts {
		if f.Kind == record.Refused && f.Hook != "" {
			t.Errorf("a hook that is none was recorded as %q", f.Hook)
		}
	}
}

// unread fails the test when the body is read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

func TestOrderOfChecks(t *testing.T) {
	t.Parallel()
	var calls []string
	note := func(name string, err error) func(*auth.Request) error {
		return func(*auth.Request) error { calls = append(calls, name); return err }
	}
	address := &auth.Denial{Method: "ip", Code: auth.CodeAddress, Forbidden: true}
	r := newRig(&proof{cost: auth.CostAddress, verify: note("early", address)}, &proof{cost: auth.CostBody, verify: note("verify", nil)})
	big := func(q *ingest.Request) { q.Length, q.Body = ingest.DefaultMaxBody+1, unread{t} }
	r.refuse(t, post("", big), 403, "forbidden")

	r = newRig(&proof{cost: auth.CostBody, verify: note("verify", nil)})
	calls = nil
	r.refuse(t, post("", big), 413, "body_too_large")
	if calls != nil {
		t.Errorf("a body that is too large cost %v", calls)
	}

	r.hook.Body.Max = 4
	r.accept(t, post("1234"))
	calls = nil
	r.refuse(t, post("12345", func(q *ingest.Request) { q.Length = -1 }), 413, "body_too_large")
	if calls != nil {
		t.Errorf("a streamed body that is too large cost %v", calls)
	}

	// The sender must prove itself before it can use up the limit, and before
	// anything is said about its body.
	r = newRig(&proof{cost: auth.CostBody, verify: func(q *auth.Request) error {
		if q.Header.Get("X-Own") == "" {
			return auth.Deny("test", auth.CodeMissing)
		}
		return nil
	}})
	limiter := &counter{left: 1}
	r.hook.Limit = limiter
	r.hook.Body.Check = func(context.Context, string, []byte) error {
		return &ingest.Refusal{Status: 400, Code: "malformed_json", Public: "no"}
	}
	for range 5 {
		r.refuse(t, post("{"), 401, "unauthorized")
	}
	r.refuse(t, post("{", header("X-Own", "1")), 400, "malformed_json")
	ref := r.refuse(t, post("{", header("X-Own", "1")), 429, "rate_limited")
	if ref.RetryAfter != 90*time.Second {
		t.Errorf("Retry-After %v", ref.RetryAfter)
	}
	if len(r.items) != 0 {
		t.Errorf("%d refused requests were stored", len(r.items))
	}
}

type counter struct{ left int }

func (c *counter) Allow(netip.Addr, time.Time) (time.Duration, bool) {
	c.left--
	return 90 * time.Second, c.left >= 0
}

func TestDenials(t *testing.T) {
	t.Parallel()
	cause := errors.New("a cause that only the log may know")
	seen := map[int]string{}
	for _, c := range []struct {
		err    error
		status int
		code   string
	}{
		{&auth.Denial{Method: "hmac", Code: auth.CodeMissing, Err: cause, Challenge: `Basic realm="hookd"`}, 401, "unauthorized"},
		{&auth.Denial{Method: "hmac", Code: auth.CodeMismatch, Err: cause}, 401, "unauthorized"},
		{&auth.Denial{Method: "jwt", Code: auth.CodeTimestampTooOld, Err: cause}, 401, "unauthorized"},
		{cause, 401, "unauthorized"},
		{&auth.Denial{Method: "oauth2", Code: "scope_missing", Forbidden: true, Err: cause}, 403, "forbidden"},
		{&auth.Denial{Method: "oauth2", Code: "unreachable", Unavailable: true, Err: cause}, 503, "auth_unavailable"},
	} {
		var log bytes.Buffer
		r := newRig(&proof{cost: auth.CostBody, verify: func(*auth.Request) error { return c.err }})
		r.gate.Log = slog.New(slog.NewTextHandler(&log, nil))
		ref := r.refuse(t, post("{}"), c.status, c.code)
		if want := seen[c.status]; want != "" && ref.Public != want {
			t.Errorf("%v: says %q, and %q for another reason", c.err, ref.Public, want)
		}
		seen[c.status] = ref.Public
		if strings.Contains(ref.Public, cause.Error()) || !strings.Contains(log.String(), cause.Error()) {
			t.Errorf("%v: public %q, log %q", c.err, ref.Public, log.String())
		}
		if c.status == 503 && ref.RetryAfter == 0 {
			t.Error("503 without Retry-After")
		}
		var d *auth.Denial
		if errors.As(c.err, &d) && ref.Challenge != d.Challenge {
			t.Errorf("challenge %q", ref.Challenge)
		}
		if f := r.facts[0]; f.Kind != record.Refused || f.Status != c.status || f.Hook != "github" || !strings.Contains(f.Code, ":") {
			t.Errorf("told %+v", f)
		}
	}
}

func TestClientAddress(t *testing.T) {
	t.Parallel()
	r := newRig()
	r.hook.Client = func(netip.Addr, http.Header) (netip.Addr, error) {
		return netip.Addr{}, errors.New("junk in X-Forwarded-For")
	}
	r.refuse(t, post("", func(q *ingest.Request) { q.Body = unread{t} }), 403, "forbidden")
}

func TestQueueErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		code string
	}{
		{queue.ErrFull, "queue_full"},
		{fmt.Errorf("disk: %w", queue.ErrReadOnly), "storage_unavailable"},
		{queue.ErrClosed, "draining"},
		{context.Canceled, "canceled"},
		{errors.New("anything"), "storage_unavailable"},
	} {
		r := newRig()
		r.err = c.err
		if ref := r.refuse(t, post("{}"), 503, c.code); ref.RetryAfter < time.Second {
			t.Errorf("%v: Retry-After %v", c.err, ref.RetryAfter)
		}
	}
}

func TestReadErrors(t *testing.T) {
	t.Parallel()
	r := newRig()
	body := func(err error) func(*ingest.Request) {
		return func(q *ingest.Request) { q.Body = io.MultiReader(strings.NewReader("{"), failing{err}) }
	}
	r.refuse(t, post("", body(io.ErrUnexpectedEOF)), 400, "unreadable_body")
	r.refuse(t, post("", body(fmt.Errorf("read: %w", os.ErrDeadlineExceeded))), 408, "body_timeout")
	r.refuse(t, post("", body(&http.MaxBytesError{})), 413, "body_too_large")
	if len(r.items) != 0 {
		t.Error("half a body was stored")
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestDuplicates(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	keyed := func(k string, err error) func(context.Context, *auth.Request, []byte) (string, error) {
		return func(context.Context, *auth.Request, []byte) (string, error) { return k, err }
	}
	for name, c := range map[string]struct {
		a, b  auth.Marks
		body  string // of the second
		d     ingest.Dedupe
		again bool
	}{
		"covered id":                  {a: auth.Marks{DeliveryID: "1", Covered: true, Window: day}, body: "other", again: true},
		"covered, other id":           {a: auth.Marks{DeliveryID: "1", Covered: true, Window: day}, b: auth.Marks{DeliveryID: "2", Covered: true, Window: day}},
		"uncovered id, same body":     {a: auth.Marks{DeliveryID: "1", Window: day}, again: true},
		"uncovered id, other body":    {a: auth.Marks{DeliveryID: "1", Window: day}, body: "other"},
		"no id":                       {a: auth.Marks{Window: day}},
		"no window":                   {a: auth.Marks{DeliveryID: "1", Covered: true}},
		"the hook's window":           {a: auth.Marks{DeliveryID: "1", Covered: true}, d: ingest.Dedupe{Window: day}, again: true},
		"the hook's key":              {d: ingest.Dedupe{Window: day, Key: keyed("k", nil)}, body: "other", again: true},
		"the hook's key is empty":     {a: auth.Marks{DeliveryID: "1", Covered: true}, d: ingest.Dedupe{Window: day, Key: keyed("", nil)}},
		"the hook's key fails":        {d: ingest.Dedupe{Window: day, Key: keyed("k", errors.New("jq"))}},
		"a very long id":              {a: auth.Marks{DeliveryID: strings.Repeat("x", 1<<20), Covered: true, Window: day}, again: true},
		"covered against uncovered":   {a: auth.Marks{DeliveryID: "1", Covered: true, Window: day}, b: auth.Marks{DeliveryID: "1", Window: day}},
		"a key like another's digest": {a: auth.Marks{DeliveryID: "1", Window: day}, b: auth.Marks{DeliveryID: "b1", Covered: true, Window: day}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.b == (auth.Marks{}) {
				c.b = c.a
			}
			if c.body == "" {
				c.body = "body"
			}
			r := newRig(&proof{cost: auth.CostBody, marks: c.a})
			r.hook.Dedupe = c.d
			one := r.accept(t, post("body"))
			r.hook.Auth = auth.NewChain(&proof{cost: auth.CostBody, marks: c.b})
			two := r.accept(t, post(c.body))
			if two.Duplicate != c.again || c.again && one.ID != two.ID {
				t.Errorf("duplicate %v, want %v", two.Duplicate, c.again)
			}
			if k := r.items[0].DedupeKey; k != "" && (!strings.HasPrefix(k, "github\x00") || len(k) > 256) {
				t.Errorf("key %.80q of %d bytes", k, len(k))
			}
			if kind := r.facts[1].Kind; (kind == record.Duplicate) != c.again {
				t.Errorf("told kind %d", kind)
			}
		})
	}
}

// handshake answers requests with a challenge parameter.
type handshake struct{ verified bool }

func (h handshake) Answer(_ context.Context, r *auth.Request, verified bool) *auth.Answer {
	c := r.URL.Query().Get("challenge")
	if c == "" || verified != h.verified {
		return nil
	}
	return &auth.Answer{Body: []byte(c)}
}

func TestHandshake(t *testing.T) {
	t.Parallel()
	ask := func(method string) *ingest.Request {
		return post("", func(q *ingest.Request) { q.Method, q.URL = method, &url.URL{RawQuery: "challenge=42"} })
	}
	closed := &proof{cost: auth.CostBody, verify: func(*auth.Request) error { return auth.Deny("test", auth.CodeMissing) }}
	r := newRig(closed)
	r.refuse(t, ask("GET"), 405, "method_not_allowed")

	r.hook.Handshake = handshake{verified: false}
	for _, method := range []string{"GET", "POST", "OPTIONS"} {
		got := r.accept(t, ask(method))
		if got.Answer == nil || string(got.Answer.Body) != "42" || !got.ID.IsZero() {
			t.Errorf("%s: %+v", method, got)
		}
	}
	r.refuse(t, post("", func(q *ingest.Request) { q.Method = "GET" }), 401, "unauthorized")
	r.refuse(t, post("{}"), 401, "unauthorized")

	r.hook.Handshake = handshake{verified: true}
	r.refuse(t, ask("GET"), 401, "unauthorized")
	r.hook.Auth = auth.NewChain()
	if got := r.accept(t, ask("GET")); got.Answer == nil {
		t.Error("a handshake that proved itself got no answer")
	}
	r.refuse(t, post("", func(q *ingest.Request) { q.Method = "PUT" }), 405, "method_not_allowed")
	if len(r.items) != 0 {
		t.Error("a handshake was stored")
	}
}

// dissent refuses every handshake.
type dissent struct{ answer auth.Answer }

func (d dissent) Answer(context.Context, *auth.Request, bool) *auth.Answer { return &d.answer }

func TestHandshakeRefused(t *testing.T) {
	t.Parallel()
	for status, public := range map[int]string{403: "Forbidden", 409: "Conflict", 503: "Service Unavailable"} {
		var log strings.Builder
		r := newRig()
		r.gate.Log = slog.New(slog.NewTextHandler(&log, nil))
		r.hook.Handshake = dissent{auth.Answer{
			Status: status, Body: []byte("told to nobody"), Err: &auth.Denial{Method: "meta", Code: auth.CodeMismatch, Err: errors.New("another token")},
		}}
		got := r.refuse(t, post("{}"), status, "handshake_refused")
		if got.Public != public || (got.RetryAfter != 0) != (status == 503) {
			t.Errorf("%d: %+v", status, got)
		}
		if !strings.Contains(log.String(), "meta:credential_mismatch") || !strings.Contains(log.String(), "another token") {
			t.Errorf("log: %s", log.String())
		}
		if len(r.items) != 0 || len(r.facts) != 1 || r.facts[0].Kind != record.Refused || r.facts[0].Status != status || r.facts[0].Code != "meta:credential_mismatch" {
			t.Errorf("%d: facts %+v, items %d", status, r.facts, len(r.items))
		}
	}
}

type waiter struct {
	wait func(context.Context, event.ID) (ingest.Outcome, error)
}

func (w waiter) Wait(ctx context.Context, id event.ID) (ingest.Outcome, error) {
	return w.wait(ctx, id)
}

func TestWaitForDelivery(t *testing.T) {
	t.Parallel()
	r := newRig()
	r.hook.Reply.Delivered = true
	if got := r.accept(t, post("{}")); got.Outcome != nil {
		t.Error("an outcome without a waiter")
	}
	var asked event.ID
	r.gate.Waiter = waiter{func(_ context.Context, id event.ID) (ingest.Outcome, error) {
		asked = id
		return ingest.Outcome{Delivered: 2}, nil
	}}
	got := r.accept(t, post("{}"))
	if got.Outcome == nil || got.Outcome.Delivered != 2 || asked != got.ID {
		t.Errorf("outcome %+v of %v", got.Outcome, asked)
	}
	r.gate.MaxWait = time.Nanosecond
	r.gate.Waiter = waiter{func(ctx context.Context, _ event.ID) (ingest.Outcome, error) {
		<-ctx.Done()
		return ingest.Outcome{}, ctx.Err()
	}}
	if got := r.accept(t, post("{}")); got.Outcome != nil {
		t.Error("an outcome that was not waited for")
	}
}

// A panic in a proof or check must neither keep the hook nor the buffer.
func TestPanicReleases(t *testing.T) {
	t.Parallel()
	r := newRig()
	r.hook.Body.Check = func(context.Context, string, []byte) error { panic("boom") }
	func() {
		defer func() { _ = recover() }()
		_, _ = r.gate.Accept(context.Background(), post("{}"))
	}()
	if r.released != 1 {
		t.Errorf("released %d times", r.released)
	}
}

func TestLogFlood(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	r := newRig()
	now := start
	r.gate.Now = func() time.Time { return now }
	r.gate.Log = slog.New(slog.NewTextHandler(&log, nil))
	for range 10_000 {
		r.refuse(t, post("{}", func(q *ingest.Request) { q.Hook = "nobody" }), 404, "unknown_hook")
	}
	if n := strings.Count(log.String(), "\n"); n > 60 {
		t.Errorf("%d lines for a flood", n)
	}
	now = now.Add(time.Minute)
	log.Reset()
	r.refuse(t, post("{}", func(q *ingest.Request) { q.Hook = "nobody" }), 404, "unknown_hook")
	if !strings.Contains(log.String(), "lines_dropped=99") {
		t.Errorf("the next line does not tell how many were dropped: %q", log.String())
	}
	if len(r.facts) != 10_001 {
		t.Errorf("%d facts were told", len(r.facts))
	}
}
