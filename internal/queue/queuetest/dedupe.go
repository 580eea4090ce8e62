package queuetest

import (
	"sync"
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
