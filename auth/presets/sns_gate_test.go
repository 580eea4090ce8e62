package presets_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/internal/queue/mem"
	"github.com/hookd/hookd/server/edge"
	"github.com/hookd/hookd/server/ingest"
	"github.com/hookd/hookd/server/ingest/payload"
)

// hooks serves one.
type hooks struct{ hook *ingest.Hook }

func (h hooks) Hook(string) (*ingest.Hook, func(), bool) { return h.hook, func() {}, true }

// TestSNSThroughGate is the way of a subscription from its confirmation to its
// end, through the edge and the gate, with a body check for JSON as a hook has
// it by default.
func TestSNSThroughGate(t *testing.T) {
	t.Parallel()
	a := newAWS(t)
	status := http.StatusInternalServerError
	a.answer = func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".pem") {
			_, _ = w.Write(a.certFile)
			return
		}
		w.WriteHeader(status)
	}
	check, err := payload.New(payload.Options{Type: "json"})
	if err != nil {
		t.Fatal(err)
	}
	chain := auth.NewChain(a.verifier(t))
	q := mem.New(mem.Options{})
	defer func() { _ = q.Close(context.Background()) }()
	log := slog.New(slog.DiscardHandler)
	gate := &ingest.Gate{Queue: q, Log: log, Hooks: hooks{&ingest.Hook{
		ID: "orders", Lanes: []string{"orders/log"}, Auth: chain, Handshake: chain.Handshake(), Body: ingest.Body{Type: "json", Check: check},
	}}}
	h := edge.NewHandler(edge.Options{Log: log, Gate: gate, Now: func() time.Time { return authtest.Now }})
	post := func(name string, m map[string]string, want int) {
		t.Helper()
		r := httptest.NewRequest(http.MethodPost, "/webhook/orders", strings.NewReader(string(snsRequest(t, m).Body)))
		r.Header.Set("Content-Type", "text/plain; charset=UTF-8")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		t.Logf("%s\n> POST /webhook/orders\n> Type: %s, Message: %q\n< %d\n< Content-Type: %s\n< %s", name, m["Type"], m["Message"], w.Code, w.Header().Get("Content-Type"), w.Body)
		if w.Code != want || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: status %d, want %d: %s", name, w.Code, want, w.Body)
		}
	}
	signed := func(m map[string]string) map[string]string { sign(t, a.key, m); return m }
	visited := func(want int) {
		t.Helper()
		if len(a.visited) != want {
			t.Errorf("visited %q", a.visited)
		}
	}

	forged := signed(subscription("SubscriptionConfirmation"))
	forged["Message"] = "another"
	post("a forged subscription", forged, 401)
	visited(0)
	post("a subscription while AWS is down", signed(subscription("SubscriptionConfirmation")), 503)
	visited(1)
	status = http.StatusOK
	post("a subscription", signed(subscription("SubscriptionConfirmation")), 200)
	visited(2)
	post("the end of a subscription", signed(subscription("UnsubscribeConfirmation")), 200)
	visited(2)
	stored(t, q, 0)
	post("a notification", signed(note("1")), 200)
	post("the notification again", signed(note("2")), 200)
	forged = signed(note("2"))
	forged["Message"] = "another"
	post("a forged notification", forged, 401)
	post("a raw message", map[string]string{"order": "1"}, 401)
	stored(t, q, 1)
}

func stored(t *testing.T, q *mem.Queue, want int) {
	t.Helper()
	page, err := q.List(t.Context(), queue.Filter{}, "", 10)
	if err != nil || len(page.Records) != want {
		t.Errorf("%d events are stored, want %d: %v", len(page.Records), want, err)
	}
	for _, r := range page.Records {
		if r.Event.Type != "Notification" || r.Event.Subject != "sns:"+snsTopic {
			t.Errorf("%+v", r.Event)
		}
	}
}
