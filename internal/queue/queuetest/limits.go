package queuetest

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
)

// pause lets a backend's own goroutines work.
func pause() { <-time.After(10 * time.Millisecond) }

// patience is how many pauses a backend has.
const patience = 2000

// gone waits until the event is forgotten.
func (in *Instance) gone(t *testing.T, id event.ID) {
	t.Helper()
	for range patience {
		if _, err := in.Queue.Get(t.Context(), id); errors.Is(err, queue.ErrNotFound) {
			return
		}
		in.put(t, "tick") // memory forgets when it is used
		pause()
		in.Advance(time.Second)
	}
	t.Fatalf("event %s is still there", id)
}

var limitCases = []testCase{
	{name: "full heals", opt: Options{MaxBytes: 4 << 20}, fn: func(t *testing.T, in *Instance) {
		rng := rand.NewChaCha8([32]byte{1})
		stored := 0
		fill := func() error {
			body := make([]byte, 128<<10)
			_, _ = rng.Read(body)
			it := in.item("", laneA)
			it.Event.Body = body
			_, err := in.Queue.Put(t.Context(), it)
			return err
		}
		for full, refused := false, 0; !full; {
			err := fill()
			if err == nil {
				stored++
				if stored%20 == 0 {
					pause()
				}
			} else {
				isErr(t, "Put", err, queue.ErrFull)
				refused++
				full = true
				// What is written in the background may make room again at once.
				if s, ok := in.Queue.(queue.Stater); ok {
					st := s.State()
					if full = st.Full; full && (st.Writable || st.Reason == nil) {
						t.Fatalf("state: %+v; want full", st)
					}
				}
			}
			if stored > 4000 || refused > 4000 {
				t.Fatal("it never gets full")
			}
		}
		in.depth(t, laneA, stored, 0, 0, 0) // what was refused is not there
		for stored > 0 {
			n := min(stored, 50)
			cs := in.claim(t, laneA, n)
			for _, c := range cs {
				if len(c.Event.Body) != 128<<10 {
					t.Fatalf("body of %d bytes", len(c.Event.Body))
				}
			}
			in.done(t, cs...)
			stored -= n
		}
		for range patience {
			err := fill()
			if err == nil {
				return
			}
			isErr(t, "Put", err, queue.ErrFull)
			pause()
			in.Advance(time.Second)
		}
		t.Fatal("still full after all was settled")
	}},
	{name: "8 workers, 10000 items, none lost, none twice", fn: func(t *testing.T, in *Instance) {
		const items, workers = 10_000, 8
		seen := make([]atomic.Int32, items)
		var left atomic.Int32
		left.Store(items)
		all := make(chan struct{})
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				for i := w; i < items; i += workers {
					if _, err := in.Queue.Put(t.Context(), in.item(strconv.Itoa(i), laneA)); err != nil {
						t.Errorf("Put: %v", err)
						return
					}
				}
			})
			wg.Go(func() {
				ctx, cancel := withDone(t, all)
				defer cancel()
				rng := rand.New(rand.NewPCG(uint64(w), 1))
				for {
					cs, err := in.Queue.Claim(ctx, laneA, 1+w*3, time.Hour)
					if err != nil {
						return
					}
					vs := make([]queue.Verdict, len(cs))
					for i, c := range cs {
						vs[i] = queue.Verdict{Claim: c, Outcome: queue.Done}
						switch rng.IntN(20) {
						case 0:
							vs[i] = queue.Verdict{Claim: c, Outcome: queue.Later}
							continue
						case 1:
							vs[i] = queue.Verdict{Claim: c, Outcome: queue.Later, Uncounted: true}
							continue
						}
						n, _ := strconv.Atoi(string(bytes.TrimSpace(c.Event.Body)))
						seen[n].Add(1)
						if left.Add(-1) == 0 {
							close(all)
						}
					}
					if err := in.Queue.Settle(t.Context(), vs...); err != nil {
						t.Errorf("Settle: %v", err)
					}
				}
			})
		}
		wg.Wait()
		for i := range seen {
			if n := seen[i].Load(); n != 1 {
				t.Fatalf("item %d was delivered %d times", i, n)
			}
		}
		in.depth(t, laneA, 0, 0, 0, 0)
	}},
}
