package queuetest

import (
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/queue"
)

var settleCases = []testCase{
	{name: "later", fn: func(t *testing.T, in *Instance) {
		id := in.put(t, "x", laneA)
		c := in.claim(t, laneA, 1)[0]
		at := in.Now().Add(time.Hour)
		in.settle(t, queue.Verdict{Claim: c, Outcome: queue.Later, At: at, Code: "timeout", Note: "slow"})
		in.nothing(t, laneA)
		in.depth(t, laneA, 0, 1, 0, 0)
		d := in.get(t, id).Deliveries[0]
		same(t, "status", d.Status, queue.StatusDelayed)
		same(t, "code", d.Code+" "+d.Note, "timeout slow")
		if !d.NextTry.Equal(at) || d.Updated.IsZero() {
			t.Fatalf("next try %v, updated %v; want the first at %v", d.NextTry, d.Updated, at)
		}
		in.Advance(59 * time.Minute)
		in.nothing(t, laneA)
		in.Advance(2 * time.Minute)
		in.depth(t, laneA, 1, 0, 0, 0)
		same(t, "status", in.get(t, id).Deliveries[0].Status, queue.StatusPending)
		c = in.claim(t, laneA, 1)[0]
		same(t, "attempt", c.Attempt, 2)
		if !c.Ready.Equal(at) {
			t.Fatalf("ready %v; want %v", c.Ready, at)
		}
		in.done(t, c)
		in.depth(t, laneA, 0, 0, 0, 0)
		same(t, "state", statuses(in.get(t, id)), laneA+"=delivered/2 ")
	}},
	{name: "later now", fn: func(t *testing.T, in *Instance) {
		in.put(t, "x", laneA)
		for n := range 4 {
			c := in.claim(t, laneA, 1)[0]
			same(t, "attempt", c.Attempt, n+1)
			in.settle(t, queue.Verdict{Claim: c, Outcome: queue.Later})
		}
		in.depth(t, laneA, 1, 0, 0, 0)
	}},
	{name: "later uncounted", fn: func(t *testing.T, in *Instance) {
		id := in.put(t, "x", laneA)
		for range 3 {
			c := in.claim(t, laneA, 1)[0]
			same(t, "attempt", c.Attempt, 1)
			in.settle(t, queue.Verdict{Claim: c, Outcome: queue.Later, Uncounted: true})
			in.depth(t, laneA, 1, 0, 0, 0)
		}
		c := in.claim(t, laneA, 1)[0]
		in.settle(t, queue.Verdict{Claim: c, Outcome: queue.Later, Uncounted: true, At: in.Now().Add(time.Minute), Code: "not_connected"})
		in.nothing(t, laneA)
		in.depth(t, laneA, 0, 1, 0, 0)
		same(t, "attempts", in.get(t, id).Deliveries[0].Attempts, 0)
		in.Advance(2 * time.Minute)
		same(t, "attempt", in.claim(t, laneA, 1)[0].Attempt, 1)
	}},
	{name: "claim wakes when a retry is due", fn: func(t *testing.T, in *Instance) {
		in.put(t, "x", laneA)
		c := in.claim(t, laneA, 1)[0]
		got := make(chan []*queue.Claim)
		go func() {
			cs, _ := in.Queue.Claim(t.Context(), laneA, 1, lease)
			got <- cs
		}()
		in.settle(t, queue.Verdict{Claim: c, Outcome: queue.Later, At: in.Now().Add(time.Hour)})
		in.Advance(time.Hour + time.Second)
		same(t, "claimed", len(<-got), 1)
	}},
	{name: "retries in the order of their times", fn: func(t *testing.T, in *Instance) {
		for _, b := range []string{"30", "10", "20"} {
			in.put(t, b, laneA)
		}
		now := in.Now()
		for _, c := range in.claim(t, laneA, 3) {
			wait, _ := time.ParseDuration(string(c.Event.Body) + "m")
			in.settle(t, queue.Verdict{Claim: c, Outcome: queue.Later, At: now.Add(wait)})
		}
		in.Advance(15 * time.Minute)
		in.depth(t, laneA, 1, 2, 0, 0)
		sameList(t, "first", bodies(in.claim(t, laneA, 1)), []string{"10"})
		in.Advance(30 * time.Minute) // the lease of the first ended too
		in.depth(t, laneA, 3, 0, 0, 0)
		sameList(t, "all", bodies(in.claim(t, laneA, 3)), []string{"10", "20", "30"})
	}},
	{name: "filtered", fn: func(t *testing.T, in *Instance) {
		id := in.put(t, "x", laneA)
		in.settle(t, queue.Verdict{Claim: in.claim(t, laneA, 1)[0], Outcome: queue.Filtered})
		in.depth(t, laneA, 0, 0, 0, 0)
		same(t, "status", in.get(t, id).Deliveries[0].Status, queue.StatusFiltered)
	}},
	{name: "next", fn: func(t *testing.T, in *Instance) {
		for _, o := range []queue.Outcome{queue.Done, queue.Filtered, queue.Dead} {
			in.put(t, "x", laneA)
			in.settle(t, queue.Verdict{Claim: in.claim(t, laneA, 1)[0], Outcome: o, Next: laneB})
			in.depth(t, laneB, 1, 0, 0, 0)
			c := in.claim(t, laneB, 1)[0]
			same(t, "body", string(c.Event.Body), "x")
			same(t, "attempt", c.Attempt, 1)
			in.settle(t, queue.Verdict{Claim: c, Outcome: queue.Done, Next: "github/third"})
			in.done(t, in.claim(t, "github/third", 1)...)
		}
		in.depth(t, laneA, 0, 0, 0, 1)
	}},
	{name: "next of a retry is ignored", fn: func(t *testing.T, in *Instance) {
		in.put(t, "x", laneA)
		in.settle(t, queue.Verdict{Claim: in.claim(t, laneA, 1)[0], Outcome: queue.Later, Next: laneB})
		in.nothing(t, laneB)
	}},
	{name: "next that is owed already", fn: func(t *testing.T, in *Instance) {
		in.put(t, "x", laneA, laneB)
		in.settle(t, queue.Verdict{Claim: in.claim(t, laneA, 1)[0], Outcome: queue.Done, Next: laneB})
		in.depth(t, laneB, 1, 0, 0, 0)
		in.done(t, in.claim(t, laneB, 1)...)
		in.nothing(t, laneB)
	}},
	{name: "many at once", fn: func(t *testing.T, in *Instance) {
		for range 20 {
			in.put(t, "x", laneA)
		}
		var vs []queue.Verdict
		for i, c := range in.claim(t, laneA, 20) {
			o := []queue.Verdict{
				{Outcome: queue.Done},
				{Outcome: queue.Dead},
				{Outcome: queue.Later, At: in.Now().Add(time.Hour)},
				{Outcome: queue.Later, Uncounted: true},
			}[i%4]
			o.Claim = c
			vs = append(vs, o)
		}
		in.settle(t, vs...)
		in.depth(t, laneA, 5, 5, 0, 5)
	}},
	{name: "long notes are cut", fn: func(t *testing.T, in *Instance) {
		id := in.put(t, "x", laneA)
		in.settle(t, queue.Verdict{Claim: in.claim(t, laneA, 1)[0], Note: strings.Repeat("é", 2000)})
		same(t, "note", in.get(t, id).Deliveries[0].Note, strings.Repeat("é", 1024))
	}},
}
