package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/internal/record"
	"github.com/hookd/hookd/server/ingest"
)

// word is a proof that wants a header, and may know a mark.
type word struct {
	want string
	cost auth.Cost
	once []auth.Once
	seen []time.Time
}

func (w *word) Cost() auth.Cost { return w.cost }

func (w *word) Verify(_ context.Context, r *auth.Request) (auth.Identity, error) {
	w.seen = append(w.seen, r.Now)
	if r.Header.Get("X-Word") == w.want {
		return auth.Identity{Method: "word", Subject: "word:0", Once: w.once}, nil
	}
	d := auth.Deny("word", auth.CodeMismatch)
	d.Forbidden = w.cost == auth.CostAddress
	return auth.Identity{}, d
}

// shelf is a quarantine that remembers what it was given.
type shelf struct {
	kept []ingest.Unproved
	body []string
	id   event.ID
}

func (s *shelf) Keep(u *ingest.Unproved) event.ID {
	s.kept, s.body = append(s.kept, *u), append(s.body, string(u.Body))
	return s.id
}

// TestKeeps: what a proof refuses goes to the quarantine with its id in the log
// and the record, and nothing else does.
func TestKeeps(t *testing.T) {
	t.Parallel()
	proof := &word{want: "yes", cost: auth.CostBody}
	r, s := newRig(proof), &shelf{id: event.ID{1, 2, 3}}
	var log bytes.Buffer
	r.gate.Quarantine, r.gate.Log = s, slog.New(slog.NewTextHandler(&log, nil))
	r.refuse(t, post(`{"a":1}`, header("X-Word", "no")), http.StatusUnauthorized, "unauthorized")
	if len(s.kept) != 1 {
		t.Fatalf("kept %d", len(s.kept))
	}
	u := s.kept[0]
	if s.body[0] != `{"a":1}` || !u.Read || u.Status != 401 || u.Reason != "word:credential_mismatch" || u.Hook.ID != "github" ||
		u.Remote != sender || u.Request.Header.Get("X-Word") != "no" {
		t.Errorf("kept %+v with %q", u, s.body)
	}
	if !strings.Contains(log.String(), "quarantine="+s.id.String()) {
		t.Errorf("log %q", &log)
	}
	if f := r.facts[0]; f.Kind != record.Refused || f.Event != s.id {
		t.Errorf("fact %+v", f)
	}

	r.hook.Body.Max = 5
	r.refuse(t, post(`{"a":12345}`, header("X-Word", "no")), http.StatusRequestEntityTooLarge, "body_too_large")
	r.refuse(t, post(`x`, func(q *ingest.Request) { q.Hook = "nobody" }), http.StatusNotFound, "unknown_hook")
	r.hook.Body.Max = 0
	r.refuse(t, post(`x`, header("X-Word", "yes"), header("Content-Encoding", "br")), http.StatusUnsupportedMediaType, "unsupported_encoding")
	r.hook.Client = func(netip.Addr, http.Header) (netip.Addr, error) { return netip.Addr{}, errors.New("odd") }
	r.refuse(t, post(`x`), http.StatusForbidden, "forbidden")
	r.hook.Client = nil
	r.err = queue.ErrReplayed
	r.refuse(t, post(`x`, header("X-Word", "yes")), http.StatusUnauthorized, "unauthorized")
	if len(s.kept) != 1 {
		t.Errorf("kept %d more", len(s.kept)-1)
	}

	s.id = event.ID{} // beyond its bounds
	log.Reset()
	r.refuse(t, post(`x`), http.StatusUnauthorized, "unauthorized")
	if strings.Contains(log.String(), "quarantine=") {
		t.Errorf("log %q", &log)
	}
}

// TestKeepsUnread: one that is refused by its address is kept as it is then,
// without its body.
func TestKeepsUnread(t *testing.T) {
	t.Parallel()
	r, s := newRig(&word{want: "yes", cost: auth.CostAddress}), &shelf{}
	r.gate.Quarantine = s
	r.refuse(t, post(`{"a":1}`), http.StatusForbidden, "forbidden")
	if len(s.kept) != 1 || s.kept[0].Read || s.body[0] != "" || s.kept[0].Status != 403 {
		t.Errorf("kept %+v with %q", s.kept, s.body)
	}
}

// later is a day after the requests were received.
var later = start.Add(24 * time.Hour)

func (r *rig) retry(t *testing.T, how ingest.Again, edits ...func(*ingest.Request)) (ingest.Accepted, *ingest.Refusal) {
	t.Helper()
	got, err := r.gate.Retry(context.Background(), post(`{"a":1}`, edits...), how)
	var ref *ingest.Refusal
	if err != nil && !errors.As(err, &ref) {
		t.Fatal(err)
	}
	return got, ref
}

// clock is a limiter that remembers when it was asked.
type clock struct{ at []time.Time }

