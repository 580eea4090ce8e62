package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/server/admin"
)

func status(t *testing.T, err error, want int, code string) {
	t.Helper()
	e := (*admin.APIError)(nil)
	if !errors.As(err, &e) || e.Status != want || e.Code != code || e.Detail == "" {
		t.Errorf("error %v, want %d %s", err, want, code)
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	c, ctx := b.client(), t.Context()
	text := b.put("push", `{"a":"<b>"}`, laneNames...)
	bin := b.put("ping", "\xff\x00", "github/log-1")
	big := b.put("push", strings.Repeat("x", 1<<20+1), "github/log-1")
	b.settle("github/log-1", queue.Done, "")

	p, err := c.Events(ctx, admin.Filter{}, "", 2)
	if err != nil || len(p.Events) != 2 || p.Events[0].ID != big || p.Events[1].ID != bin || p.Next == "" {
		t.Fatalf("first page: %+v, %v", p, err)
	}
	p, err = c.Events(ctx, admin.Filter{}, p.Next, 2)
	if err != nil || len(p.Events) != 1 || p.Events[0].ID != text || p.Next != "" {
		t.Fatalf("second page: %+v, %v", p, err)
	}
	ev := p.Events[0]
	if ev.Hook != "github" || ev.Type != "push" || ev.Remote != "192.0.2.7" || ev.Subject != "github" || ev.Size != 11 || ev.Received.IsZero() {
		t.Errorf("event: %+v", ev)
	}
	if len(ev.Deliveries) != 2 || ev.Deliveries[1].Status != "delivered" || ev.Deliveries[1].Attempts != 1 || ev.Deliveries[1].Note != "because" || ev.Deliveries[0].Status != "pending" {
		t.Errorf("deliveries: %+v", ev.Deliveries)
	}
	for name, tc := range map[string]struct {
		f    admin.Filter
		want []event.ID
	}{
		"type":   {admin.Filter{Type: "ping"}, []event.ID{bin}},
		"status": {admin.Filter{Status: "delivered"}, []event.ID{text}},
		"lane":   {admin.Filter{Lane: "github/http_webhook-1"}, []event.ID{text}},
		"hook":   {admin.Filter{Hook: "other"}, nil},
		"since":  {admin.Filter{Since: time.Now().Add(time.Hour)}, nil},
		"until":  {admin.Filter{Until: time.Now().Add(time.Hour)}, []event.ID{big, bin, text}},
	} {
		p, err := c.Events(ctx, tc.f, "", 0)
		var got []event.ID
		for _, e := range p.Events {
			got = append(got, e.ID)
		}
		if err != nil || !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v: %v", name, got, tc.want, err)
		}
	}

	d, err := c.Event(ctx, text)
	if err != nil || d.Body != `{"a":"<b>"}` || d.BodyEncoding != "text" || d.Query != "a=b" || d.Headers.Get("X-Github-Event") != "push" {
		t.Errorf("event: %+v, %v", d, err)
	}
	if d, err = c.Event(ctx, bin); err != nil || d.Body != "/wA=" || d.BodyEncoding != "base64" {
		t.Errorf("binary event: %+v, %v", d, err)
	}
	if d, err = c.Event(ctx, big); err != nil || d.Body != "" || !d.BodyOmitted || d.Size != 1<<20+1 {
		t.Errorf("big event: %d bytes, omitted %v, %v", len(d.Body), d.BodyOmitted, err)
	}
	if raw, err := c.EventBody(ctx, bin); err != nil || string(raw) != "\xff\x00" {
		t.Errorf("body: %q, %v", raw, err)
	}
	_, err = c.Event(ctx, event.ID{1})
	status(t, err, http.StatusNotFound, "not_found")
	_, err = c.EventBody(ctx, event.ID{1})
	status(t, err, http.StatusNotFound, "not_found")
	if w := b.do("GET", "/api/v1/events/nope", ""); w.Code != http.StatusBadRequest {
		t.Errorf("bad id: %d", w.Code)
	}
}

// A body may be a page: it must never be shown as one.
func TestBodyIsADownload(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	id := b.put("push", "<script>alert(1)</script>", "github/log-1")
	w := b.do("GET", "/api/v1/events/"+id.String()+"/body", "")
	h := w.Result().Header
	if h.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") ||
		h.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(h.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("headers: %v", h)
	}
	if w = b.do("GET", "/api/v1/events/"+id.String(), ""); strings.Contains(w.Body.String(), "<script>") {
		t.Errorf("markup is not escaped in %s", w.Body)
	}
}

