package queuetest

import (
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
)

var historyCases = []testCase{
	{name: "list is newest first, without bodies", fn: func(t *testing.T, in *Instance) {
		var ids []event.ID
		for range 10 {
			ids = append(ids, in.put(t, "body", laneA, laneB))
		}
		rs := in.list(t, queue.Filter{}, in.Queue.List)
		same(t, "records", len(rs), 10)
		for i, r := range rs {
			same(t, "order", r.Event.ID, ids[9-i])
			same(t, "size", r.Size, 4)
			if r.Event.Body != nil || r.Event.Header != nil {
				t.Fatal("a list has bodies or headers")
			}
			same(t, "lanes by name", statuses(r), laneA+"=pending/0 "+laneB+"=pending/0 ")
			same(t, "delivery id", r.Deliveries[0].ID, event.DeliveryID(r.Event.ID, laneA))
		}
		if _, err := in.Queue.List(t.Context(), queue.Filter{}, "nonsense", 1); err == nil {
			t.Fatal("a bad cursor is taken")
		}
	}},
	{name: "pages of exactly the limit end", fn: func(t *testing.T, in *Instance) {
		for range 3 {
			in.put(t, "x")
		}
		p, err := in.Queue.List(t.Context(), queue.Filter{}, "", 3)
		if err != nil || len(p.Records) != 3 || p.Next != "" {
			t.Fatalf("page: %d records, next %q, %v; want 3 and no next", len(p.Records), p.Next, err)
		}
	}},
	{name: "filters", fn: func(t *testing.T, in *Instance) {
		start := in.Now()
		step := func(hook, kind, lane string) {
			e := in.newEvent(hook, hook+kind)
			e.Type = kind
			in.putItem(t, queue.Item{Event: e, Lanes: []string{lane}})
			in.Advance(time.Minute)
		}
		step("github", "push", laneA)
		step("github", "issues", laneB)
		step("stripe", "push", laneB)
		step("stripe", "charge", "stripe/s3-1")
		in.done(t, in.claim(t, laneA, 1)...)
		in.settle(t, queue.Verdict{Claim: in.claim(t, laneB, 1)[0], Outcome: queue.Dead})
		in.settle(t, queue.Verdict{Claim: in.claim(t, "stripe/s3-1", 1)[0], Outcome: queue.Later, At: in.Now().Add(time.Hour)})
		for _, c := range []struct {
			f    queue.Filter
			want int
		}{
			{queue.Filter{}, 4},
			{queue.Filter{Hook: "github"}, 2},
			{queue.Filter{Hook: "nobody"}, 0},
			{queue.Filter{Type: "push"}, 2},
			{queue.Filter{Hook: "stripe", Type: "push"}, 1},
			{queue.Filter{Lane: laneB}, 2},
			{queue.Filter{Status: queue.StatusDelivered}, 1},
			{queue.Filter{Status: queue.StatusDead}, 1},
			{queue.Filter{Status: queue.StatusPending}, 1},
			{queue.Filter{Status: queue.StatusDelayed}, 1},
			{queue.Filter{Status: queue.StatusDead, Lane: laneA}, 0},
			{queue.Filter{Since: start.Add(time.Minute)}, 3},
			{queue.Filter{Until: start.Add(2 * time.Minute)}, 2},
			{queue.Filter{Since: start.Add(30 * time.Second), Until: start.Add(90 * time.Second)}, 1},
		} {
			if got := len(in.list(t, c.f, in.Queue.List)); got != c.want {
				t.Errorf("filter %+v: %d records; want %d", c.f, got, c.want)
			}
		}
	}},
	{name: "get", fn: func(t *testing.T, in *Instance) {
		_, err := in.Queue.Get(t.Context(), event.ID{1})
		isErr(t, "Get", err, queue.ErrNotFound)
	}},
	{name: "settled events are forgotten", opt: Options{HistoryAge: time.Hour, DeadAge: 24 * time.Hour}, fn: func(t *testing.T, in *Instance) {
		settled := in.put(t, "x", laneA)
		in.done(t, in.claim(t, laneA, 1)...)
		owed := in.put(t, "y", laneA)
		dead := in.kill(t, "z", laneB)
		in.Advance(2 * time.Hour)
		in.gone(t, settled)
		in.get(t, owed)
		same(t, "dead", in.get(t, dead).Deliveries[0].Status, queue.StatusDead)
		in.Advance(23 * time.Hour)
		in.gone(t, dead)
		in.depth(t, laneB, 0, 0, 0, 0)
		sameList(t, "owed", bodies(in.claim(t, laneA, 1)), []string{"y"})
	}},
}
