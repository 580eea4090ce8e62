package quarantine_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/server/ingest"
	"github.com/hookd/hookd/server/quarantine"
)

// gate answers as it is told, and remembers what it was asked.
type gate struct {
	answer func(req *ingest.Request, how ingest.Again) (ingest.Accepted, error)
	bodies []string
	hows   []ingest.Again
}

func (g *gate) Retry(_ context.Context, req *ingest.Request, how ingest.Again) (ingest.Accepted, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return ingest.Accepted{}, err
	}
	g.bodies, g.hows = append(g.bodies, string(body)), append(g.hows, how)
	return g.answer(req, how)
}

func TestRetry(t *testing.T) {
	t.Parallel()
	b := open(t, t.TempDir())
	id, unread := b.keep("in", "one"), b.keep("in", "", func(u *ingest.Unproved) { u.Read = false })
	b.flush()
	g := &gate{answer: func(*ingest.Request, ingest.Again) (ingest.Accepted, error) {
		return ingest.Accepted{}, &ingest.Refusal{Status: 401, Code: "unauthorized", Reason: "hmac:signature_mismatch"}
	}}
	ctx := t.Context()
	if got := b.Retry(ctx, g, id, false); got.Reason != "hmac:signature_mismatch" || !got.Event.IsZero() || got.ID != id {
		t.Errorf("refused again: %+v", got)
	}
	g.answer = func(*ingest.Request, ingest.Again) (ingest.Accepted, error) {
		return ingest.Accepted{Answer: &auth.Answer{}}, nil
	}
	if got := b.Retry(ctx, g, id, false); got.Reason != quarantine.ReasonHandshake {
		t.Errorf("handshake: %+v", got)
	}
	g.answer = func(*ingest.Request, ingest.Again) (ingest.Accepted, error) { return ingest.Accepted{}, io.EOF }
	if got := b.Retry(ctx, g, id, false); got.Reason != "internal" {
		t.Errorf("fault: %+v", got)
	}
	if len(b.list(quarantine.Filter{})) != 2 {
		t.Error("gone without being accepted")
	}
	if got := b.Retry(ctx, g, unread, true); got.Reason != quarantine.ReasonNoBody {
		t.Errorf("without a body: %+v", got)
	}
	if got := b.Retry(ctx, g, event.ID{9}, false); got.Reason != quarantine.ReasonGone {
		t.Errorf("unknown: %+v", got)
	}
	// While one tries it nobody else does, nor removes it.
	g.answer = func(*ingest.Request, ingest.Again) (ingest.Accepted, error) {
		if got := b.Retry(ctx, g, id, false); got.Reason != quarantine.ReasonBusy {
			t.Errorf("at the same time: %+v", got)
		}
		if n := b.Purge(quarantine.Filter{}, id); n != 0 {
			t.Error("removed while it is tried")
		}
		return ingest.Accepted{ID: event.ID{7}, Duplicate: true}, nil
	}
	if got := b.Retry(ctx, g, id, true); got.Event != (event.ID{7}) || !got.Duplicate || got.Reason != "" {
		t.Errorf("accepted: %+v", got)
	}
	if got := b.list(quarantine.Filter{}); len(got) != 1 || len(b.files()) != 1 {
		t.Errorf("left: %v, %v", got, b.files())
	}
	last := g.hows[len(g.hows)-1]
	if last.Key != id.String() || last.Hold != time.Hour || !last.Unguarded || g.bodies[0] != "one" {
		t.Errorf("asked %+v with %q", last, g.bodies)
	}
}
