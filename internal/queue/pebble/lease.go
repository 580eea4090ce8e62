package pebble

import (
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/hookd/hookd/internal/event"
)

// lease takes up to limit due deliveries of the lane, oldest first: what came
// back, then r and d keys merged by their times. Where there is none, the
// waiter, which may be nil, is left in the lane's list.
func (q *Queue) lease(db *pebble.DB, l *lane, limit int, span time.Duration, waiter chan struct{}) (hs []*held, wait time.Duration, err error) {
	now := q.opt.Now()
	expires := now.Add(span)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expire(now)
	for len(l.back) > 0 && len(hs) < limit {
		h := l.back[0]
		l.back = l.back[1:]
		hs = append(hs, h)
		l.claimed(h, expires)
	}
	fresh, err := l.scanReady(db, limit-len(hs))
	if err != nil {
		return hs, 0, l.unlease(hs, err)
	}
	late, err := l.scanDue(db, dueOf(now), limit-len(hs))
	if err != nil {
		return hs, 0, l.unlease(hs, err)
	}
	for len(hs) < limit && len(fresh)+len(late) > 0 {
		var h *held
		if len(late) == 0 || len(fresh) > 0 && !fresh[0].ready.After(late[0].ready) {
			h, fresh = fresh[0], fresh[1:]
			l.rnext = nextID(h.id)
			l.count.ready--
		} else {
			h, late = late[0], late[1:]
			l.dnext = h.at.next()
			if h.at.due <= l.count.dueMark {
				l.count.due--
			} else {
				l.count.future--
			}
		}
		hs = append(hs, h)
		l.claimed(h, expires)
	}
	if len(late) > 0 {
		l.due = late[0].at.due
	}
	if len(hs) == limit {
		l.wakeOne() // there may be more
		return hs, 0, nil
	}
	if len(hs) == 0 && waiter != nil {
		l.waiters = append(l.waiters, waiter)
		return nil, q.until(l, now), nil
	}
	return hs, 0, nil
}

// unlease undoes a lease that failed half way.
func (l *lane) unlease(hs []*held, err error) error {
	for _, h := range hs {
		l.giveBack(h)
	}
	return err
}

// until is how long a Claim may wait. The clock is looked at now and then: it
// can be set.
func (q *Queue) until(l *lane, now time.Time) time.Duration {
	wait := q.opt.poll
	if l.due != none {
		wait = min(wait, timeOf(l.due).Sub(now))
	}
	if !l.expiry.IsZero() {
		wait = min(wait, l.expiry.Sub(now))
	}
	return max(wait, 0)
}

// scanReady finds up to n r keys that are not claimed. The caller holds l.mu
// and moves rnext behind those that it takes.
func (l *lane) scanReady(db *pebble.DB, n int) (hs []*held, err error) {
	if n == 0 || l.num == 0 || compareIDs(l.rnext, l.newest) > 0 {
		return nil, nil
	}
	err = scan(db, readyKey(l.num, l.rnext), append(readyKey(l.num, l.newest), 0), func(k, _ []byte) error {
		id := event.ID(k[1+laneLen:])
		if l.held[id] == nil {
			hs = append(hs, &held{lane: l, id: id, ready: id.Time()})
		}
		if len(hs) == n {
			return errStop
		}
		return nil
	})
	if err == nil && len(hs) == 0 {
		l.rnext = nextID(l.newest) // never walk these again
	}
	return hs, err
}

// scanDue finds up to n d keys that are due and not claimed, and notes when
// the next one is. The caller holds l.mu and moves dnext.
func (l *lane) scanDue(db *pebble.DB, now uint64, n int) (hs []*held, err error) {
	if n == 0 || l.num == 0 || l.due > now {
		return nil, nil
	}
	l.due = none
	err = scan(db, delayKey(l.num, l.dnext), after(laneKey(keyDue, l.num)), func(k, v []byte) error {
		_, m := splitDelayKey(k)
		if m.due > now || len(hs) == n {
			l.due = m.due
			return errStop
		}
		if _, coming := l.arriving[m]; coming || l.held[m.id] != nil {
			return nil
		}
		attempts, err := decodeAttempts(v)
		if err != nil {
			attempts = 0 // better one attempt too many than none
		}
		hs = append(hs, &held{lane: l, id: m.id, delayed: true, at: m, attempts: attempts, ready: timeOf(m.due)})
		return nil
	})
	if err != nil {
		l.due = 0
	}
	return hs, err
}
