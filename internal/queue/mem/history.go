package mem

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
)

// Get returns one event whole.
func (q *Queue) Get(_ context.Context, id event.ID) (queue.Record, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return queue.Record{}, queue.ErrClosed
	}
	s := q.events[id]
	if s == nil {
		return queue.Record{}, queue.ErrNotFound
	}
	r := s.record(time.Now())
	r.Event = s.event
	return r, nil
}

// List pages through the history.
func (q *Queue) List(_ context.Context, f queue.Filter, cursor string, limit int) (queue.Page, error) {
	return q.page(cursor, limit, func(r *queue.Record, _ *stored) bool { return f.Match(*r) })
}

// Dead pages through the dead letters.
func (q *Queue) Dead(_ context.Context, f queue.Filter, cursor string, limit int) (queue.Page, error) {
	return q.page(cursor, limit, func(r *queue.Record, s *stored) bool {
		r.Deliveries = slices.DeleteFunc(r.Deliveries, func(d queue.DeliveryState) bool {
			return d.Status != queue.StatusDead || s.sent[d.Lane].purged || !f.MatchDelivery(d)
		})
		return len(r.Deliveries) > 0 && f.MatchEvent(*r)
	})
}

func (q *Queue) page(cursor string, limit int, keep func(*queue.Record, *stored) bool) (queue.Page, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var p queue.Page
	if q.closed {
		return p, queue.ErrClosed
	}
	end := len(q.order)
	if cursor != "" {
		id, err := event.ParseID(cursor)
		if err != nil {
			return p, err
		}
		end, _ = slices.BinarySearchFunc(q.order, id, compareID)
	}
	now := time.Now()
	for i := end - 1; i >= 0; i-- {
		s := q.events[q.order[i]]
		r := s.record(now)
		if !keep(&r, s) {
			continue
		}
		if len(p.Records) == max(limit, 1) {
			p.Next = p.Records[len(p.Records)-1].Event.ID.String()
			break
		}
		p.Records = append(p.Records, r)
	}
	return p, nil
}

func (s *stored) record(now time.Time) queue.Record {
	ev := *s.event
	ev.Header, ev.Body = nil, nil
	r := queue.Record{Event: &ev, Size: len(s.event.Body)}
	for _, d := range s.sent {
		st := queue.DeliveryState{
			ID: event.DeliveryID(ev.ID, d.lane), Lane: d.lane, Status: d.status(now), Attempts: d.attempts,
			Updated: d.updated, Code: d.code, Note: d.note,
		}
		if st.Status == queue.StatusDelayed {
			st.NextTry = d.due
		}
		r.Deliveries = append(r.Deliveries, st)
	}
	slices.SortFunc(r.Deliveries, func(a, b queue.DeliveryState) int { return cmp.Compare(a.Lane, b.Lane) })
	return r
}

// Replay makes deliveries due again.
func (q *Queue) Replay(_ context.Context, id event.ID, name string) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return 0, queue.ErrClosed
	}
	s := q.events[id]
	if s == nil {
		return 0, queue.ErrNotFound
	}
	lanes := s.lanes
	if name != "" {
		lanes = []string{name}
	}
	n, now := 0, time.Now()
	for _, l := range lanes {
		if q.revive(s, l, now) {
			n++
		}
	}
	return n, nil
}

// Purge removes dead letters.
func (q *Queue) Purge(_ context.Context, f queue.Filter, ids ...event.ID) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return 0, queue.ErrClosed
	}
	if len(ids) == 0 {
		ids = slices.Collect(maps.Keys(q.events))
	}
	n, now := 0, time.Now()
	for _, id := range ids {
		s := q.events[id]
		if s == nil {
			continue
		}
		r := s.record(now)
		for _, d := range r.Deliveries {
			if d.Status == queue.StatusDead && f.MatchEvent(r) && f.MatchDelivery(d) && q.bury(s.sent[d.Lane]) {
				n++
			}
		}
		q.recount(s)
	}
	return n, nil
}

// Depth counts the lanes.
func (q *Queue) Depth(context.Context) (map[string]queue.Depth, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil, queue.ErrClosed
	}
	now, out := time.Now(), map[string]queue.Depth{}
	for name, l := range q.lanes {
		q.expire(l, now)
		d := queue.Depth{Leased: len(l.leased), Dead: l.dead}
		oldest := func(o *delivery) {
			if at := o.of.event.ID.Time(); d.Oldest.IsZero() || at.Before(d.Oldest) {
				d.Oldest = at
			}
		}
		for _, w := range l.wait {
			if w.due.After(now) {
				d.Delayed++
			} else {
				d.Ready++
			}
			oldest(w)
		}
		for w := range l.leased {
			oldest(w)
		}
		if d != (queue.Depth{}) {
			out[name] = d
		}
	}
	return out, nil
}