func TestReplayEvent(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	c, ctx := b.client(), t.Context()
	id := b.put("push", "{}", "github/log-1")
	r, err := c.ReplayEvent(ctx, id, "")
	if err != nil || r.Deliveries != 0 || r.Events != 0 {
		t.Errorf("a pending delivery was replayed: %+v, %v", r, err)
	}
	b.settle("github/log-1", queue.Done, "")
	if r, err = c.ReplayEvent(ctx, id, ""); err != nil || r.Deliveries != 1 || r.Events != 1 {
		t.Errorf("replay: %+v, %v", r, err)
	}
	if r, err = c.ReplayEvent(ctx, id, "github/http_webhook-1"); err != nil || r.Deliveries != 1 {
		t.Errorf("replay to a lane that it never had: %+v, %v", r, err)
	}
	_, err = c.ReplayEvent(ctx, id, "github/nope")
	status(t, err, http.StatusNotFound, "unknown_lane")
	_, err = c.ReplayEvent(ctx, event.ID{1}, "")
	status(t, err, http.StatusNotFound, "not_found")
}

func TestReplayMany(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	c, ctx := b.client(), t.Context()
	for range 5 {
		b.put("push", "{}", laneNames...)
	}
	for i := range 5 {
		b.settle("github/log-1", queue.Done, "")
		if i < 2 {
			b.settle("github/http_webhook-1", queue.Dead, "http_404")
		}
	}
	dry, err := c.Replay(ctx, admin.ReplayRequest{Filter: admin.Filter{Status: "delivered"}, DryRun: true})
	if err != nil || dry.Events != 5 || dry.Deliveries != 5 || !dry.DryRun {
		t.Fatalf("dry run: %+v, %v", dry, err)
	}
	// In pages of two: only what matches the status, never what is still pending.
	var events, calls int
	q := admin.ReplayRequest{Filter: admin.Filter{Status: "delivered"}, Limit: 2}
	for more := true; more; more = q.Cursor != "" {
		r, err := c.Replay(ctx, q)
		if err != nil || r.Events != r.Deliveries {
			t.Fatalf("replay: %+v, %v", r, err)
		}
		events, q.Cursor = events+r.Events, r.Next
		calls++
	}
	if events != 5 || calls != 3 {
		t.Errorf("replayed %d events in %d calls, want 5 in 3", events, calls)
	}
	if depth, _ := b.queue.Depth(ctx); depth["github/log-1"].Ready != 5 || depth["github/http_webhook-1"].Ready != 3 || depth["github/http_webhook-1"].Dead != 2 {
		t.Errorf("depth: %+v", depth)
	}
	// Whole events: dead ones come back, pending ones stay one.
	if r, err := c.Replay(ctx, admin.ReplayRequest{All: true}); err != nil || r.Deliveries != 2 || r.Events != 2 {
		t.Errorf("replay all: %+v, %v", r, err)
	}
	if r, err := c.Replay(ctx, admin.ReplayRequest{All: true, To: "github/log-1", DryRun: true}); err != nil || r.Deliveries != 0 {
		t.Errorf("dry replay to a lane where all is pending: %+v, %v", r, err)
	}
	_, err = c.Replay(ctx, admin.ReplayRequest{})
	status(t, err, http.StatusBadRequest, "filter_required")
}

