package pebble

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
)

// show is the state as the history tells it at the time now.
func (s state) show(id event.ID, lane string, now uint64) queue.DeliveryState {
	d := queue.DeliveryState{
		ID: event.DeliveryID(id, lane), Lane: lane, Status: s.status, Attempts: s.attempts,
		Updated: s.updated, Code: s.code, Note: s.note,
	}
	if s.owed() && s.due > now {
		d.Status, d.NextTry = queue.StatusDelayed, timeOf(s.due)
	}
	return d
}

// Get returns one event whole; see queue.History.
func (q *Queue) Get(_ context.Context, id event.ID) (r queue.Record, err error) {
	err = q.read(func(db *pebble.DB) error {
		ev, err := load(db, id)
		if err != nil {
			return err
		}
		var m meta
		if err := get(db, idKey(keyEvent, id), func(v []byte) (err error) {
			m, err = decodeMeta(v, false)
			return err
		}); err != nil {
			return err
		}
		h, err := db.NewIter(&pebble.IterOptions{LowerBound: idKey(keyState, id), UpperBound: after(idKey(keyState, id))})
		if err != nil {
			return err
		}
		r.Event, r.Size = ev, m.size
		r.Deliveries, err = q.deliveries(h, id, m.lanes, dueOf(q.opt.Now()))
		return errors.Join(err, h.Close())
	})
	return r, err
}

// deliveries joins the lanes of the Put with the states that were written
// since. h iterates over states.
func (q *Queue) deliveries(h *pebble.Iterator, id event.ID, lanes []uint32, now uint64) ([]queue.DeliveryState, error) {
	out := make([]queue.DeliveryState, 0, len(lanes))
	prefix := idKey(keyState, id)
	for ok := h.SeekGE(prefix); ok; ok = h.Next() {
		got, num := splitPairKey(h.Key())
		if got != id {
			break
		}
		v, err := h.ValueAndErr()
		if err != nil {
			return nil, err
		}
		st, err := decodeState(v)
		if err != nil {
			st = state{status: queue.StatusDead, code: codeUnreadable}
		}
		out = append(out, st.show(id, q.lanes.name(num), now))
	}
	if err := h.Error(); err != nil {
		return nil, err
	}
	for _, num := range lanes {
		name := q.lanes.name(num)
		if !slices.ContainsFunc(out, func(d queue.DeliveryState) bool { return d.Lane == name }) {
			out = append(out, state{status: queue.StatusPending}.show(id, name, now))
		}
	}
	slices.SortFunc(out, func(a, b queue.DeliveryState) int { return cmp.Compare(a.Lane, b.Lane) })
	return out, nil
}

// idSkew is how much earlier than its ID an event may say it was received
// before List with Since could miss it.
const idSkew = time.Hour

// List pages through the history; see queue.History. It reads no bodies.
func (q *Queue) List(ctx context.Context, f queue.Filter, cursor string, limit int) (p queue.Page, err error) {
	upper, err := before(keyEvent, cursor)
	if err != nil {
		return p, err
	}
	now := dueOf(q.opt.Now())
	err = q.read(func(db *pebble.DB) error {
		states, err := db.NewIter(&pebble.IterOptions{LowerBound: []byte{keyState}, UpperBound: []byte{keyState + 1}})
		if err != nil {
			return err
		}
		err = scanBack(ctx, db, []byte{keyEvent}, upper, func(k, v []byte) error {
			m, err := decodeMeta(v, false)
			if err != nil { // it must not hide the others
				m = meta{event: event.Event{Received: event.ID(k[1:]).Time()}}
			}
			m.event.ID = event.ID(k[1:])
			if !f.Since.IsZero() && m.event.ID.Time().Before(f.Since.Add(-idSkew)) {
				return errStop
			}
			r := queue.Record{Event: &m.event, Size: m.size}
			if !f.MatchEvent(r) {
				return nil
			}
			if r.Deliveries, err = q.deliveries(states, m.event.ID, m.lanes, now); err != nil {
				return err
			}
			if !f.Match(r) {
				return nil
			}
			return add(&p, r, limit)
		})
		return errors.Join(err, states.Close())
	})
	return p, err
}

// Dead pages through the dead letters; see queue.History.
func (q *Queue) Dead(ctx context.Context, f queue.Filter, cursor string, limit int) (p queue.Page, err error) {
	upper, err := before(keyDead, cursor)
	if err != nil {
		return p, err
	}
	err = q.read(func(db *pebble.DB) error {
		var last *queue.Record // letters of one event follow each other
		flush := func() error {
			r := last
			last = nil
			if r == nil {
				return nil
			}
			slices.SortFunc(r.Deliveries, func(a, b queue.DeliveryState) int { return cmp.Compare(a.Lane, b.Lane) })
			return add(&p, *r, limit)
		}
		err := scanBack(ctx, db, []byte{keyDead}, upper, func(k, _ []byte) error {
			id, num := splitPairKey(k)
			if last != nil && last.Event.ID != id {
				if err := flush(); err != nil {
					return err
				}
			}
			l := q.lanes.numbered(num)
			if l == nil || f.Lane != "" && f.Lane != l.name {
				return nil
			}
			r, _, err := q.deadRecord(db, id, l)
			if err != nil {
				return fmt.Errorf("dead letter %s: %w", id, err)
			}
			if !f.MatchEvent(r) || !f.MatchDelivery(r.Deliveries[0]) {
				return nil
			}
			if last == nil {
				last = &r
			} else {
				last.Deliveries = append(last.Deliveries, r.Deliveries...)
			}
			return nil
		})
		if err == nil && p.Next == "" {
			if err = flush(); errors.Is(err, errStop) {
				err = nil
			}
		}
		return err
	})
	return p, err
}

// add puts a record on the page; errStop when the page was full before.
func add(p *queue.Page, r queue.Record, limit int) error {
	if len(p.Records) == max(limit, 1) {
		p.Next = p.Records[len(p.Records)-1].Event.ID.String()
		return errStop
	}
	p.Records = append(p.Records, r)
	return nil
}

// before is the upper bound of keys that a cursor stands for.
func before(kind byte, cursor string) ([]byte, error) {
	if cursor == "" {
		return []byte{kind + 1}, nil
	}
	id, err := event.ParseID(cursor)
	if err != nil {
		return nil, fmt.Errorf("cursor: %w", err)
	}
	return idKey(kind, id), nil
}

// scanBack is scan from the last key to the first. It ends with the context.
func scanBack(ctx context.Context, db pebble.Reader, from, to []byte, fn func(k, v []byte) error) (err error) {
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for ok := it.Last(); ok; ok = it.Prev() {
		if err := ctx.Err(); err != nil {
			return err
		}
		v, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		if err := fn(it.Key(), v); err != nil {
			if errors.Is(err, errStop) {
				return nil
			}
			return err
		}
	}
	return it.Error()
}
