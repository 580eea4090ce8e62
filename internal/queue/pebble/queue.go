package pebble

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
)

// Queue implements queue.Queue and queue.Stater on disk.
//
// Locks are taken in this order: revive, store, writer.mu, lanes.mu, lane.mu.
type Queue struct {
	opt    Options
	log    *slog.Logger
	ids    event.IDs
	lanes  lanes
	keys   pendingKeys
	space  space
	revive revivals
	writer *writer
	lock   *pebble.Lock

	store sync.RWMutex // held for reading while db is used
	db    *pebble.DB   // nil while it cannot be opened; set under store and writer.mu
	guard *guard
	gen   atomic.Uint64 // counts how often the store was opened

	compacting atomic.Pointer[context.CancelFunc] // ends a compaction that was asked for

	failed atomic.Pointer[failure]
	healed atomic.Pointer[chan struct{}] // closed, and replaced, when failed is nil again

	filters   filters
	retention retention // the janitor's, as sweeping
	sweeping  sweeping

	doubts struct { // Puts that failed and may be on the disk
		sync.Mutex
		list []doubt
	}
	counted atomic.Pointer[chan struct{}] // closed when counts hold what was there at open

	closed  chan struct{}
	closing sync.Once
	ended   chan struct{}
	work    sync.WaitGroup // the janitor and the counting
	stop    context.CancelFunc
}

// read calls fn while the store stays open.
func (q *Queue) read(fn func(db *pebble.DB) error) error {
	q.store.RLock()
	defer q.store.RUnlock()
	if q.db == nil {
		if err := q.broken(); err != nil {
			return err
		}
		return queue.ErrClosed
	}
	return fn(q.db)
}

// fail notes what went wrong first, or what does not heal behind what does.
// Nothing is acknowledged after it returns.
func (q *Queue) fail(f *failure) {
	for {
		was := q.failed.Load()
		if was != nil && (!was.full() || f.full()) {
			return
		}
		if q.failed.CompareAndSwap(was, f) {
			break
		}
	}
	q.log.Error("queue: a write failed, nothing more is accepted",
		slog.String("op", f.op), slog.String("path", f.path), slog.Any("error", f.err), slog.Bool("heals", f.full()))
	if cancel := q.compacting.Load(); cancel != nil {
		(*cancel)()
	}
}

// broken says why nothing can be written; nil when it can.
func (q *Queue) broken() error {
	f := q.failed.Load()
	switch {
	case f == nil:
		return nil
	case f.full():
		return fmt.Errorf("%w: %s %s: %w; free space on the disk of %s, hookd goes on by itself", queue.ErrFull, f.op, f.path, f.err, q.opt.Dir)
	}
	return fmt.Errorf("%w: %s %s: %w; check the disk of %s and restart hookd", queue.ErrReadOnly, f.op, f.path, f.err, q.opt.Dir)
}

// admit says whether a Put may go on.
func (q *Queue) admit() error {
	select {
	case <-q.closed:
		return queue.ErrClosed
	default:
	}
	if err := q.broken(); err != nil {
		return err
	}
	return q.space.refusal()
}

// writable waits until the store can be written: at once, or after a full disk
// has room again. A failure that does not heal is returned.
func (q *Queue) writable(ctx context.Context) error {
	for {
		healed := *q.healed.Load()
		err := q.broken()
		if err == nil || errors.Is(err, queue.ErrReadOnly) {
			return err
		}
		select {
		case <-healed:
		case <-q.closed:
			return queue.ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// State tells how the queue is; see queue.Stater.
func (q *Queue) State() queue.State {
	s := queue.State{DiskMax: q.opt.MaxDisk, DiskUsed: q.space.used.Load(), DiskFree: q.space.free.Load()}
	s.Reason = q.admit()
	s.Writable = s.Reason == nil
	s.Full = errors.Is(s.Reason, queue.ErrFull)
	s.ReadOnly = errors.Is(s.Reason, queue.ErrReadOnly)
	return s
}

// Close ends the queue. What is on lease is owed again when it is next opened.
func (q *Queue) Close(ctx context.Context) error {
	var err error
	q.closing.Do(func() { //nolint:contextcheck // what is under way ends whether or not anybody waits
		close(q.closed)
		go func() {
			defer close(q.ended)
			err = q.shut()
		}()
	})
	select {
	case <-q.ended:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (q *Queue) shut() error {
	q.stop()
	q.work.Wait()
	if q.broken() == nil {
		q.writeHints(context.Background())
	}
	q.writer.close()
	q.store.Lock()
	defer q.store.Unlock()
	return errors.Join(q.closeStore(), q.lock.Close())
}

// closeStore closes the engine; the caller holds store.
func (q *Queue) closeStore() error {
	if q.db == nil {
		return nil
	}
	err := closeEngine(q.db, q.guard)
	q.db = nil
	if err != nil {
		return fmt.Errorf("closing the queue: %w", err)
	}
	return nil
}

var (
	_ queue.Queue  = (*Queue)(nil)
	_ queue.Stater = (*Queue)(nil)
)
