package pebble

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
)

// count adds what was in the store when it was opened to the counts of the
// lanes, which meanwhile go on by differences.
func (q *Queue) count(snap *pebble.Snapshot, done chan struct{}) {
	defer close(done)
	base := map[uint32]*counts{}
	ages := map[uint32]map[int64]int{}
	of := func(num uint32) *counts {
		if base[num] == nil {
			base[num], ages[num] = &counts{}, map[int64]int{}
		}
		return base[num]
	}
	stopped := func() error {
		select {
		case <-q.closed:
			return errStop
		default:
			return nil
		}
	}
	err := errors.Join(
		scan(snap, []byte{keyReady}, []byte{keyReady + 1}, func(k, _ []byte) error {
			of(uint32(k[1])<<24|uint32(k[2])<<16|uint32(k[3])<<8|uint32(k[4])).ready++
			return stopped()
		}),
		scan(snap, []byte{keyDue}, []byte{keyDue + 1}, func(k, _ []byte) error {
			num, m := splitDelayKey(k)
			of(num).future++
			ages[num][ageOf(m.id)]++
			return stopped()
		}),
		scan(snap, []byte{keyDead}, []byte{keyDead + 1}, func(k, _ []byte) error {
			_, num := splitPairKey(k)
			of(num).dead++
			return stopped()
		}),
		snap.Close(),
	)
	if err != nil {
		q.log.Warn("queue: the backlog could not be counted", slog.Any("error", err))
	}
	for num, c := range base {
		l := q.lanes.numbered(num)
		if l == nil {
			continue
		}
		l.mu.Lock()
		l.count.ready += c.ready
		l.count.future += c.future
		l.count.dead += c.dead
		for age, n := range ages[num] {
			if l.ages[age] += n; l.ages[age] == 0 {
				delete(l.ages, age)
			}
		}
		l.mu.Unlock()
	}
}

// Depth counts the lanes; see queue.Queue. Just after a start it waits until
// the backlog was counted.
func (q *Queue) Depth(ctx context.Context) (map[string]queue.Depth, error) {
	select {
	case <-*q.counted.Load():
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case <-q.closed:
		return nil, queue.ErrClosed
	default:
	}
	out := map[string]queue.Depth{}
	err := q.read(func(db *pebble.DB) error {
		for _, l := range q.lanes.all() {
			d, err := l.depth(db, q.opt.Now())
			if err != nil {
				return err
			}
			if d != (queue.Depth{}) {
				out[l.name] = d
			}
		}
		return nil
	})
	return out, err
}

func (l *lane) depth(db *pebble.DB, now time.Time) (d queue.Depth, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expire(now)
	if err := l.fallDue(db, dueOf(now)); err != nil {
		return d, err
	}
	c := l.count
	d = queue.Depth{Ready: c.ready + c.due + len(l.back), Delayed: c.future, Leased: c.leased, Dead: c.dead}
	if c.ready+c.leased+len(l.back) > 0 {
		if d.Oldest, err = l.oldest(db); err != nil {
			return d, err
		}
	}
	for age := range l.ages {
		if at := time.Unix(age*ageStep, 0); d.Oldest.IsZero() || at.Before(d.Oldest) {
			d.Oldest = at
		}
	}
	return d, nil
}

// fallDue moves the deliveries that became due since the last time from the
// future to the due. Each is looked at once in its life. The caller holds l.mu.
func (l *lane) fallDue(db *pebble.DB, now uint64) error {
	if l.num == 0 || l.count.future == 0 || now <= l.count.dueMark {
		l.count.dueMark = max(l.count.dueMark, now)
		return nil
	}
	from := moment{due: l.count.dueMark + 1}
	if l.count.dueMark == 0 {
		from = moment{}
	}
	n := 0
	err := scan(db, delayKey(l.num, from), delayKey(l.num, moment{due: now + 1}), func(k, _ []byte) error {
		_, m := splitDelayKey(k)
		if _, coming := l.arriving[m]; !coming && l.held[m.id] == nil {
			n++
		}
		return nil
	})
	if err == nil {
		l.count.future -= n
		l.count.due += n
		l.count.dueMark = now
	}
	return err
}

// oldest is when the event of the first r key was accepted; it moves floor
// there. The caller holds l.mu.
func (l *lane) oldest(db *pebble.DB) (at time.Time, err error) {
	first := nextID(l.newest)
	if compareIDs(l.floor, first) < 0 {
		err = scan(db, readyKey(l.num, l.floor), append(readyKey(l.num, l.newest), 0), func(k, _ []byte) error {
			first = event.ID(k[1+laneLen:])
			at = first.Time()
			return errStop
		})
	}
	if err == nil {
		l.floor = first
	}
	return at, err
}
