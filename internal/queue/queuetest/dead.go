package queuetest

import (
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
)

var deadCases = []testCase{
	{name: "dead letters", fn: func(t *testing.T, in *Instance) {
		var ids []event.ID
		for _, b := range []string{"1", "2", "3", "4", "5"} {
			ids = append(ids, in.kill(t, b, laneA))
		}
		in.put(t, "alive", laneA)
		rs := in.list(t, queue.Filter{}, in.Queue.Dead)
		same(t, "letters", len(rs), 5)
		for i, r := range rs {
			same(t, "newest first", r.Event.ID, ids[4-i])
			same(t, "state", statuses(r), laneA+"=dead/1 ")
			same(t, "why", r.Deliveries[0].Code+" "+r.Deliveries[0].Note, "http_400 no")
		}
		in.depth(t, laneA, 1, 0, 0, 5)
	}},
	{name: "a record lists its dead deliveries only", fn: func(t *testing.T, in *Instance) {
		in.put(t, "x", laneA, laneB, "github/c")
		in.done(t, in.claim(t, laneA, 1)...)
		for _, l := range []string{laneB, "github/c"} {
			in.settle(t, queue.Verdict{Claim: in.claim(t, l, 1)[0], Outcome: queue.Dead})
		}
		rs := in.list(t, queue.Filter{}, in.Queue.Dead)
		same(t, "records", len(rs), 1)
		same(t, "all", statuses(rs[0]), "github/c=dead/1 "+laneB+"=dead/1 ")
		rs = in.list(t, queue.Filter{Lane: laneB}, in.Queue.Dead)
		same(t, "one lane", statuses(rs[0]), laneB+"=dead/1 ")
		same(t, "other lane", len(in.list(t, queue.Filter{Lane: laneA}, in.Queue.Dead)), 0)
	}},
	{name: "replay revives", fn: func(t *testing.T, in *Instance) {
		id := in.kill(t, "x", laneA)
		n, err := in.Queue.Replay(t.Context(), id, "")
		if n != 1 || err != nil {
			t.Fatalf("Replay: %d, %v; want 1", n, err)
		}
		same(t, "letters", len(in.list(t, queue.Filter{}, in.Queue.Dead)), 0)
		in.depth(t, laneA, 1, 0, 0, 0)
		n, err = in.Queue.Replay(t.Context(), id, "")
		if n != 0 || err != nil {
			t.Fatalf("Replay of a pending one: %d, %v; want 0", n, err)
		}
		c := in.claim(t, laneA, 1)[0]
		same(t, "attempt", c.Attempt, 1)
		same(t, "id", c.ID, event.DeliveryID(id, laneA))
		in.done(t, c)
		in.nothing(t, laneA)
		in.depth(t, laneA, 0, 0, 0, 0)
	}},
	{name: "replay of delivered ones", fn: func(t *testing.T, in *Instance) {
		id := in.put(t, "x", laneA, laneB)
		in.done(t, in.claim(t, laneA, 1)...)
		n, err := in.Queue.Replay(t.Context(), id, "") // b is pending still
		if n != 1 || err != nil {
			t.Fatalf("Replay: %d, %v; want 1", n, err)
		}
		in.done(t, append(in.claim(t, laneA, 1), in.claim(t, laneB, 1)...)...)
		for range 3 { // again and again, also to a lane that it never had
			for _, l := range []string{laneA, "elsewhere/1"} {
				if n, err := in.Queue.Replay(t.Context(), id, l); n != 1 || err != nil {
					t.Fatalf("Replay to %s: %d, %v; want 1", l, n, err)
				}
				in.done(t, in.claim(t, l, 1)...)
			}
		}
		in.nothing(t, laneA)
		_, err = in.Queue.Replay(t.Context(), event.ID{1}, "")
		isErr(t, "Replay of nothing", err, queue.ErrNotFound)
	}},
	{name: "replay while leased or delayed", fn: func(t *testing.T, in *Instance) {
		id := in.put(t, "x", laneA)
		c := in.claim(t, laneA, 1)[0]
		for range 2 {
			if n, err := in.Queue.Replay(t.Context(), id, ""); n != 0 || err != nil {
				t.Fatalf("Replay: %d, %v; want 0", n, err)
			}
			in.settle(t, queue.Verdict{Claim: c, Outcome: queue.Later, At: in.Now().Add(time.Hour)})
			if n, err := in.Queue.Replay(t.Context(), id, ""); n != 0 || err != nil {
				t.Fatalf("Replay: %d, %v; want 0", n, err)
			}
			in.Advance(2 * time.Hour)
			c = in.claim(t, laneA, 1)[0]
		}
		in.done(t, c)
		in.depth(t, laneA, 0, 0, 0, 0)
	}},
	{name: "purge", fn: func(t *testing.T, in *Instance) {
		var ids []event.ID
		for range 5 {
			ids = append(ids, in.kill(t, "x", laneA))
		}
		in.kill(t, "y", laneB)
		purge := func(want int, f queue.Filter, ids ...event.ID) {
			t.Helper()
			if n, err := in.Queue.Purge(t.Context(), f, ids...); n != want || err != nil {
				t.Fatalf("Purge: %d, %v; want %d", n, err, want)
			}
		}
		purge(2, queue.Filter{}, ids[0], ids[2], event.ID{9})
		purge(0, queue.Filter{}, ids[0])
		purge(0, queue.Filter{Lane: laneB}, ids[1])
		in.depth(t, laneA, 0, 0, 0, 3)
		purge(3, queue.Filter{Lane: laneA})
		in.depth(t, laneA, 0, 0, 0, 0)
		in.depth(t, laneB, 0, 0, 0, 1)
		same(t, "left", len(in.list(t, queue.Filter{}, in.Queue.Dead)), 1)
		same(t, "history says that it died", in.get(t, ids[0]).Deliveries[0].Status, queue.StatusDead)
		if n, err := in.Queue.Replay(t.Context(), ids[0], ""); n != 1 || err != nil {
			t.Fatalf("Replay of a purged one: %d, %v; want 1", n, err)
		}
		in.done(t, in.claim(t, laneA, 1)...)
		in.depth(t, laneA, 0, 0, 0, 0)
	}},
}
