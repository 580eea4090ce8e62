package queuetest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
)

const (
	laneA = "github/kafka-1"
	laneB = "github/log-2"
	lease = time.Minute
)

// newEvent is an event with something in every field.
func (in *Instance) newEvent(hook, body string) *event.Event {
	return &event.Event{
		Hook: hook, Type: "push", Received: in.Now(), Remote: netip.MustParseAddr("2001:db8::7"),
		Subject: "hmac:" + hook, Query: "a=1&b=%20", Header: http.Header{"X-Test": {"one", "two"}}, Body: []byte(body),
	}
}

func (in *Instance) item(body string, lanes ...string) queue.Item {
	return queue.Item{Event: in.newEvent("github", body), Lanes: lanes}
}

func (in *Instance) put(t *testing.T, body string, lanes ...string) event.ID {
	t.Helper()
	return in.putItem(t, in.item(body, lanes...)).ID
}

func (in *Instance) putItem(t *testing.T, it queue.Item) queue.Put {
	t.Helper()
	p, err := in.Queue.Put(t.Context(), it)
	if err != nil {
		t.Fatalf("Put: %v", err)
	}
	return p
}

// claim takes exactly n deliveries, in as many Claims as it takes.
func (in *Instance) claim(t *testing.T, lane string, n int) []*queue.Claim {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var got []*queue.Claim
	for len(got) < n {
		cs, err := in.Queue.Claim(ctx, lane, n-len(got), lease)
		if err != nil {
			t.Fatalf("Claim of %d from %s: %v (have %v)", n, lane, err, bodies(got))
		}
		got = append(got, cs...)
	}
	return got
}

// nothing asserts that the lane has nothing due.
func (in *Instance) nothing(t *testing.T, lane string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	cs, err := in.Queue.Claim(ctx, lane, 10, lease)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Claim from %s: got %v, %v; want nothing until the context ends", lane, bodies(cs), err)
	}
}

func (in *Instance) settle(t *testing.T, vs ...queue.Verdict) {
	t.Helper()
	if err := in.Queue.Settle(t.Context(), vs...); err != nil {
		t.Fatalf("Settle: %v", err)
	}
}

func (in *Instance) done(t *testing.T, cs ...*queue.Claim) {
	t.Helper()
	for _, c := range cs {
		in.settle(t, queue.Verdict{Claim: c, Outcome: queue.Done, Code: "ok", Note: "204 No Content"})
	}
}

// kill puts the event's delivery to the lane among the dead letters.
func (in *Instance) kill(t *testing.T, body, lane string) event.ID {
	t.Helper()
	id := in.put(t, body, lane)
	c := in.claim(t, lane, 1)[0]
	in.settle(t, queue.Verdict{Claim: c, Outcome: queue.Dead, Code: "http_400", Note: "no"})
	return id
}

// depth asserts the counts of a lane.
func (in *Instance) depth(t *testing.T, lane string, ready, delayed, leased, dead int) queue.Depth {
	t.Helper()
	all, err := in.Queue.Depth(t.Context())
	if err != nil {
		t.Fatalf("Depth: %v", err)
	}
	d := all[lane]
	if d.Ready != ready || d.Delayed != delayed || d.Leased != leased || d.Dead != dead {
		t.Fatalf("depth of %s: %+v; want ready %d delayed %d leased %d dead %d", lane, d, ready, delayed, leased, dead)
	}
	if owed := ready+delayed+leased > 0; owed == d.Oldest.IsZero() {
		t.Fatalf("depth of %s: oldest is %v with %d owed", lane, d.Oldest, ready+delayed+leased)
	}
	return d
}

func (in *Instance) get(t *testing.T, id event.ID) queue.Record {
	t.Helper()
	r, err := in.Queue.Get(t.Context(), id)
	if err != nil {
		t.Fatalf("Get: %v", err)
	}
	return r
}

// list pages through everything that the filter passes, a few at a time.
func (in *Instance) list(t *testing.T, f queue.Filter, list func(context.Context, queue.Filter, string, int) (queue.Page, error)) []queue.Record {
	t.Helper()
	var all []queue.Record
	for cursor := ""; ; {
		p, err := list(t.Context(), f, cursor, 3)
		if err != nil {
			t.Fatalf("list %+v: %v", f, err)
		}
		if len(p.Records) > 3 {
			t.Fatalf("a page of %d records; want at most 3", len(p.Records))
		}
		all = append(all, p.Records...)
		if cursor = p.Next; cursor == "" {
			return all
		}
	}
}

func bodies(cs []*queue.Claim) (out []string) {
	for _, c := range cs {
		out = append(out, string(c.Event.Body))
	}
	return out
}

func same[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v; want %v", what, got, want)
	}
}

func sameList[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("%s: got %v; want %v", what, got, want)
	}
}

func isErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("%s: got error %v; want %v", what, err, want)
	}
}

func statuses(r queue.Record) string {
	s := ""
	for _, d := range r.Deliveries {
		s += fmt.Sprintf("%s=%s/%d ", d.Lane, d.Status, d.Attempts)
	}
	return s
}

// put2 puts an event and returns it as it should come back.
func (in *Instance) put2(t *testing.T, body string, lanes ...string) *event.Event {
	t.Helper()
	it := in.item(body, lanes...)
	want := *it.Event
	want.ID = in.putItem(t, it).ID
	return &want
}
