package admin_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/internal/queue/mem"
	"github.com/hookd/hookd/internal/record"
	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/server/admin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const token = "a-token-of-the-tests"

// lanes is a LaneControl of two lanes.
type lanes struct {
	mu     sync.Mutex
	paused map[string]bool
}

var laneNames = []string{"github/log-1", "github/http_webhook-1"}

func (l *lanes) Lanes() []admin.LaneState {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []admin.LaneState
	for _, n := range laneNames {
		_, dest, _ := strings.Cut(n, "/")
		out = append(out, admin.LaneState{Name: n, Hook: "github", Module: strings.TrimSuffix(dest, "-1"), Paused: l.paused[n]})
	}
	return out
}

func (l *lanes) set(lane string, paused bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(laneNames, lane) {
		return false
	}
	l.paused[lane] = paused
	return true
}

func (l *lanes) Pause(lane string) bool  { return l.set(lane, true) }
func (l *lanes) Resume(lane string) bool { return l.set(lane, false) }

// bench is an admin API over a queue in memory.
type bench struct {
	t       testing.TB
	queue   *mem.Queue
	rec     *record.Recorder
	lanes   *lanes
	handler http.Handler
}

func newBench(t testing.TB, change ...func(*admin.Options)) *bench {
	t.Helper()
	b := &bench{t: t, queue: mem.New(mem.Options{}), rec: record.New(0), lanes: &lanes{paused: map[string]bool{}}}
	t.Cleanup(func() { _ = b.queue.Close(context.Background()) })
	b.rec.Configure([]string{"github"}, laneNames)
	o := admin.Options{
		Addr: "127.0.0.1:8001", Version: "1.2.3", Store: b.queue, Recorder: b.rec, Lanes: b.lanes,
		Hooks: func() []admin.Hook {
			return []admin.Hook{{ID: "github", Path: "/webhook/github", Enabled: true, DataType: "json", Provider: "github", Auth: []string{"provider"}, Lanes: laneNames}}
		},
		Config: func() any {
			return map[string]any{"hooks": map[string]any{"github": map[string]any{"secret": secret.New("hush")}}}
		},
	}
	for _, f := range change {
		f(&o)
	}
	h, err := admin.New(o)
	if err != nil {
		t.Fatal(err)
	}
	b.handler = h
	return b
}

// client serves the API and returns a client to it.
func (b *bench) client() *admin.Client {
	b.t.Helper()
	srv := httptest.NewServer(b.handler)
	hc := admin.NewHTTPClient()
	b.t.Cleanup(func() {
		hc.CloseIdleConnections()
		srv.Close()
	})
	return &admin.Client{BaseURL: srv.URL, HTTP: hc}
}

// do sends one request straight to the handler.
func (b *bench) do(method, target, body string, header ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	r := httptest.NewRequest(method, "http://127.0.0.1:8001"+target, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
			continue
		}
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	return w
}

// put stores an event for the lanes.
func (b *bench) put(typ, body string, to ...string) event.ID {
	b.t.Helper()
	p, err := b.queue.Put(b.t.Context(), queue.Item{Lanes: to, Event: &event.Event{
		Hook: "github", Type: typ, Received: time.Now(), Remote: netip.MustParseAddr("192.0.2.7"), Subject: "github",
		Query: "a=b", Header: http.Header{"X-Github-Event": {typ}}, Body: []byte(body),
	}})
	if err != nil {
		b.t.Fatal(err)
	}
	return p.ID
}

// settle claims the oldest delivery of a lane and ends it.
func (b *bench) settle(lane string, o queue.Outcome, code string) {
	b.t.Helper()
	claims, err := b.queue.Claim(b.t.Context(), lane, 1, time.Minute)
	if err == nil {
		err = b.queue.Settle(b.t.Context(), queue.Verdict{Claim: claims[0], Outcome: o, Code: code, Note: "because", At: time.Now().Add(time.Hour)})
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

func body(t testing.TB, w *httptest.ResponseRecorder) string {
	t.Helper()
	b, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