func TestDeadLetters(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	c, ctx := b.client(), t.Context()
	var ids []event.ID
	for range 4 {
		ids = append(ids, b.put("push", "{}", laneNames...))
		b.settle("github/log-1", queue.Dead, "refused")
		b.settle("github/http_webhook-1", queue.Done, "")
	}
	p, err := c.Dead(ctx, admin.Filter{Lane: "github/log-1"}, "", 3)
	if err != nil || len(p.Events) != 3 || p.Next == "" {
		t.Fatalf("dead: %+v, %v", p, err)
	}
	if ds := p.Events[0].Deliveries; len(ds) != 1 || ds[0].Status != "dead" || ds[0].Code != "refused" {
		t.Errorf("dead deliveries: %+v", ds)
	}
	if p, err = c.Dead(ctx, admin.Filter{}, p.Next, 3); err != nil || len(p.Events) != 1 || p.Next != "" {
		t.Errorf("second page: %+v, %v", p, err)
	}

	if r, err := c.DeadReplay(ctx, ids[0], ""); err != nil || r.Deliveries != 1 {
		t.Errorf("revive one: %+v, %v", r, err)
	}
	_, err = c.DeadReplay(ctx, ids[0], "")
	status(t, err, http.StatusNotFound, "not_dead")
	_, err = c.DeadReplay(ctx, ids[1], "github/http_webhook-1")
	status(t, err, http.StatusNotFound, "not_dead")

	if d, err := c.DeadPurge(ctx, admin.PurgeRequest{IDs: ids[:2], DryRun: true}); err != nil || d.Deliveries != 1 || !d.DryRun {
		t.Errorf("dry purge: %+v, %v", d, err)
	}
	if d, err := c.DeadPurge(ctx, admin.PurgeRequest{IDs: ids[:2]}); err != nil || d.Deliveries != 1 {
		t.Errorf("purge: %+v, %v", d, err)
	}
	if r, err := c.DeadReplayAll(ctx, admin.ReplayRequest{All: true, DryRun: true}); err != nil || r.Deliveries != 2 {
		t.Errorf("dry revival: %+v, %v", r, err)
	}
	if r, err := c.DeadReplayAll(ctx, admin.ReplayRequest{Filter: admin.Filter{Lane: "github/log-1"}}); err != nil || r.Deliveries != 2 || r.Events != 2 {
		t.Errorf("revival: %+v, %v", r, err)
	}
	if d, err := c.DeadPurge(ctx, admin.PurgeRequest{All: true}); err != nil || d.Deliveries != 0 {
		t.Errorf("purge of nothing: %+v, %v", d, err)
	}
	_, err = c.DeadPurge(ctx, admin.PurgeRequest{Filter: admin.Filter{Status: "dead"}})
	status(t, err, http.StatusBadRequest, "filter_required")
	_, err = c.DeadReplayAll(ctx, admin.ReplayRequest{})
	status(t, err, http.StatusBadRequest, "filter_required")
	_, err = c.DeadPurge(ctx, admin.PurgeRequest{IDs: make([]event.ID, 1001)})
	status(t, err, http.StatusBadRequest, "bad_limit")
}

func TestLanes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	c, ctx := b.client(), t.Context()
	b.put("push", "{}", "github/log-1", "gone/kafka-1")
	b.put("push", "{}", "github/log-1")
	b.settle("github/log-1", queue.Later, "timeout")

	if l, err := c.PauseLane(ctx, "github/log-1"); err != nil || !l.Paused || l.Name != "github/log-1" {
		t.Errorf("pause: %+v, %v", l, err)
	}
	ls, err := c.Lanes(ctx)
	if err != nil || len(ls) != 3 {
		t.Fatalf("lanes: %+v, %v", ls, err)
	}
	// The lane that is no longer configured still shows what it holds.
	if l := ls[2]; l.Name != "gone/kafka-1" && ls[0].Name != "gone/kafka-1" {
		t.Errorf("lanes: %+v", ls)
	}
	i := slices.IndexFunc(ls, func(l admin.Lane) bool { return l.Name == "github/log-1" })
	if l := ls[i]; !l.Paused || l.Ready != 1 || l.Delayed != 1 || l.Module != "log" || l.Hook != "github" || l.Breaker != "closed" || l.Oldest.IsZero() {
		t.Errorf("lane: %+v", l)
	}
	if l, err := c.ResumeLane(ctx, "github/log-1"); err != nil || l.Paused {
		t.Errorf("resume: %+v, %v", l, err)
	}
	_, err = c.PauseLane(ctx, "github/nope")
	status(t, err, http.StatusNotFound, "unknown_lane")
	_, err = c.PauseLane(ctx, "a b/ü")
	status(t, err, http.StatusNotFound, "unknown_lane")
}

func TestInfo(t *testing.T) {
	t.Parallel()
	var draining atomic.Bool
	b := newBench(t, func(o *admin.Options) {
		o.Ready = func(context.Context) error {
			if draining.Load() {
				return errors.New("draining")
			}
			return nil
		}
		o.Reload = func(_ context.Context, r admin.ReloadRequest) (admin.ReloadResult, error) {
			if r.DryRun {
				return admin.ReloadResult{DryRun: true, Problems: []admin.Problem{{Severity: "error", Place: "webhooks.json:1:2", Message: "no"}}}, nil
			}
			return admin.ReloadResult{OK: true, Hooks: admin.Change{Added: []string{"x"}, Total: 2}}, nil
		}
	})
	c, ctx := b.client(), t.Context()
	if v, err := c.Version(ctx); err != nil || v.Version != "1.2.3" || v.Started.IsZero() {
		t.Errorf("version: %+v, %v", v, err)
	}
	if h, err := c.Health(ctx); err != nil || h.Status != "ok" {
		t.Errorf("health: %+v, %v", h, err)
	}
	draining.Store(true)
	if h, err := c.Health(ctx); err != nil || h.Status != "unready" || h.Reason != "draining" {
		t.Errorf("health while draining: %+v, %v", h, err)
	}
	if h, err := c.Hooks(ctx); err != nil || len(h) != 1 || h[0].ID != "github" || len(h[0].Lanes) != 2 {
		t.Errorf("hooks: %+v, %v", h, err)
	}
	cfg, err := c.Config(ctx)
	if err != nil || !json.Valid(cfg) || strings.Contains(string(cfg), "hush") || !strings.Contains(string(cfg), "[redacted]") {
		t.Errorf("config: %s, %v", cfg, err)
	}
	if r, err := c.Reload(ctx, admin.ReloadRequest{}); err != nil || !r.OK || r.Hooks.Total != 2 || r.Time.IsZero() {
		t.Errorf("reload: %+v, %v", r, err)
	}
	if r, err := c.Reload(ctx, admin.ReloadRequest{DryRun: true}); err != nil || r.OK || len(r.Problems) != 1 {
		t.Errorf("dry reload: %+v, %v", r, err)
	}
	none := newBench(t, func(o *admin.Options) { o.Config = nil }).client()
	_, err = none.Reload(ctx, admin.ReloadRequest{})
	status(t, err, http.StatusNotFound, "not_found")
	_, err = none.Config(ctx)
	status(t, err, http.StatusNotFound, "not_found")
}