func (c *clock) Allow(_ netip.Addr, now time.Time) (time.Duration, bool) {
	c.at = append(c.at, now)
	return 0, true
}

// TestRetry: the proofs see the time at which the request came, everything else
// the time of now; it is neither kept nor told as a refusal again.
func TestRetry(t *testing.T) {
	t.Parallel()
	proof := &word{want: "yes", cost: auth.CostBody}
	r, s, limits := newRig(proof), &shelf{}, &clock{}
	r.gate.Quarantine, r.gate.Now = s, func() time.Time { return later }
	r.hook.Limit, r.hook.Reply.Delivered, r.gate.Waiter = limits, true, nobody{}
	if _, ref := r.retry(t, ingest.Again{}, header("X-Word", "no")); ref == nil || ref.Reason != "word:credential_mismatch" {
		t.Errorf("refused again: %+v", ref)
	}
	if len(s.kept) != 0 || len(r.facts) != 0 {
		t.Errorf("kept %d, told %d", len(s.kept), len(r.facts))
	}
	got, ref := r.retry(t, ingest.Again{Key: "q1", Hold: time.Hour}, header("X-Word", "yes"))
	if ref != nil || got.ID.IsZero() || got.Outcome != nil {
		t.Fatalf("accepted: %+v, %v", got, ref)
	}
	it := r.items[0]
	if !it.Event.Received.Equal(start) || string(it.Event.Body) != `{"a":1}` || !proof.seen[1].Equal(start) || !limits.at[0].Equal(later) {
		t.Errorf("event %+v, the proof saw %v, the limit %v", it.Event, proof.seen, limits.at)
	}
	if len(it.Once) != 1 || !strings.Contains(it.Once[0].Key, "q1") || !it.Once[0].Until.Equal(later.Add(time.Hour)) {
		t.Errorf("marks %+v", it.Once)
	}
	if f := r.facts[0]; f.Kind != record.Accepted || !f.Time.Equal(later) || f.Duration != 0 {
		t.Errorf("fact %+v", f)
	}
	r.err = queue.ErrReplayed
	if _, ref := r.retry(t, ingest.Again{}, header("X-Word", "yes")); ref == nil || ref.Reason != "word:replayed" {
		t.Errorf("replayed: %+v", ref)
	}
}

type nobody struct{}

func (nobody) Wait(context.Context, event.ID) (ingest.Outcome, error) {
	panic("nobody waits for a retry")
}

// TestRetryOnce: a mark outlives the copies that may still wait; where it would
// be forgotten by now, only the operator can know.
func TestRetryOnce(t *testing.T) {
	t.Parallel()
	proof := &word{want: "yes", cost: auth.CostBody, once: []auth.Once{{Key: "nonce", Until: start.Add(5 * time.Minute)}}}
	r := newRig(proof)
	r.gate.Now = func() time.Time { return start.Add(time.Minute) }
	if _, ref := r.retry(t, ingest.Again{Hold: time.Hour}, header("X-Word", "yes")); ref != nil {
		t.Fatal(ref)
	}
	if o := r.items[0].Once; len(o) != 1 || !o[0].Until.Equal(start.Add(61*time.Minute)) {
		t.Errorf("marks %+v", o)
	}
	r.gate.Now = func() time.Time { return later }
	if _, ref := r.retry(t, ingest.Again{Hold: time.Hour}, header("X-Word", "yes")); ref == nil || ref.Reason != ingest.MarkForgotten || ref.Status != 401 {
		t.Errorf("forgotten: %+v", ref)
	}
	if _, ref := r.retry(t, ingest.Again{Hold: time.Hour, Unguarded: true}, header("X-Word", "yes")); ref != nil {
		t.Errorf("unguarded: %+v", ref)
	}
	if o := r.items[1].Once; len(o) != 1 || !o[0].Until.Equal(later.Add(time.Hour)) {
		t.Errorf("marks %+v", o)
	}
}

// greeter is a handshake that answers everything.
type greeter struct{ asked []bool }

func (g *greeter) Answer(_ context.Context, _ *auth.Request, verified bool) *auth.Answer {
	g.asked = append(g.asked, verified)
	return &auth.Answer{}
}

// TestRetryHandshake: nobody waits for the answer of one that did not prove
// itself, and none is stored as an event.
func TestRetryHandshake(t *testing.T) {
	t.Parallel()
	r, g := newRig(&word{want: "yes", cost: auth.CostBody}), &greeter{}
	r.hook.Handshake = g
	if _, ref := r.retry(t, ingest.Again{}, header("X-Word", "no")); ref == nil {
		t.Error("an unproved handshake was answered")
	}
	if got, ref := r.retry(t, ingest.Again{}, header("X-Word", "yes")); ref != nil || got.Answer == nil || len(r.items) != 0 {
		t.Errorf("got %+v, %v", got, ref)
	}
	if len(g.asked) != 1 || !g.asked[0] {
		t.Errorf("asked %v", g.asked)
	}
}
