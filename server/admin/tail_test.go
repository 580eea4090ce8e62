package admin_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookd/hookd/internal/record"
	"github.com/hookd/hookd/server/admin"
)

// follow reads facts until n came.
func follow(t *testing.T, c *admin.Client, f admin.TailFilter, n int, ready func()) []admin.Fact {
	t.Helper()
	var facts []admin.Fact
	told := false
	for fact, err := range c.Tail(t.Context(), f) {
		if err != nil {
			t.Fatal(err)
		}
		if !told && ready != nil {
			told = true
			ready()
		}
		if facts = append(facts, fact); len(facts) == n {
			return facts
		}
	}
	t.Fatalf("the tail ended after %d facts", len(facts))
	return nil
}

func TestTail(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	c := b.client()
	start := time.Now()
	tell := func(i int, kind record.Kind, hook, typ string) {
		b.rec.Tell(record.Fact{Time: start.Add(time.Duration(i)), Kind: kind, Hook: hook, Type: typ, Duration: 1500 * time.Microsecond, Code: "x"})
	}
	for i := range 5 {
		tell(i, record.Accepted, "github", "push")
	}
	tell(5, record.Refused, "github", "")
	tell(6, record.Accepted, "other", "push")

	// Everything since the start, then what comes live, each once.
	first := follow(t, c, admin.TailFilter{Hook: "github", After: "1"}, 7, func() { tell(7, record.Died, "github", "push") })
	for i, want := range []string{"accepted", "accepted", "accepted", "accepted", "accepted", "refused", "died"} {
		if first[i].Kind != want || first[i].Hook != "github" {
			t.Errorf("fact %d: %+v, want %s", i, first[i], want)
		}
	}
	if f := first[0]; f.DurationMS != 1.5 || f.Code != "x" || f.Cursor == "" || !f.Time.Equal(start) {
		t.Errorf("fact: %+v", f)
	}
	// From a cursor on, and by kind.
	if got := follow(t, c, admin.TailFilter{After: first[4].Cursor}, 3, nil); got[0].Kind != "refused" || got[1].Hook != "other" || got[2].Kind != "died" {
		t.Errorf("after the cursor: %+v", got)
	}
	if got := follow(t, c, admin.TailFilter{After: "1", Kind: "died"}, 1, nil); got[0].Kind != "died" {
		t.Errorf("by kind: %+v", got)
	}
	for _, q := range []string{"?after=x", "?after=-1", "?nope=1"} {
		if w := b.do("GET", "/api/v1/tail"+q, ""); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", q, w.Code)
		}
	}
	if w := b.do("GET", "/api/v1/tail", "", "Last-Event-ID", "x"); w.Code != http.StatusBadRequest {
		t.Errorf("bad Last-Event-ID: %d", w.Code)
	}
}

// pipe is a ResponseWriter whose reader is in the same bubble.
type pipe struct {
	*io.PipeWriter
	h http.Header
}

func (p pipe) Header() http.Header { return p.h }
func (p pipe) WriteHeader(int)     {}
func (p pipe) Flush()              {}

func TestTailHeartbeatsAndStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stopping := make(chan struct{})
		b := newBench(t, func(o *admin.Options) { o.Stopping = stopping })
		r, w := io.Pipe()
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer func() { _ = w.Close() }()
			b.handler.ServeHTTP(pipe{w, http.Header{}}, httptest.NewRequest(http.MethodGet, "http://localhost/api/v1/tail", nil))
		}()
		buf := make([]byte, 100)
		n, _ := r.Read(buf)
		if string(buf[:n]) != ": hookd\n\n" {
			t.Errorf("greeting %q", buf[:n])
		}
		start := time.Now()
		n, _ = r.Read(buf)
		if took := time.Since(start); string(buf[:n]) != ": heartbeat\n\n" || took != 15*time.Second {
			t.Errorf("heartbeat %q after %v", buf[:n], took)
		}
		close(stopping)
		<-done
		if n, err := r.Read(buf); !errors.Is(err, io.EOF) {
			t.Errorf("after the stop: %q, %v", buf[:n], err)
		}
	})
}

func TestTailsAreBounded(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	c := b.client()
	b.rec.Tell(record.Fact{Hook: "github"})
	ctx, cancel := context.WithCancel(t.Context())
	open := make(chan error, 40)
	for range 32 {
		go func() {
			for _, err := range c.Tail(ctx, admin.TailFilter{After: "1"}) {
				open <- err
			}
		}()
	}
	for range 32 {
		if err := <-open; err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range c.Tail(ctx, admin.TailFilter{}) {
		status(t, err, http.StatusServiceUnavailable, "too_many_tails")
	}
	cancel()
}

// The time-outs of the server are for requests that have an end.
func TestTailOutlivesTimeouts(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	srv := httptest.NewUnstartedServer(b.handler)
	srv.Config.ReadTimeout, srv.Config.WriteTimeout = 50*time.Millisecond, 50*time.Millisecond
	srv.Start()
	hc := admin.NewHTTPClient()
	t.Cleanup(func() {
		hc.CloseIdleConnections()
		srv.Close()
	})
	c := &admin.Client{BaseURL: srv.URL, HTTP: hc}
	b.rec.Tell(record.Fact{Hook: "first"})
	got := follow(t, c, admin.TailFilter{After: "1"}, 2, func() {
		<-time.After(150 * time.Millisecond)
		b.rec.Tell(record.Fact{Hook: "second"})
	})
	if got[1].Hook != "second" {
		t.Errorf("facts: %+v", got)
	}
}

func TestTailReportsACut(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ answer, want string }{
		"cut":       {"data: {\"kind\":\"accepted\"}\n\n", "unexpected EOF"},
		"malformed": {"data: {\"kind\":\n\n", "tail"},
		"endless":   {"data: " + strings.Repeat("x", 300<<10), "too long"},
	} {
		b := newBench(t)
		b.handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(tc.answer)) })
		var last error
		for _, err := range b.client().Tail(t.Context(), admin.TailFilter{}) {
			last = err
		}
		if last == nil || !strings.Contains(last.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", name, last, tc.want)
		}
	}
}