// A queue that is gone, and a handler that panics, are answered without a word
// about why.
func TestFailures(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *admin.Options) {
		o.Config = func() any { panic("hush") }
		o.Reload = func(context.Context, admin.ReloadRequest) (admin.ReloadResult, error) {
			return admin.ReloadResult{}, errors.New("hush: /etc/hookd")
		}
	})
	_ = b.queue.Close(t.Context())
	for path, want := range map[string]int{
		"/api/v1/events": 503, "/api/v1/dead": 503, "/api/v1/lanes": 503, "/metrics": 503, "/api/v1/config": 500,
		"/api/v1/events/0190b5a0-0000-7000-8000-000000000000": 503, "/api/v1/events/0190b5a0-0000-7000-8000-000000000000/body": 503,
	} {
		w := b.do("GET", path, "")
		if w.Code != want || strings.Contains(w.Body.String(), "hush") || !strings.Contains(w.Body.String(), `"code"`) {
			t.Errorf("%s: %d %s, want %d", path, w.Code, w.Body, want)
		}
	}
	for path, want := range map[string]int{
		"/api/v1/reload": 500, "/api/v1/replay": 503, "/api/v1/dead/replay": 503, "/api/v1/dead/purge": 503,
		"/api/v1/lanes/github/log-1/pause":                           503,
		"/api/v1/dead/0190b5a0-0000-7000-8000-000000000000/replay":   503,
		"/api/v1/events/0190b5a0-0000-7000-8000-000000000000/replay": 503,
	} {
		body := `{"all":true}`
		if !strings.HasSuffix(path, "replay") && !strings.HasSuffix(path, "purge") || strings.Contains(path, "0190") {
			body = ""
		}
		w := b.do("POST", path, body, "Hookd-Admin", "1")
		if w.Code != want || strings.Contains(w.Body.String(), "hush") {
			t.Errorf("%s: %d %s, want %d", path, w.Code, w.Body, want)
		}
	}
}

// The client does not carry its token to where a redirect points.
func TestClientFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.handler = http.RedirectHandler("http://127.0.0.1:1/elsewhere", http.StatusTemporaryRedirect)
	_, err := b.client().Stats(t.Context())
	e := (*admin.APIError)(nil)
	if !errors.As(err, &e) || e.Status != http.StatusTemporaryRedirect {
		t.Errorf("error %v, want the redirect itself", err)
	}
}

func TestClientErrors(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/hooks" {
			w.WriteHeader(http.StatusBadGateway)
			_, _ = w.Write([]byte("<html>"))
			return
		}
		_, _ = w.Write([]byte("not json"))
	})
	c := b.client()
	_, err := c.Hooks(t.Context())
	if err == nil || !strings.Contains(err.Error(), "502") || !strings.Contains(err.Error(), "bad gateway") {
		t.Errorf("error %v, want a bad gateway", err)
	}
	if _, err = c.Stats(t.Context()); err == nil || !strings.Contains(err.Error(), "/api/v1/stats") {
		t.Errorf("error %v, want one about the answer", err)
	}
	if _, err = (&admin.Client{BaseURL: "http://127.0.0.1:1"}).Stats(t.Context()); err == nil {
		t.Error("a closed port answered")
	}
	if _, err = (&admin.Client{BaseURL: ":"}).Stats(t.Context()); err == nil {
		t.Error("a bad URL passed")
	}
}
