package pebble

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hookd/hookd/internal/queue"
)

// space knows what the queue takes on the disk. It is measured now and then,
// and counted on in between.
type space struct {
	used  atomic.Int64 // bytes of all files, when last measured
	free  atomic.Int64 // bytes left on the file system, then
	since atomic.Int64 // bytes written after that
	full  atomic.Pointer[error]

	kept  atomic.Int64 // bytes of events, settled or not
	mean  atomic.Int64 // of an event, over the last ones
	debts struct {     // as the engine told when last measured
		memtables atomic.Int64 // bytes
		sublevels atomic.Int64
	}
}

// sampleEvery is after how many bytes the disk is measured anew.
const sampleEvery = 4 << 20

// wrote counts n bytes of payload: once for the log and once for the tables.
func (s *space) wrote(n int) { s.since.Add(2 * int64(n)) }

// stored counts an event of n bytes.
func (s *space) stored(n int) {
	s.wrote(n)
	s.kept.Add(int64(n))
	mean := s.mean.Load()
	s.mean.Store(mean + (int64(n)-mean)/64)
}

// refusal is why a Put must be refused now; nil when there is room.
func (s *space) refusal() error {
	if p := s.full.Load(); p != nil {
		return *p
	}
	return nil
}

// measure estimates the bytes of events in a store that was just opened.
func (s *space) measure(db *pebble.DB) error {
	kept := uint64(0)
	for _, kind := range []byte{keyEvent, keyBody, keyState} {
		n, err := db.EstimateDiskUsage([]byte{kind}, []byte{kind + 1})
		if err != nil {
			return fmt.Errorf("queue size: %w", err)
		}
		kept += n
	}
	s.kept.Store(int64(kept)) // #nosec G115 -- bytes on one disk
	s.mean.CompareAndSwap(0, 4<<10)
	return nil
}

// sample measures the disk and decides whether Puts have room. The caller is
// the commit loop or the janitor, or has the queue for itself.
func (q *Queue) sample() {
	q.store.RLock()
	defer q.store.RUnlock()
	if q.db != nil {
		q.sampleOf(q.db)
	}
}

func (q *Queue) sampleOf(db *pebble.DB) {
	s := &q.space
	m := db.Metrics()
	s.debts.memtables.Store(int64(m.MemTable.Size)) // #nosec G115 -- bytes in memory
	s.debts.sublevels.Store(int64(m.Levels[0].Sublevels))
	s.since.Store(0)
	used := int64(m.DiskSpaceUsage()) // #nosec G115 -- bytes on one disk
	s.used.Store(used)
	reason := error(nil)
	if free, known := q.free(); known {
		s.free.Store(free)
		if free < q.opt.MinFree {
			reason = fmt.Errorf("%w: the disk of %s has %d MiB left and %d MiB are kept free", queue.ErrFull, q.opt.Dir, free>>20, q.opt.MinFree>>20)
		}
	}
	if used >= q.opt.MaxDisk {
		reason = fmt.Errorf("%w: it takes %d MiB of the %d MiB that it may", queue.ErrFull, used>>20, q.opt.MaxDisk>>20)
	}
	was := s.full.Load()
	switch {
	case reason != nil && was == nil:
		q.log.Warn("queue: full", slog.Any("error", reason))
		s.full.Store(&reason)
	case reason != nil:
		s.full.Store(&reason)
	case was != nil:
		q.log.Info("queue: has room again")
		s.full.Store(nil)
	}
}

// free is how many bytes the file system has left.
func (q *Queue) free() (n int64, known bool) {
	u, err := q.opt.fs.GetDiskUsage(q.opt.Dir)
	if err != nil || u == (vfs.DiskUsage{}) {
		return 0, false
	}
	return int64(min(u.AvailBytes, 1<<62)), true // #nosec G115 -- bounded
}

// The engine falls behind when it has more full memtables to flush, or more
// layers of tables to merge, than this.
const (
	maxMemtables = 4
	maxSublevels = 24
)

// yield is called by the commit loop before each commit of n bytes. It
// measures where enough was written, and waits while the engine is behind.
func (q *Queue) yield(n int) {
	s := &q.space
	if s.since.Add(int64(n)) < sampleEvery {
		return
	}
	for q.broken() == nil {
		q.sampleOf(q.writer.engine())
		if s.debts.memtables.Load() <= maxMemtables*int64(q.opt.table) && s.debts.sublevels.Load() <= maxSublevels {
			return
		}
		pause := time.NewTimer(2 * time.Millisecond)
		<-pause.C
	}
}

func (w *writer) engine() *pebble.DB {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.q.db
}
