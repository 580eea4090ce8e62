package queuetest

import (
	"bytes"
	"context"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
)

var basicCases = []testCase{
	{name: "put claim done", fn: func(t *testing.T, in *Instance) {
		it := in.item("hello", laneA)
		want := *it.Event
		p := in.putItem(t, it)
		same(t, "fresh", p.Fresh, true)
		in.depth(t, laneA, 1, 0, 0, 0)
		c := in.claim(t, laneA, 1)[0]
		in.depth(t, laneA, 0, 0, 1, 0)
		want.ID = p.ID
		sameEvent(t, c.Event, &want)
		same(t, "delivery id", c.ID, event.DeliveryID(p.ID, laneA))
		same(t, "attempt", c.Attempt, 1)
		same(t, "lane", c.Lane, laneA)
		if d := c.Ready.Sub(want.Received); d < -time.Second || d > time.Second {
			t.Fatalf("ready %v after the acceptance", d)
		}
		in.nothing(t, laneA)
		in.done(t, c)
		in.nothing(t, laneA)
		in.depth(t, laneA, 0, 0, 0, 0)
		same(t, "state", statuses(in.get(t, p.ID)), laneA+"=delivered/1 ")
	}},
	{name: "oldest first", fn: func(t *testing.T, in *Instance) {
		for _, b := range []string{"1", "2", "3", "4", "5"} {
			in.put(t, b, laneA)
		}
		cs := in.claim(t, laneA, 2)
		cs = append(cs, in.claim(t, laneA, 3)...)
		sameList(t, "order", bodies(cs), []string{"1", "2", "3", "4", "5"})
		in.done(t, cs...)
	}},
	{name: "lanes are independent", fn: func(t *testing.T, in *Instance) {
		in.put(t, "both", laneA, laneB, laneA)
		in.put(t, "a", laneA)
		in.depth(t, laneA, 2, 0, 0, 0)
		in.depth(t, laneB, 1, 0, 0, 0)
		a, b := in.claim(t, laneA, 2), in.claim(t, laneB, 1)
		sameList(t, "a", bodies(a), []string{"both", "a"})
		sameList(t, "b", bodies(b), []string{"both"})
		in.done(t, b...)
		in.depth(t, laneA, 0, 0, 2, 0)
		in.nothing(t, "never/heard-of")
		in.done(t, a...)
	}},
	{name: "no lanes is history only", fn: func(t *testing.T, in *Instance) {
		id := in.put(t, "x")
		same(t, "deliveries", len(in.get(t, id).Deliveries), 0)
		d, err := in.Queue.Depth(t.Context())
		if err != nil || len(d) != 0 {
			t.Fatalf("Depth: %v, %v; want no lanes", d, err)
		}
	}},
	{name: "ids only grow", fn: func(t *testing.T, in *Instance) {
		var last event.ID
		for range 100 {
			id := in.put(t, "x")
			if bytes.Compare(id[:], last[:]) <= 0 {
				t.Fatalf("id %s after %s", id, last)
			}
			last = id
		}
	}},
	{name: "own id", fn: func(t *testing.T, in *Instance) {
		var ids event.IDs
		old := ids.Next(in.Now().Add(-time.Hour))
		in.put(t, "newer", laneA)
		in.done(t, in.claim(t, laneA, 1)...)
		it := in.item("older", laneA)
		it.Event.ID = old
		p := in.putItem(t, it)
		same(t, "fresh", p.Fresh, true)
		same(t, "id", p.ID, old)
		again := in.item("again", laneA)
		again.Event.ID = old
		p = in.putItem(t, again)
		same(t, "fresh", p.Fresh, false)
		cs := in.claim(t, laneA, 1)
		sameList(t, "bodies", bodies(cs), []string{"older"})
		same(t, "attempt", cs[0].Attempt, 1)
		in.done(t, cs...)
		in.nothing(t, laneA)
		in.depth(t, laneA, 0, 0, 0, 0)
	}},
	{name: "bytes are exact", fn: func(t *testing.T, in *Instance) {
		noise := make([]byte, 1<<20)
		for i := range noise {
			noise[i] = byte(i * i >> 7)
		}
		for _, b := range [][]byte{nil, {}, {0}, []byte("\x00a\x00"), []byte("\xff\xfe\xc0\x80"), noise, bytes.Repeat([]byte("json "), 200_000)} {
			it := in.item("", laneA)
			it.Event.Body = b
			it.Event.Header = http.Header{"Empty": {""}, "None": {}, "Bin": {"\x00\xff\r\n"}, "": {"x"}, "Long": {strings.Repeat("h", 70_000)}}
			want := *it.Event
			want.ID = in.putItem(t, it).ID
			c := in.claim(t, laneA, 1)[0]
			sameEvent(t, c.Event, &want)
			in.done(t, c)
			sameEvent(t, in.get(t, want.ID).Event, &want)
			same(t, "size", in.get(t, want.ID).Size, len(b))
		}
	}},
	{name: "the caller's buffers are its own", fn: func(t *testing.T, in *Instance) {
		it := in.item("before", laneA)
		in.putItem(t, it)
		copy(it.Event.Body, "AFTER!")
		it.Event.Header["X-Test"][0] = "changed"
		c := in.claim(t, laneA, 1)[0]
		same(t, "body", string(c.Event.Body), "before")
		same(t, "header", c.Event.Header.Get("X-Test"), "one")
	}},
	{name: "claim wakes on put", fn: func(t *testing.T, in *Instance) {
		got := make(chan []*queue.Claim)
		for range 3 {
			go func() {
				cs, _ := in.Queue.Claim(t.Context(), laneA, 1, lease)
				got <- cs
			}()
		}
		seen := map[string]bool{}
		for _, b := range []string{"1", "2", "3"} {
			in.put(t, b, laneA)
		}
		for range 3 {
			for _, c := range <-got {
				seen[string(c.Event.Body)] = true
			}
		}
		same(t, "claimed", len(seen), 3)
	}},
	{name: "context ends a claim", fn: func(t *testing.T, in *Instance) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() {
			_, err := in.Queue.Claim(ctx, laneA, 1, lease)
			ended <- err
		}()
		cancel()
		isErr(t, "Claim", <-ended, context.Canceled)
		_, err := in.Queue.Put(ctx, in.item("x", laneA))
		isErr(t, "Put", err, context.Canceled)
		in.nothing(t, laneA)
	}},
	{name: "close", fn: func(t *testing.T, in *Instance) {
		in.put(t, "x", laneA)
		c := in.claim(t, laneA, 1)[0]
		ended := make(chan error)
		go func() {
			_, err := in.Queue.Claim(t.Context(), laneA, 1, lease)
			ended <- err
		}()
		if err := in.Queue.Close(t.Context()); err != nil {
			t.Fatalf("Close: %v", err)
		}
		isErr(t, "waiting Claim", <-ended, queue.ErrClosed)
		_, err := in.Queue.Put(t.Context(), in.item("x", laneA))
		isErr(t, "Put", err, queue.ErrClosed)
		_, err = in.Queue.Claim(t.Context(), laneA, 1, lease)
		isErr(t, "Claim", err, queue.ErrClosed)
		isErr(t, "Settle", in.Queue.Settle(t.Context(), queue.Verdict{Claim: c}), queue.ErrClosed)
		_, err = in.Queue.Depth(t.Context())
		isErr(t, "Depth", err, queue.ErrClosed)
		_, err = in.Queue.List(t.Context(), queue.Filter{}, "", 1)
		isErr(t, "List", err, queue.ErrClosed)
		if err := in.Queue.Close(t.Context()); err != nil {
			t.Fatalf("second Close: %v", err)
		}
		if s, ok := in.Queue.(queue.Stater); ok {
			same(t, "writable", s.State().Writable, false)
		}
	}},
}

// sameEvent compares what was stored with what came back. A nil and an empty
// body are the same.
func sameEvent(t *testing.T, got, want *event.Event) {
	t.Helper()
	if !bytes.Equal(got.Body, want.Body) {
		t.Fatalf("body: %d bytes; want the %d that were put", len(got.Body), len(want.Body))
	}
	if !got.Received.Equal(want.Received) {
		t.Fatalf("received: got %v; want %v", got.Received, want.Received)
	}
	g, w := *got, *want
	g.Body, w.Body, g.Received, w.Received = nil, nil, time.Time{}, time.Time{}
	if len(g.Header["None"]) == 0 && len(w.Header["None"]) == 0 {
		delete(g.Header, "None")
		w.Header = w.Header.Clone()
		delete(w.Header, "None")
	}
	if !reflect.DeepEqual(g, w) {
		t.Fatalf("event: got %+v; want %+v", g, w)
	}
}
