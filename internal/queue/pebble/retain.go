package pebble

import (
	"bytes"
	"context"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
)

// retention is where the janitor stands in the history. Only it looks here.
type retention struct {
	from    event.ID  // events below were looked at in this round
	began   time.Time // of this round
	resting bool      // the round is over
	low     event.ID  // what was removed since the last compaction lies
	high    event.ID  // between these; zero is nothing
}

const (
	retainStep   = 1000 // events looked at in one go
	retainSteps  = 10   // goes in one tick
	rangeFrom    = 16   // removing as many neighbours is worth a range delete
	roundEvery   = time.Minute
	pressedEvery = 2 * time.Second // while something should go
)

// retain removes settled events that are too old or too many, oldest first.
// A round goes from the oldest event to the limit; what it must keep, because
// it is owed or dead, it looks at again in the next round.
func (q *Queue) retain(ctx context.Context) error {
	r := &q.retention
	pressed := q.pressed()
	now := q.opt.Now()
	if r.resting {
		every := roundEvery
		if pressed || q.excess() > 0 {
			every = pressedEvery
		}
		if age := now.Sub(r.began); age >= 0 && age < every {
			return nil
		}
		*r = retention{began: now, low: r.low, high: r.high}
	}
	steps := retainSteps
	if pressed {
		steps *= 10
	}
	for range steps {
		more, err := q.retainSome(ctx, now, pressed)
		if err != nil {
			return err
		}
		if !more {
			r.resting = true
			break
		}
	}
	if pressed && r.resting && !r.high.IsZero() {
		return q.compact(ctx)
	}
	return nil
}

// pressed reports whether Puts are refused, or will be soon: then no settled
// event is worth its room.
func (q *Queue) pressed() bool {
	return q.space.refusal() != nil || q.space.used.Load() > q.opt.MaxDisk-q.opt.MaxDisk/16
}

// excess is by how many bytes the history is too large. What is owed does not
// count; its size is estimated.
func (q *Queue) excess() int64 {
	owed := 0
	for _, l := range q.lanes.all() {
		l.mu.Lock()
		owed = max(owed, l.count.ready+l.count.due+l.count.future+l.count.leased+l.count.dead)
		l.mu.Unlock()
	}
	return q.space.kept.Load() - q.opt.HistoryBytes - int64(owed)*q.space.mean.Load()
}

type oldEvent struct {
	id   event.ID
	size int64
}

// retainSome looks at the next events and removes those that may go.
func (q *Queue) retainSome(ctx context.Context, now time.Time, pressed bool) (more bool, err error) {
	q.revive.all.Lock() // nothing settled becomes owed meanwhile
	defer q.revive.all.Unlock()
	var (
		r      = &q.retention
		old    []oldEvent
		keep   map[event.ID]bool
		cutoff = now.Add(-q.opt.HistoryAge)
		excess = q.excess()
	)
	err = q.read(func(db *pebble.DB) error {
		err := scan(db, idKey(keyEvent, r.from), []byte{keyEvent + 1}, func(k, v []byte) error {
			id := event.ID(k[1:])
			if len(old) == retainStep {
				r.from, more = id, true
				return errStop
			}
			if !pressed && excess <= 0 && id.Time().After(cutoff) {
				return errStop
			}
			m, err := decodeMeta(v, false)
			if err != nil {
				m.size = 0 // it goes like any other, in its time
			}
			old = append(old, oldEvent{id, int64(len(v) + m.size)})
			excess -= int64(len(v) + m.size)
			return nil
		})
		if err != nil || len(old) == 0 {
			return err
		}
		keep, err = q.unsettled(db, old[0].id, old[len(old)-1].id)
		return err
	})
	if err != nil || len(old) == 0 {
		return false, err
	}
	return more, q.remove(ctx, old, keep)
}

