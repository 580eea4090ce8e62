package mem

import (
	"container/heap"
	"context"
	"fmt"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
)

// lease is the Token of a claim.
type lease struct {
	d     *delivery
	token uint64
}

// Claim leases what is due; see queue.Queue.
func (q *Queue) Claim(ctx context.Context, name string, limit int, span time.Duration) ([]*queue.Claim, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		got, wake, next, err := q.take(name, max(limit, 1), span)
		if err != nil || len(got) > 0 {
			return got, err
		}
		if err := q.wait(ctx, wake, next); err != nil {
			return nil, err
		}
	}
}

func (q *Queue) take(name string, limit int, span time.Duration) (got []*queue.Claim, wake chan struct{}, next time.Time, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil, nil, next, queue.ErrClosed
	}
	now, l := time.Now(), q.lane(name)
	next = q.expire(l, now)
	for len(got) < limit && len(l.wait) > 0 && !l.wait[0].due.After(now) {
		d := heap.Pop(&l.wait).(*delivery)
		q.token++
		d.token, d.expires = q.token, now.Add(span)
		l.leased[d] = struct{}{}
		got = append(got, &queue.Claim{
			Event: d.of.event, ID: event.DeliveryID(d.of.event.ID, name), Lane: name,
			Attempt: d.attempts + 1, Ready: d.ready, Token: lease{d, d.token},
		})
	}
	if len(l.wait) > 0 && (next.IsZero() || l.wait[0].due.Before(next)) {
		next = l.wait[0].due
	}
	return got, l.wake, next, nil
}

func (q *Queue) wait(ctx context.Context, wake chan struct{}, next time.Time) error {
	var alarm <-chan time.Time
	if !next.IsZero() {
		t := time.NewTimer(time.Until(next))
		defer t.Stop()
		alarm = t.C
	}
	select {
	case <-wake:
	case <-alarm:
	case <-q.done:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// held returns the delivery behind a claim whose lease still runs.
func (q *Queue) held(c *queue.Claim, now time.Time) (*delivery, error) {
	if t, ok := c.Token.(lease); ok && t.d.token == t.token && now.Before(t.d.expires) {
		return t.d, nil
	}
	return nil, fmt.Errorf("delivery %s of lane %s: %w", c.ID, c.Lane, queue.ErrLost)
}

// Renew extends a lease; see queue.Queue.
func (q *Queue) Renew(_ context.Context, c *queue.Claim, span time.Duration) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return queue.ErrClosed
	}
	now := time.Now()
	d, err := q.held(c, now)
	if err == nil {
		d.expires = now.Add(span)
	}
	return err
}
