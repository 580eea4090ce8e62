package pebble

import (
	"errors"
	"log/slog"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
)

// doubt is a Put that failed after it was handed to the engine: it may be on
// the disk, and must not be delivered.
type doubt struct {
	id   event.ID
	own  bool
	at   moment
	nums []uint32
	keys [][hashLen]byte
}

func (q *Queue) doubt(p *putOp) {
	q.doubts.Lock()
	defer q.doubts.Unlock()
	d := doubt{id: p.id, own: p.own, at: p.at, nums: slices.Clone(p.nums)}
	for _, m := range append(slices.Clone(p.once), p.key) {
		if m.pending != nil {
			d.keys = append(d.keys, m.pending.hash)
		}
	}
	q.doubts.list = append(q.doubts.list, d)
}

// eraseDoubts removes from a store that was opened anew what was never
// acknowledged.
func (q *Queue) eraseDoubts(db *pebble.DB) error {
	q.doubts.Lock()
	defer q.doubts.Unlock()
	if len(q.doubts.list) == 0 {
		return nil
	}
	b := &batch{Batch: db.NewBatch()}
	for _, d := range q.doubts.list {
		b.del(idKey(keyEvent, d.id))
		b.del(idKey(keyBody, d.id))
		for _, num := range d.nums {
			if d.own {
				b.del(delayKey(num, d.at))
				b.del(pairKey(keyState, d.id, num))
			} else {
				b.del(readyKey(num, d.id))
			}
		}
		for _, hash := range d.keys {
			k := append([]byte{keyDedupe}, hash[:]...)
			err := get(db, k, func(v []byte) error {
				if of, err := decodeDupe(v); err == nil && of.id == d.id {
					b.del(k)
				}
				return nil
			})
			if err != nil && !errors.Is(err, queue.ErrNotFound) {
				return errors.Join(err, b.Close())
			}
		}
	}
	if b.err == nil {
		b.err = b.Commit(pebble.Sync)
	}
	return errors.Join(b.err, b.Close())
}

// certain forgets the doubts, which were erased.
func (q *Queue) certain() {
	q.doubts.Lock()
	q.doubts.list = nil
	q.doubts.Unlock()
}

// healRoom is how many bytes more than MinFree there must be before a store
// that met a full disk is opened again.
const healRoom = 32 << 20

// heal opens the store anew after the disk was full. The log decides what is
// there: all that was acknowledged, and settles up to some point. What was
// settled behind it is owed again, as after a crash.
func (q *Queue) heal() {
	f := q.failed.Load()
	if f == nil || !f.full() {
		return
	}
	if free, known := q.free(); known && free < max(q.opt.MinFree, 0)+healRoom {
		return
	}
	q.writer.settle() // everything under way fails, for failed is set
	q.store.Lock()
	defer q.store.Unlock()
	<-*q.counted.Load()
	if err := q.closeStore(); err != nil {
		q.log.Warn("queue: closing after a full disk", slog.Any("error", err))
	}
	if err := q.openStore(); err != nil {
		q.log.Warn("queue: the disk is still full, or the queue cannot be opened; trying again", slog.Any("error", err))
		return
	}
	if q.broken() != nil {
		return
	}
	q.log.Info("queue: the disk has room again, going on")
	next := make(chan struct{})
	close(*q.healed.Swap(&next))
	for _, l := range q.lanes.every() {
		l.mu.Lock()
		for len(l.waiters) > 0 {
			l.wakeOne()
		}
		l.mu.Unlock()
	}
}
