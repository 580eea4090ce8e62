package pebble

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/hookd/hookd/internal/queue"
)

// settleOp writes the verdicts of one Settle.
type settleOp struct {
	q     *Queue
	gen   uint64 // of the store that the items were looked up in
	stale bool
	now   time.Time
	items []settleItem
	done  chan error
}

// settleItem is one verdict, and what it writes.
type settleItem struct {
	h      *held
	state  state
	again  moment // the d key of a retry, where state is owed
	next   *lane  // the lane that gets the event next, or nil
	nextAt moment
	bury   bool // next's delivery is in the dead letters
}

// errStale ends an operation that looked something up in the store before a
// heal and came to write after it: it must look again.
var errStale = errors.New("the store was opened anew")

// Settle ends claims; see queue.Queue. While a full disk is waited for, so
// does Settle: what was delivered should not come again for that.
func (q *Queue) Settle(ctx context.Context, vs ...queue.Verdict) error {
	for {
		err := q.settle(ctx, vs)
		if errors.Is(err, errStale) {
			continue
		}
		if !errors.Is(err, queue.ErrFull) {
			return err
		}
		if err := q.writable(ctx); err != nil {
			return err
		}
	}
}

func (q *Queue) settle(ctx context.Context, vs []queue.Verdict) error {
	select {
	case <-q.closed:
		return queue.ErrClosed
	default:
	}
	if err := q.broken(); err != nil {
		return err
	}
	defer q.revive.lock(nextEvents(vs)...)()
	op := &settleOp{q: q, gen: q.gen.Load(), now: q.opt.Now(), items: make([]settleItem, 0, len(vs)), done: make(chan error, 1)}
	var gone []error
	for _, v := range vs {
		it, ok, err := q.verdict(op.now, v)
		switch {
		case err != nil:
			gone = append(gone, err)
		case ok:
			op.items = append(op.items, it)
		}
	}
	if len(op.items) == 0 {
		return errors.Join(gone...)
	}
	if err := q.follow(op, vs); err != nil {
		op.revert()
		return err
	}
	// It is past the point where the caller may change its mind: the context
	// only bounds the waiting for room.
	if err := q.writer.enqueue(ctx, op); err != nil {
		op.revert()
		return err
	}
	if err := <-op.done; err != nil {
		return err
	}
	return errors.Join(gone...)
}

// verdict takes the claim out of its lease. It is not ok when nothing is to be
// written.
func (q *Queue) verdict(now time.Time, v queue.Verdict) (it settleItem, ok bool, err error) {
	h := q.holds(v.Claim)
	if h == nil {
		return it, false, lost(v.Claim)
	}
	l := h.lane
	l.mu.Lock()
	defer l.mu.Unlock()
	if h.state != leased || !now.Before(h.expires) {
		return it, false, lost(v.Claim)
	}
	uncounted := v.Outcome == queue.Later && v.Uncounted
	if uncounted && !v.At.After(now) {
		l.giveBack(h)
		return it, false, nil
	}
	h.state = settling
	it.h = h
	it.state = state{attempts: h.attempts + 1, updated: now, code: v.Code, note: queue.ClipNote(v.Note)}
	switch v.Outcome {
	case queue.Done:
		it.state.status = queue.StatusDelivered
	case queue.Filtered:
		it.state.status = queue.StatusFiltered
	case queue.Dead:
		it.state.status = queue.StatusDead
	case queue.Later:
		if uncounted {
			it.state.attempts--
		}
		it.state.status, it.state.due = queue.StatusPending, max(dueOf(v.At), dueOf(now))
		it.again = moment{due: it.state.due, id: h.id}
	}
	return it, true, nil
}

// follow finds which of the verdicts make a next step due. The caller holds
// the revival locks of their events.
func (q *Queue) follow(op *settleOp, vs []queue.Verdict) error {
	return q.read(func(db *pebble.DB) error {
		for i := range op.items {
			it := &op.items[i]
			if it.state.owed() {
				continue
			}
			for _, v := range vs {
				if v.Claim.Token != any(it.h) || v.Next == "" {
					continue
				}
				l := q.lanes.get(v.Next)
				q.lanes.number(l)
				st, err := stateOf(db, it.h.id, l)
				if unreadable(err) { // the next step finds out; the other verdicts are good
					st, err = state{}, nil
				}
				if err != nil {
					return fmt.Errorf("next step %s: %w", v.Next, err)
				}
				if st.owed() && l != it.h.lane {
					continue
				}
				it.next, it.bury = l, st.dead()
				it.nextAt = moment{due: dueOf(op.now), id: it.h.id}
			}
		}
		return nil
	})
}

// revert makes the claims leases again, after a failed write. A heal in
// between may have ended some.
func (op *settleOp) revert() {
	for _, it := range op.items {
		it.h.lane.mu.Lock()
		if it.h.state == settling {
			it.h.state = leased
			it.h.lane.ends(it.h)
		}
		it.h.lane.mu.Unlock()
	}
}

func (op *settleOp) write(b *batch) {
	if op.stale = op.gen != op.q.gen.Load(); op.stale {
		b.note(b.LogData(nil, nil))
		return
	}
	for _, it := range op.items {
		h := it.h
		if h.delayed {
			b.del(delayKey(h.lane.num, h.at))
		} else {
			b.delOnce(readyKey(h.lane.num, h.id))
		}
		h.lane.save(b)
		b.set(pairKey(keyState, h.id, h.lane.num), encodeState(it.state))
		switch it.state.status {
		case queue.StatusPending:
			h.lane.arrive(it.again)
			b.set(delayKey(h.lane.num, it.again), encodeAttempts(it.state.attempts))
		case queue.StatusDead:
			b.set(pairKey(keyDead, h.id, h.lane.num), nil)
		default:
		}
		if it.next != nil {
			writeDue(b, it.next, it.nextAt, it.bury)
		}
	}
	op.q.space.wrote(128 * len(op.items))
}

// writeDue makes a delivery due with a fresh count of attempts.
func writeDue(b *batch, l *lane, m moment, bury bool) {
	l.save(b)
	l.arrive(m)
	b.set(delayKey(l.num, m), encodeAttempts(0))
	b.set(pairKey(keyState, m.id, l.num), encodeState(state{status: queue.StatusPending, due: m.due}))
	if bury {
		b.del(pairKey(keyDead, m.id, l.num))
	}
}

func (op *settleOp) applied() {
	if op.stale {
		return
	}
	for _, it := range op.items {
		l := it.h.lane
		l.finish(it.h)
		switch it.state.status {
		case queue.StatusPending:
			l.landed(it.again, true)
		case queue.StatusDead:
			l.died(1)
		default:
		}
		if it.next != nil {
			it.next.landed(it.nextAt, true)
			if it.bury {
				it.next.died(-1)
			}
		}
	}
}

func (op *settleOp) ended(err error, _ bool) {
	if err == nil && op.stale {
		err = errStale
	}
	if err != nil {
		op.revert()
	}
	op.done <- err
}

func (op *settleOp) durable() bool { return false }

func (l *lane) died(n int) {
	l.mu.Lock()
	l.count.dead += n
	l.mu.Unlock()
}