// unsettled finds the events of [from, to] that are owed or dead.
func (q *Queue) unsettled(db *pebble.DB, from, to event.ID) (map[event.ID]bool, error) {
	keep := map[event.ID]bool{}
	for _, l := range q.lanes.all() {
		l.mu.Lock()
		floor := l.floor
		l.mu.Unlock()
		if compareIDs(floor, to) > 0 {
			continue
		}
		if compareIDs(floor, from) < 0 {
			floor = from
		}
		err := scan(db, readyKey(l.num, floor), append(readyKey(l.num, to), 0), func(k, _ []byte) error {
			keep[event.ID(k[1+laneLen:])] = true
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	err := scan(db, idKey(keyState, from), after(idKey(keyState, to)), func(k, v []byte) error {
		id, _ := splitPairKey(k)
		if st, err := decodeState(v); err != nil || st.owed() || st.dead() {
			keep[id] = true
		}
		return nil
	})
	return keep, err
}

// remove deletes runs of events between those that are kept.
func (q *Queue) remove(ctx context.Context, old []oldEvent, keep map[event.ID]bool) error {
	size, r := int64(0), &q.retention
	err := q.clean(ctx, func(b *batch) {
		for len(old) > 0 {
			n := 0
			for n < len(old) && !keep[old[n].id] {
				size += old[n].size
				n++
			}
			if n > 0 {
				removeRun(b, old[:n])
				if r.low.IsZero() || compareIDs(old[0].id, r.low) < 0 {
					r.low = old[0].id
				}
				if compareIDs(old[n-1].id, r.high) > 0 {
					r.high = old[n-1].id
				}
			}
			old = old[min(n+1, len(old)):]
		}
		if b.Empty() {
			b.note(b.LogData(nil, nil))
		}
	})
	if err == nil {
		q.space.kept.Add(-size)
		if q.space.kept.Load() < 0 {
			q.space.kept.Store(0)
		}
	}
	return err
}

func removeRun(b *batch, run []oldEvent) {
	first, last := run[0].id, run[len(run)-1].id
	if len(run) >= rangeFrom {
		for _, kind := range []byte{keyEvent, keyBody, keyState} {
			b.delRange(idKey(kind, first), after(idKey(kind, last)))
		}
		return
	}
	for _, e := range run {
		b.del(idKey(keyEvent, e.id))
		b.del(idKey(keyBody, e.id))
	}
	b.delRange(idKey(keyState, first), after(idKey(keyState, last)))
}

// compact makes the engine give back what was removed, when Puts wait for it.
// It ends when a write fails: the compaction itself then stands still, and heal
// must not wait for it.
func (q *Queue) compact(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	q.compacting.Store(&cancel)
	defer q.compacting.Store(nil)
	if err := q.broken(); err != nil {
		return err
	}
	r := &q.retention
	err := q.read(func(db *pebble.DB) error {
		for _, kind := range []byte{keyBody, keyEvent, keyState} {
			if err := db.Compact(ctx, idKey(kind, r.low), after(idKey(kind, r.high)), false); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		r.low, r.high = event.ID{}, event.ID{}
	}
	q.sample()
	return err
}

// buryOld purges the dead letters that are too old, some at a time.
func (q *Queue) buryOld(ctx context.Context) error {
	cutoff := q.opt.Now().Add(-q.opt.DeadAge)
	var ids []event.ID
	err := q.read(func(db *pebble.DB) error {
		return scan(db, []byte{keyDead}, []byte{keyDead + 1}, func(k, _ []byte) error {
			id, num := splitPairKey(k)
			if id.Time().After(cutoff) || len(ids) == retainStep {
				return errStop
			}
			l := q.lanes.numbered(num)
			if l == nil {
				return nil
			}
			st, err := deadState(db, id, l)
			if err == nil && st.updated.Before(cutoff) {
				ids = append(ids, id)
			}
			return err
		})
	})
	if err != nil || len(ids) == 0 {
		return err
	}
	n, err := q.purge(ctx, queue.Filter{}, cutoff, ids)
	if n > 0 {
		q.log.Info("queue: old dead letters removed", slog.Int("count", n))
	}
	return err
}

func compareIDs(a, b event.ID) int { return bytes.Compare(a[:], b[:]) }
