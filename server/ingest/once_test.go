package ingest_test

import (
	"context"
	"errors"
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
