package queuetest

import (
	"testing"
	"time"

	"github.com/hookd/hookd/internal/queue"
)

var leaseCases = []testCase{
	{name: "a lease ends", fn: func(t *testing.T, in *Instance) {
		in.put(t, "x", laneA)
		old := in.claim(t, laneA, 1)[0]
		in.Advance(lease / 2) // the clock of a backend on disk goes on by itself
		in.nothing(t, laneA)
		in.depth(t, laneA, 0, 0, 1, 0)
		in.Advance(lease)
		in.depth(t, laneA, 1, 0, 0, 0)
		isErr(t, "late Settle", in.Queue.Settle(t.Context(), queue.Verdict{Claim: old}), queue.ErrLost)
		isErr(t, "late Renew", in.Queue.Renew(t.Context(), old, lease), queue.ErrLost)
		c := in.claim(t, laneA, 1)[0]
		same(t, "attempt", c.Attempt, 1)
		same(t, "id", c.ID, old.ID)
		isErr(t, "Settle of the old lease", in.Queue.Settle(t.Context(), queue.Verdict{Claim: old}), queue.ErrLost)
		in.done(t, c)
		in.depth(t, laneA, 0, 0, 0, 0)
	}},
	{name: "claim wakes when a lease ends", fn: func(t *testing.T, in *Instance) {
		in.put(t, "x", laneA)
		in.claim(t, laneA, 1)
		got := make(chan []*queue.Claim)
		go func() {
			cs, _ := in.Queue.Claim(t.Context(), laneA, 1, lease)
			got <- cs
		}()
		in.Advance(lease + time.Second)
		same(t, "claimed", len(<-got), 1)
	}},
	{name: "renew", fn: func(t *testing.T, in *Instance) {
		in.put(t, "x", laneA)
		c := in.claim(t, laneA, 1)[0]
		for range 3 {
			in.Advance(lease * 2 / 3)
			if err := in.Queue.Renew(t.Context(), c, lease); err != nil {
				t.Fatalf("Renew: %v", err)
			}
		}
		in.nothing(t, laneA)
		in.done(t, c)
		isErr(t, "Renew after Settle", in.Queue.Renew(t.Context(), c, lease), queue.ErrLost)
	}},
	{name: "settle twice", fn: func(t *testing.T, in *Instance) {
		in.put(t, "x", laneA)
		in.put(t, "y", laneA)
		cs := in.claim(t, laneA, 2)
		in.done(t, cs[0])
		err := in.Queue.Settle(t.Context(), queue.Verdict{Claim: cs[0]}, queue.Verdict{Claim: cs[1]})
		isErr(t, "Settle", err, queue.ErrLost)
		in.depth(t, laneA, 0, 0, 0, 0) // the other was settled all the same
		in.Advance(2 * lease)
		in.nothing(t, laneA)
	}},
	{name: "no lease is forgotten", fn: func(t *testing.T, in *Instance) {
		for range 50 {
			in.put(t, "x", laneA)
		}
		for round := range 3 {
			cs := in.claim(t, laneA, 50)
			in.done(t, cs[:10]...)
			in.Advance(lease + time.Second)
			for range 10 {
				in.put(t, "y", laneA)
			}
			in.depth(t, laneA, 50, 0, 0, 0)
			_ = round
		}
	}},
}
