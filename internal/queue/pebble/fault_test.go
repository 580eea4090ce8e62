package pebble_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/internal/queue/pebble"
)

// long is how many times a case is repeated: few in a short run, many with
// HOOKD_TEST_LONG.
func long(short, long int) int {
	if os.Getenv("HOOKD_TEST_LONG") != "" {
		return long
	}
	return short
}

const lane = "hook/dest-1"

// ledger is what the outside knows: which events were acknowledged.
type ledger struct {
	mu    sync.Mutex
	acked []event.ID
	known map[event.ID]bool
}

func (l *ledger) add(id event.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known == nil {
		l.known = map[event.ID]bool{}
	}
	l.acked = append(l.acked, id)
	l.known[id] = true
}

func (l *ledger) all() []event.ID {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.acked[:len(l.acked):len(l.acked)]
}

func (l *ledger) has(id event.ID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.known[id]
}

func putOne(ctx context.Context, q *pebble.Queue, size int) (queue.Put, error) {
	body := make([]byte, size)
	for i := range body {
		body[i] = byte(rand.Uint32())
	}
	return q.Put(ctx, queue.Item{
		Event: &event.Event{Hook: "hook", Received: time.Now(), Body: body}, Lanes: []string{lane},
		DedupeKey: fmt.Sprint(rand.Uint64()), DedupeWindow: time.Hour,
	})
}

// traffic puts, claims and settles until the context ends or Puts fail.
func traffic(ctx context.Context, q *pebble.Queue, l *ledger, after int, failed func(error)) *sync.WaitGroup {
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for n := 0; n < after && ctx.Err() == nil; n++ {
				p, err := putOne(ctx, q, rand.IntN(4<<10))
				if err != nil {
					failed(err)
					return
				}
				l.add(p.ID)
			}
		})
	}
	wg.Go(func() {
		for {
			cs, err := q.Claim(ctx, lane, 3, time.Minute)
			if err != nil {
				return
			}
			for i, c := range cs {
				v := queue.Verdict{Claim: c, Outcome: queue.Done}
				if i == 1 {
					v = queue.Verdict{Claim: c, Outcome: queue.Later}
				}
				err := q.Settle(ctx, v)
				if errors.Is(err, queue.ErrLost) {
					continue // its key was behind the last fsync; it comes again
				}
				if err != nil {
					if ctx.Err() == nil && !errors.Is(err, queue.ErrReadOnly) {
						failed(fmt.Errorf("settle: %w", err))
					}
					return
				}
			}
		}
	})
	return &wg
}

// inject fails every write from the n-th on, until it is switched off.
type inject struct {
	err   error
	left  atomic.Int64
	off   atomic.Bool
	fired atomic.Bool
}

func (in *inject) MaybeError(op errorfs.Op) error {
	switch op.Kind {
	case errorfs.OpCreate, errorfs.OpReuseForWrite, errorfs.OpRename, errorfs.OpLink, errorfs.OpFileWrite,
		errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo, errorfs.OpFileClose:
	default:
		return nil
	}
	if in.off.Load() || in.left.Add(-1) >= 0 {
		return nil
	}
	in.fired.Store(true)
	return in.err
}

func (in *inject) String() string { return "inject" }

func mustHave(t *testing.T, q *pebble.Queue, ids []event.ID, what string) {
	t.Helper()
	for _, id := range ids {
		if _, err := q.Get(t.Context(), id); err != nil {
			t.Fatalf("%s: acknowledged event %s of %d: %v", what, id, len(ids), err)
		}
	}
}

// A write that fails is never acknowledged, ends nothing but the writing, and
// loses nothing that was acknowledged before: not even in a power cut.
func TestFailedWriteIsReadOnly(t *testing.T) {
	t.Parallel()
	for n := range long(60, 1500) {
		mem := vfs.NewCrashableMem()
		in := &inject{err: &os.PathError{Op: "write", Path: "x", Err: syscall.EIO}}
		in.left.Store(1 << 40)
		opt := pebble.Options{Dir: "q"}.Small()
		q, err := pebble.Open(t.Context(), opt.On(errorfs.Wrap(mem, in)))
		if err != nil {
			t.Fatal(err)
		}
		in.left.Store(int64(n * 3))
		var l ledger
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		wrong := make(chan error, 8)
		wg := traffic(ctx, q, &l, 1<<30, func(err error) {
			if ctx.Err() == nil && (!errors.Is(err, queue.ErrReadOnly) || !errors.Is(err, syscall.EIO)) {
				wrong <- err
			}
			cancel() // the claiming worker waits, for nothing heals this
		})
		wg.Wait()
		cancel()
		select {
		case err := <-wrong:
			t.Fatalf("write %d: %v; want ErrReadOnly", n, err)
		default:
		}
		if !in.fired.Load() {
			t.Fatalf("write %d: nothing failed", n)
		}
		if s := q.State(); !s.ReadOnly || s.Writable {
			t.Fatalf("write %d: state %+v", n, s)
		}
		if _, err := putOne(t.Context(), q, 10); !errors.Is(err, queue.ErrReadOnly) {
			t.Fatalf("write %d: Put after the failure: %v", n, err)
		}
		mustHave(t, q, l.all(), "while read-only")
		clone := mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: n % 101, RNG: seeded(n)})
		closeQueue(t, q)
		q = open(t, opt.On(clone))
		mustHave(t, q, l.all(), fmt.Sprintf("write %d, after a power cut", n))
		closeQueue(t, q)
	}
}

