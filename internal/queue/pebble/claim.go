package pebble

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
)

// Claim leases what is due; see queue.Queue. While the store is frozen nothing
// is claimed, for no outcome could be written down: Claim waits until a full
// disk has room again, and else until its context or the queue ends.
func (q *Queue) Claim(ctx context.Context, name string, limit int, span time.Duration) ([]*queue.Claim, error) {
	l := q.lanes.get(name)
	alarm := time.NewTimer(0)
	defer alarm.Stop()
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		select {
		case <-q.closed:
			return nil, queue.ErrClosed
		default:
		}
		if q.broken() != nil {
			if err := q.thaw(ctx); err != nil {
				return nil, err
			}
			continue
		}
		waiter := make(chan struct{}, 1)
		got, next, err := q.claim(ctx, l, max(limit, 1), span, waiter)
		if len(got) == 0 && q.broken() != nil {
			l.leave(waiter)
			continue // it froze meanwhile
		}
		if err != nil || len(got) > 0 {
			return got, err
		}
		alarm.Reset(next)
		select {
		case <-waiter:
		case <-alarm.C:
		case <-q.closed:
		case <-ctx.Done():
		}
		l.leave(waiter)
	}
}

// thaw waits until a full disk has room again.
func (q *Queue) thaw(ctx context.Context) error {
	healed := *q.healed.Load()
	if q.broken() == nil {
		return nil
	}
	select {
	case <-healed:
		return nil
	case <-q.closed:
		return queue.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

const (
	claimBytes = 32 << 20 // of bodies that one Claim brings into memory; one that is larger comes alone
	claimStep  = 256      // deliveries that are leased before their bodies are looked at
)

// claim leases what is due now. When nothing is, it leaves the waiter in the
// lane's list and says how long to wait at most.
func (q *Queue) claim(ctx context.Context, l *lane, limit int, span time.Duration, waiter chan struct{}) ([]*queue.Claim, time.Duration, error) {
	var (
		got     []*queue.Claim
		damaged []*held
		next    time.Duration
	)
	err := q.read(func(db *pebble.DB) error {
		for size, left := 0, limit; left > 0; waiter = nil {
			hs, wait, err := q.lease(db, l, min(left, claimStep), span, waiter)
			if next = wait; err != nil {
				return err
			}
			for i, h := range hs {
				ev, err := load(db, h.id)
				switch {
				case err == nil:
					got = append(got, h.claim(ev))
					if size += len(ev.Body); size >= claimBytes {
						l.giveAllBack(hs[i+1:])
						return nil
					}
				case unreadable(err):
					q.log.Error("queue: an event cannot be read, its delivery goes to the dead letters",
						slog.String("event", h.id.String()), slog.String("lane", l.name), slog.Any("error", err))
					damaged = append(damaged, h)
				default:
					l.giveAllBack(hs[i:])
					return fmt.Errorf("reading event %s: %w", h.id, err)
				}
			}
			if len(hs) < claimStep {
				return nil
			}
			left -= len(hs)
		}
		return nil
	})
	if len(damaged) > 0 {
		vs := make([]queue.Verdict, len(damaged))
		for i, h := range damaged {
			vs[i] = queue.Verdict{Claim: h.claim(&event.Event{ID: h.id}), Outcome: queue.Dead, Code: codeUnreadable, Note: "the stored event is damaged"}
		}
		err = errors.Join(err, q.Settle(ctx, vs...))
		if len(got) == 0 {
			next = 0
		}
	}
	if len(got) > 0 {
		err = nil
	}
	return got, next, err
}

// codeUnreadable is why a delivery is dead whose event the disk did not keep.
const codeUnreadable = "unreadable"

func unreadable(err error) bool {
	return errors.Is(err, errRecord) || errors.Is(err, queue.ErrNotFound) || pebble.IsCorruptionError(err)
}

func (h *held) claim(ev *event.Event) *queue.Claim {
	c := &queue.Claim{
		Event: ev, ID: event.DeliveryID(h.id, h.lane.name), Lane: h.lane.name,
		Attempt: h.attempts + 1, Ready: h.ready, Token: h,
	}
	if !h.delayed && h.attempts == 0 {
		c.Ready = ev.Received
	}
	return c
}

// load reads an event whole.
func load(db pebble.Reader, id event.ID) (*event.Event, error) {
	var m meta
	err := get(db, idKey(keyEvent, id), func(v []byte) (err error) {
		m, err = decodeMeta(v, true)
		return err
	})
	if err != nil {
		return nil, err
	}
	m.event.ID = id
	if m.size > 0 {
		err = get(db, idKey(keyBody, id), func(v []byte) (err error) {
			m.event.Body, err = unpackBody(v, m.size)
			return err
		})
	}
	return &m.event, err
}

// Renew extends a lease; see queue.Queue.
func (q *Queue) Renew(_ context.Context, c *queue.Claim, span time.Duration) error {
	h := q.holds(c)
	if h == nil {
		return lost(c)
	}
	now := q.opt.Now()
	h.lane.mu.Lock()
	defer h.lane.mu.Unlock()
	if h.state != leased || !now.Before(h.expires) {
		return lost(c)
	}
	h.expires = now.Add(span)
	h.lane.ends(h)
	return nil
}

// holds is the lease behind a claim of this queue, running or not; else nil.
func (q *Queue) holds(c *queue.Claim) *held {
	if h, ok := c.Token.(*held); ok && h.lane.of == &q.lanes {
		return h
	}
	return nil
}

func lost(c *queue.Claim) error {
	return fmt.Errorf("delivery %s of lane %s: %w", c.ID, c.Lane, queue.ErrLost)
}
