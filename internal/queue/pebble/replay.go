package pebble

import (
	"context"
	"errors"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
)

// reviveOp makes deliveries of an event due, or takes them out of the dead
// letters.
type reviveOp struct {
	q     *Queue
	gen   uint64 // see settleOp
	stale bool
	items []reviveItem
	purge bool
	sync  bool
	done  chan error
}

type reviveItem struct {
	id   event.ID
	lane *lane
	at   moment
	old  state
}

// Replay makes deliveries due again; see queue.History.
func (q *Queue) Replay(ctx context.Context, id event.ID, name string) (n int, err error) {
	for again := true; again; again = errors.Is(err, errStale) {
		if err := q.writable(ctx); err != nil {
			return 0, err
		}
		n, err = q.replay(ctx, id, name)
	}
	return n, err
}

func (q *Queue) replay(ctx context.Context, id event.ID, name string) (int, error) {
	defer q.revive.lock(id)()
	op := &reviveOp{q: q, gen: q.gen.Load(), sync: !q.opt.UnsafeNoSync, done: make(chan error, 1)}
	due := dueOf(q.opt.Now())
	err := q.read(func(db *pebble.DB) error {
		var m meta
		if err := get(db, idKey(keyEvent, id), func(v []byte) (err error) {
			m, err = decodeMeta(v, false)
			return err
		}); err != nil {
			return err
		}
		lanes := make([]*lane, 0, len(m.lanes))
		if name != "" {
			l := q.lanes.get(name)
			q.lanes.number(l)
			lanes = append(lanes, l)
		} else {
			for _, num := range m.lanes {
				if l := q.lanes.numbered(num); l != nil {
					lanes = append(lanes, l)
				}
			}
		}
		for _, l := range lanes {
			st, err := stateOf(db, id, l)
			if err != nil {
				return err
			}
			if !st.owed() {
				op.items = append(op.items, reviveItem{id: id, lane: l, old: st, at: moment{due: due, id: id}})
			}
		}
		return nil
	})
	if err != nil || len(op.items) == 0 {
		return 0, err
	}
	if err := op.run(ctx); err != nil {
		return 0, err
	}
	return len(op.items), nil
}

func (op *reviveOp) run(ctx context.Context) error {
	if err := op.q.writer.enqueue(ctx, op); err != nil {
		return err
	}
	return <-op.done
}

func (op *reviveOp) write(b *batch) {
	if op.stale = len(op.items) > 0 && op.gen != op.q.gen.Load(); op.stale {
		op.items = nil
	}
	for _, it := range op.items {
		if !op.purge {
			writeDue(b, it.lane, it.at, it.old.dead())
			continue
		}
		it.old.purged = true
		b.del(pairKey(keyDead, it.id, it.lane.num))
		b.set(pairKey(keyState, it.id, it.lane.num), encodeState(it.old))
	}
	if len(op.items) == 0 {
		b.note(b.LogData([]byte("sync"), nil))
	}
}

func (op *reviveOp) applied() {}

func (op *reviveOp) ended(err error, _ bool) {
	for _, it := range op.items {
		if !op.purge {
			it.lane.landed(it.at, err == nil)
		}
		if err == nil && it.old.dead() {
			it.lane.died(-1)
		}
	}
	if err == nil && op.stale {
		err = errStale
	}
	op.done <- err
}

func (op *reviveOp) durable() bool { return op.sync }

// Purge removes dead letters; see queue.History.
func (q *Queue) Purge(ctx context.Context, f queue.Filter, ids ...event.ID) (n int, err error) {
	if err := q.writable(ctx); err != nil {
		return 0, err
	}
	if len(ids) == 0 {
		// The letters are listed in pages, so that no iterator stays open.
		for cursor := ""; ; {
			p, err := q.Dead(ctx, f, cursor, 500)
			if err != nil {
				return n, err
			}
			for _, r := range p.Records {
				ids = append(ids, r.Event.ID)
			}
			k, err := q.purge(ctx, f, time.Time{}, ids)
			if n += k; err != nil {
				return n, err
			}
			if cursor, ids = p.Next, ids[:0]; cursor == "" {
				break
			}
		}
	} else if n, err = q.purge(ctx, f, time.Time{}, ids); err != nil {
		return n, err
	}
	if n > 0 { // one fsync for all
		err = (&reviveOp{q: q, sync: !q.opt.UnsafeNoSync, done: make(chan error, 1)}).run(ctx)
	}
	return n, err
}

// purge removes the dead letters of events that match, and that died before a
// time, unless that is zero.
func (q *Queue) purge(ctx context.Context, f queue.Filter, before time.Time, ids []event.ID) (n int, err error) {
	for _, id := range ids {
		k, err := q.purgeEvent(ctx, f, before, id)
		for errors.Is(err, errStale) {
			k, err = q.purgeEvent(ctx, f, before, id)
		}
		if n += k; err != nil {
			return n, err
		}
	}
	return n, nil
}

func (q *Queue) purgeEvent(ctx context.Context, f queue.Filter, before time.Time, id event.ID) (int, error) {
	defer q.revive.lock(id)()
	op := &reviveOp{q: q, gen: q.gen.Load(), purge: true, done: make(chan error, 1)}
	err := q.read(func(db *pebble.DB) error {
		return scan(db, idKey(keyDead, id), after(idKey(keyDead, id)), func(k, _ []byte) error {
			_, num := splitPairKey(k)
			l := q.lanes.numbered(num)
			if l == nil {
				return nil
			}
			r, st, err := q.deadRecord(db, id, l)
			if err == nil && f.MatchEvent(r) && f.MatchDelivery(r.Deliveries[0]) && (before.IsZero() || st.updated.Before(before)) {
				op.items = append(op.items, reviveItem{id: id, lane: l, old: st})
			}
			return err
		})
	})
	if err != nil || len(op.items) == 0 {
		return 0, err
	}
	if err := op.run(ctx); err != nil {
		return 0, err
	}
	return len(op.items), nil
}

// deadRecord is the record of one dead letter. One that cannot be read is shown
// as far as it can be: it must not hide the others, nor stay for good.
func (q *Queue) deadRecord(db pebble.Reader, id event.ID, l *lane) (r queue.Record, st state, err error) {
	var m meta
	err = get(db, idKey(keyEvent, id), func(v []byte) (err error) {
		m, err = decodeMeta(v, false)
		return err
	})
	if unreadable(err) {
		m, err = meta{event: event.Event{Received: id.Time()}}, nil
	}
	if err != nil {
		return r, st, err
	}
	if st, err = deadState(db, id, l); err != nil {
		return r, st, err
	}
	m.event.ID = id
	return queue.Record{Event: &m.event, Size: m.size, Deliveries: []queue.DeliveryState{st.show(id, l.name, 0)}}, st, nil
}

func deadState(db pebble.Reader, id event.ID, l *lane) (state, error) {
	st, err := stateOf(db, id, l)
	if unreadable(err) {
		return state{status: queue.StatusDead, code: codeUnreadable}, nil
	}
	return st, err
}
