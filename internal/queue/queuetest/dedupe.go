package queuetest

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
)

func (in *Instance) keyed(body, key string) queue.Item {
	it := in.item(body, laneA)
	it.DedupeKey, it.DedupeWindow = key, time.Hour
	return it
}

var dedupeCases = []testCase{
	{name: "dedupe", fn: func(t *testing.T, in *Instance) {
		first := in.putItem(t, in.keyed("1", "github/a"))
		second := in.putItem(t, in.keyed("2", "github/a"))
		same(t, "first", first.Fresh, true)
		same(t, "second", second, queue.Put{ID: first.ID})
		same(t, "other key", in.putItem(t, in.keyed("3", "github/ab")).Fresh, true)
		cs := in.claim(t, laneA, 2)
		sameList(t, "claimed", bodies(cs), []string{"1", "3"})
		in.done(t, cs...)
		same(t, "after settle", in.putItem(t, in.keyed("4", "github/a")), queue.Put{ID: first.ID})
		in.nothing(t, laneA)
	}},
	{name: "dedupe window ends", fn: func(t *testing.T, in *Instance) {
		first := in.putItem(t, in.keyed("1", "k"))
		in.Advance(time.Hour - time.Minute)
		same(t, "inside", in.putItem(t, in.keyed("2", "k")).Fresh, false)
		in.Advance(2 * time.Minute)
		again := in.putItem(t, in.keyed("3", "k"))
		same(t, "outside", again.Fresh, true)
		if again.ID == first.ID {
			t.Fatal("a fresh event has the ID of the first")
		}
		same(t, "new window", in.putItem(t, in.keyed("4", "k")), queue.Put{ID: again.ID})
	}},
	{name: "no key or no window is no dedupe", fn: func(t *testing.T, in *Instance) {
		for range 2 {
			same(t, "no key", in.putItem(t, in.keyed("1", "")).Fresh, true)
			it := in.keyed("1", "k")
			it.DedupeWindow = 0
			same(t, "no window", in.putItem(t, it).Fresh, true)
		}
	}},
	{name: "200 at once are one", fn: func(t *testing.T, in *Instance) {
		for _, key := range []string{"p", "q", "r"} {
			var (
				wg    sync.WaitGroup
				mu    sync.Mutex
				fresh int
				ids   = map[event.ID]bool{}
			)
			start := make(chan struct{})
			for range 200 {
				it := in.keyed("x", key)
				wg.Go(func() {
					<-start
					p, err := in.Queue.Put(t.Context(), it)
					if err != nil {
						t.Errorf("Put: %v", err)
					}
					mu.Lock()
					defer mu.Unlock()
					ids[p.ID] = true
					if p.Fresh {
						fresh++
					}
				})
			}
			close(start)
			wg.Wait()
			same(t, "fresh", fresh, 1)
			same(t, "ids", len(ids), 1)
		}
		in.depth(t, laneA, 3, 0, 0, 0)
	}},
}

// marked is an item that may be accepted once.
func (in *Instance) marked(body string, until time.Duration, keys ...string) queue.Item {
	it := in.item(body, laneA)
	for _, k := range keys {
		it.Once = append(it.Once, queue.Once{Key: k, Until: in.Now().Add(until)})
	}
	return it
}

// replayed asserts that the item was accepted before.
func (in *Instance) replayed(t *testing.T, it queue.Item) {
	t.Helper()
	_, err := in.Queue.Put(t.Context(), it)
	isErr(t, "Put", err, queue.ErrReplayed)
}

var onceCases = []testCase{
	{name: "once", fn: func(t *testing.T, in *Instance) {
		in.putItem(t, in.marked("1", time.Hour, "n1"))
		in.replayed(t, in.marked("2", time.Hour, "n1"))
		in.replayed(t, in.marked("3", time.Hour, "n0", "n1"))
		in.putItem(t, in.marked("4", time.Hour, "n0", "n2")) // the refused one left nothing
		in.replayed(t, in.marked("5", time.Hour, "n2"))
		sameList(t, "claimed", bodies(in.claim(t, laneA, 2)), []string{"1", "4"})
		in.nothing(t, laneA)
	}},
	{name: "once ends", fn: func(t *testing.T, in *Instance) {
		in.putItem(t, in.marked("1", time.Hour, "n"))
		in.Advance(time.Hour - time.Minute)
		in.replayed(t, in.marked("2", time.Hour, "n"))
		in.Advance(2 * time.Minute)
		in.putItem(t, in.marked("3", time.Hour, "n"))
		in.replayed(t, in.marked("4", time.Hour, "n"))
	}},
	{name: "once and dedupe", fn: func(t *testing.T, in *Instance) {
		both := func(body, key, mark string) queue.Item {
			it := in.marked(body, time.Hour, mark)
			it.DedupeKey, it.DedupeWindow = key, time.Hour
			return it
		}
		first := in.putItem(t, both("1", "k", "n"))
		in.replayed(t, both("2", "k", "n"))
		same(t, "duplicate", in.putItem(t, both("3", "k", "n2")), queue.Put{ID: first.ID})
		// What was a duplicate took no mark, and keys of one kind are not the other's.
		same(t, "fresh", in.putItem(t, both("4", "n", "n2")).Fresh, true)
		same(t, "fresh", in.putItem(t, both("5", "n3", "k")).Fresh, true)
	}},
	{name: "200 at once are accepted once", fn: func(t *testing.T, in *Instance) {
		var (
			wg    sync.WaitGroup
			fresh atomic.Int32
		)
		start := make(chan struct{})
		for i := range 200 {
			keys := []string{"a", "b", "c"}
			if i%2 == 0 {
				slices.Reverse(keys)
			}
			it := in.marked("x", time.Hour, keys...)
			wg.Go(func() {
				<-start
				switch _, err := in.Queue.Put(t.Context(), it); {
				case err == nil:
					fresh.Add(1)
				case !errors.Is(err, queue.ErrReplayed):
					t.Errorf("Put: %v", err)
				}
			})
		}
		close(start)
		wg.Wait()
		same(t, "accepted", fresh.Load(), 1)
		in.depth(t, laneA, 1, 0, 0, 0)
	}},
	{name: "once survives", fn: func(t *testing.T, in *Instance) {
		if in.Reopen == nil {
			t.Skip("nothing persists")
		}
		in.putItem(t, in.marked("1", time.Hour, "n"))
		in.Queue = in.Reopen(t)
		in.replayed(t, in.marked("2", time.Hour, "n"))
	}},
}
