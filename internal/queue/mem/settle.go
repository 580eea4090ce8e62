package mem

import (
	"context"
	"errors"
	"time"

	"github.com/hookd/hookd/internal/queue"
)

// Settle ends claims; see queue.Queue.
func (q *Queue) Settle(_ context.Context, vs ...queue.Verdict) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return queue.ErrClosed
	}
	now := time.Now()
	var lost []error
	for _, v := range vs {
		d, err := q.held(v.Claim, now)
		if err != nil {
			lost = append(lost, err)
			continue
		}
		q.settle(d, v, now)
	}
	q.forget(now)
	return errors.Join(lost...)
}

func (q *Queue) settle(d *delivery, v queue.Verdict, now time.Time) {
	l := q.lane(d.lane)
	delete(l.leased, d)
	d.token = 0
	uncounted := v.Outcome == queue.Later && v.Uncounted
	if uncounted && !v.At.After(now) {
		q.due(d, d.due, d.ready)
		return
	}
	if !uncounted {
		d.attempts++
	}
	d.updated, d.code, d.note = now, v.Code, queue.ClipNote(v.Note)
	switch v.Outcome {
	case queue.Later:
		at := v.At
		if at.Before(now) {
			at = now
		}
		q.due(d, at, at)
		return
	case queue.Filtered:
		d.final = queue.StatusFiltered
	case queue.Dead:
		d.final, d.purged = queue.StatusDead, false
		l.dead++
	case queue.Done:
		d.final = queue.StatusDelivered
	}
	if v.Next != "" {
		q.revive(d.of, v.Next, now)
	}
	q.recount(d.of)
}

// revive makes the delivery of the event to the lane due, unless it is owed
// already, and reports whether it did.
func (q *Queue) revive(s *stored, name string, now time.Time) bool {
	d := s.sent[name]
	switch {
	case d == nil:
		d = &delivery{of: s, lane: name}
		s.sent[name] = d
	case d.final == "":
		return false
	}
	q.bury(d)
	d.attempts, d.code, d.note, d.purged, d.updated = 0, "", "", false, time.Time{}
	q.due(d, now, now)
	q.recount(s)
	return true
}

// bury takes the delivery out of the dead letters, where it is in them.
func (q *Queue) bury(d *delivery) bool {
	if d.final != queue.StatusDead || d.purged {
		return false
	}
	d.purged = true
	q.lane(d.lane).dead--
	return true
}

// recount books the event's bytes as owed or as history.
func (q *Queue) recount(s *stored) {
	owed := false
	for _, d := range s.sent {
		owed = owed || d.final == "" || d.final == queue.StatusDead && !d.purged
	}
	if owed == s.owed {
		return
	}
	s.owed = owed
	if owed {
		q.owed, q.kept = q.owed+s.size, q.kept-s.size
	} else {
		q.owed, q.kept = q.owed-s.size, q.kept+s.size
	}
}

// forget drops dead letters, dedupe keys and settled events that are past
// their limits, oldest first.
func (q *Queue) forget(now time.Time) {
	if now.Sub(q.swept) < time.Second && q.kept <= q.opt.HistoryBytes {
		return
	}
	q.swept = now
	for key, d := range q.keys {
		if !now.Before(d.expires) {
			delete(q.keys, key)
		}
	}
	keep := q.order[:0]
	for _, id := range q.order {
		s := q.events[id]
		for _, d := range s.sent {
			if d.final == queue.StatusDead && now.Sub(d.updated) > q.opt.DeadAge && q.bury(d) {
				q.recount(s)
			}
		}
		if s.owed || now.Sub(id.Time()) <= q.opt.HistoryAge && q.kept <= q.opt.HistoryBytes {
			keep = append(keep, id)
			continue
		}
		q.kept -= s.size
		delete(q.events, id)
	}
	q.order = keep
}
