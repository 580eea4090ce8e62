package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/queue"
)

// onceProof holds, with a mark that only one accepted request may have.
type onceProof struct{ proof }

func (p *onceProof) Verify(context.Context, *auth.Request) (auth.Identity, error) {
	return auth.Identity{Method: "digest", Subject: "digest:ci", Once: []auth.Once{{Key: "nonce", Until: start.Add(time.Minute)}}}, nil
}

func (p *onceProof) Challenge(*auth.Request) string { return `Digest nonce="new"` }

// TestOnce: the marks go to the queue with the event, scoped by the hook, and a
// replay is refused as any other bad proof is.
func TestOnce(t *testing.T) {
	t.Parallel()
	r := newRig(&onceProof{proof{cost: auth.CostHeader}})
	r.accept(t, post("{}"))
	want := queue.Once{Key: "github\x00ononce", Until: start.Add(time.Minute)}
	if got := r.items[0].Once; len(got) != 1 || got[0] != want {
		t.Errorf("marks %+v", got)
	}
	r.err = queue.ErrReplayed
	ref := r.refuse(t, post("{}"), 401, "unauthorized")
	if ref.Reason != "digest:replayed" || ref.Public != "Unauthorized" || ref.Challenge != `Digest nonce="new"` {
		t.Errorf("%+v", ref)
	}
	var d *auth.Denial
	if !errors.As(ref, &d) || d.Code != auth.CodeReplayed {
		t.Errorf("%v", ref)
	}
}

// TestAsking: the first request of a scheme of challenge and answer is no fault:
// it is answered and counted, but neither kept nor a line of its own in the log.
func TestAsking(t *testing.T) {
	t.Parallel()
	r := newRig(&proof{cost: auth.CostHeader, verify: func(*auth.Request) error {
		return &auth.Denial{Method: "digest_auth", Code: auth.CodeMissing, Asked: true, Challenge: "Digest x"}
	}})
	s := &shelf{}
	var log bytes.Buffer
	r.gate.Quarantine, r.gate.Log = s, slog.New(slog.NewTextHandler(&log, nil))
	if ref := r.refuse(t, post("{}"), 401, "unauthorized"); ref.Challenge != "Digest x" {
		t.Errorf("challenge %q", ref.Challenge)
	}
	if len(s.kept) != 0 || log.Len() != 0 || len(r.facts) != 1 {
		t.Errorf("kept %d, %d facts, log %q", len(s.kept), len(r.facts), &log)
	}
}