// A full disk refuses, and heals by itself; what was refused is not delivered.
func TestFullDiskHeals(t *testing.T) {
	t.Parallel()
	for n := range long(40, 800) {
		mem := vfs.NewMem()
		in := &inject{err: &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}}
		in.left.Store(1 << 40)
		q, err := pebble.Open(t.Context(), pebble.Options{Dir: "q"}.Small().On(errorfs.Wrap(mem, in)))
		if err != nil {
			t.Fatal(err)
		}
		in.left.Store(int64(n * 5))
		var l ledger
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		wrong := make(chan error, 8)
		var puts atomic.Int32
		free := make(chan struct{})
		wg := traffic(ctx, q, &l, 1<<30, func(err error) {
			if !errors.Is(err, queue.ErrFull) {
				wrong <- err
			}
			if puts.Add(1) == 4 {
				close(free)
			}
		})
		<-free
		if n%2 == 0 { // let it try, and fail, to heal
			<-time.After(25 * time.Millisecond)
		}
		in.off.Store(true)
		healed := func() error {
			for ctx.Err() == nil {
				p, err := putOne(ctx, q, 100)
				if err == nil {
					l.add(p.ID)
					return nil
				}
				<-time.After(5 * time.Millisecond)
			}
			return ctx.Err()
		}
		if err := healed(); err != nil {
			t.Fatalf("write %d: does not heal: %v", n, err)
		}
		mustHave(t, q, l.all(), fmt.Sprintf("write %d, healed", n))
		for round := 0; ; round++ { // the worker of traffic settles the rest
			d, err := q.Depth(ctx)
			if round > 5000 {
				t.Fatalf("write %d: depth %+v, %v, state %+v", n, d, err, q.State())
			}
			if err != nil || ctx.Err() != nil {
				t.Fatalf("write %d: depth %v, %v, state %+v", n, d, err, q.State())
			}
			if len(d) == 0 {
				break
			}
			<-time.After(5 * time.Millisecond)
		}
		cancel()
		wg.Wait()
		select {
		case err := <-wrong:
			t.Fatalf("write %d: %v; want ErrFull", n, err)
		default:
		}
		ghosts(t, q, &l)
		closeQueue(t, q)
	}
}

// ghosts asserts that nothing is in the queue whose Put failed.
func ghosts(t *testing.T, q *pebble.Queue, l *ledger) {
	t.Helper()
	for cursor := ""; ; {
		p, err := q.List(t.Context(), queue.Filter{}, cursor, 500)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Records {
			if !l.has(r.Event.ID) {
				t.Fatalf("event %s is there, but its Put failed", r.Event.ID)
			}
		}
		if cursor = p.Next; cursor == "" {
			return
		}
	}
}

// A power cut at any moment keeps what was acknowledged before it.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	if lost := powerCuts(t, long(60, 5000), false); lost > 0 {
		t.Fatalf("%d acknowledged events lost", lost)
	}
}

// The same without fsync loses events: the test above can fail.
func TestPowerCutControl(t *testing.T) {
	t.Parallel()
	if lost := powerCuts(t, 5, true); lost == 0 {
		t.Fatal("nothing is lost without fsync: the test is blind")
	}
}

func powerCuts(t *testing.T, rounds int, control bool) (lost int) {
	for n := range rounds {
		mem := vfs.NewCrashableMem()
		opt := pebble.Options{Dir: "q"}.Small()
		first := opt.On(mem)
		if control {
			first = first.NoSync()
		}
		q, err := pebble.Open(t.Context(), first)
		if err != nil {
			t.Fatal(err)
		}
		var l ledger
		ctx, cancel := context.WithCancel(t.Context())
		wg := traffic(ctx, q, &l, 1<<30, func(error) {})
		for want := 1 + rand.IntN(200); len(l.all()) < want; {
			<-time.After(time.Millisecond)
		}
		acked := l.all()
		percent := n % 101
		if control {
			percent = 0
		}
		clone := mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: seeded(n)})
		cancel()
		wg.Wait()
		closeQueue(t, q)
		q, err = pebble.Open(t.Context(), opt.On(clone))
		if err != nil {
			t.Fatalf("cut %d: %v", n, err)
		}
		for _, id := range acked {
			if _, err := q.Get(t.Context(), id); err != nil {
				lost++
			}
		}
		// Every delivery that is owed can be claimed, and depth knows of it.
		d, err := q.Depth(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for owed := d[lane].Ready; owed > 0; {
			cs, err := q.Claim(t.Context(), lane, owed, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			owed -= len(cs)
		}
		closeQueue(t, q)
	}
	return lost
}
