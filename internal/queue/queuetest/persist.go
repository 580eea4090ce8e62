package queuetest

import (
	"context"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/queue"
)

// withDone is a context of the test that ends when done is closed.
func withDone(t *testing.T, done <-chan struct{}) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		select {
		case <-done:
		case <-ctx.Done():
		}
		cancel()
	}()
	return ctx, cancel
}

var persistCases = []testCase{
	{name: "reopen keeps everything", fn: func(t *testing.T, in *Instance) {
		if in.Reopen == nil {
			t.Skip("nothing persists")
		}
		again := func() {
			t.Helper()
			in.Queue = in.Reopen(t)
		}
		keyed := in.putItem(t, in.keyed("keyed", "k"))
		in.done(t, in.claim(t, laneA, 1)...)
		dead := in.kill(t, "dead", laneB)
		in.put(t, "retried", laneA)
		in.settle(t, queue.Verdict{Claim: in.claim(t, laneA, 1)[0], Outcome: queue.Later, At: in.Now().Add(time.Hour), Code: "timeout"})
		in.put(t, "leased", laneA)
		c := in.claim(t, laneA, 1)[0]
		want := *in.put2(t, "ready", laneA)
		in.settle(t, queue.Verdict{Claim: in.claim(t, laneA, 1)[0], Outcome: queue.Later, Uncounted: true})

		again()
		in.depth(t, laneA, 2, 1, 0, 0)
		in.depth(t, laneB, 0, 0, 0, 1)
		same(t, "duplicate", in.putItem(t, in.keyed("x", "k")), queue.Put{ID: keyed.ID})
		isErr(t, "Settle of an old claim", in.Queue.Settle(t.Context(), queue.Verdict{Claim: c}), queue.ErrLost)
		cs := in.claim(t, laneA, 2)
		sameList(t, "claimed", bodies(cs), []string{"leased", "ready"})
		sameEvent(t, cs[1].Event, &want)
		in.done(t, cs...)
		in.nothing(t, laneA)

		again()
		in.nothing(t, laneA)
		in.depth(t, laneA, 0, 1, 0, 0)
		in.put(t, "new", laneA)
		sameList(t, "new", bodies(in.claim(t, laneA, 1)), []string{"new"})
		in.Advance(2 * time.Hour)

		again()
		in.depth(t, laneA, 2, 0, 0, 0)
		cs = in.claim(t, laneA, 2)
		sameList(t, "by time", bodies(cs), []string{"new", "retried"})
		same(t, "attempt", cs[1].Attempt, 2)
		in.done(t, cs...)
		same(t, "history", len(in.list(t, queue.Filter{}, in.Queue.List)), 6)
		if n, err := in.Queue.Replay(t.Context(), dead, ""); n != 1 || err != nil {
			t.Fatalf("Replay: %d, %v; want 1", n, err)
		}

		again()
		in.depth(t, laneB, 1, 0, 0, 0)
		in.done(t, in.claim(t, laneB, 1)...)
		again()
		in.nothing(t, laneA)
		in.nothing(t, laneB)
		d, err := in.Queue.Depth(t.Context())
		if err != nil || len(d) != 0 {
			t.Fatalf("Depth: %v, %v; want nothing", d, err)
		}
	}},
}
