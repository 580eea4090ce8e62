package pebble

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// sweeping is where the janitor stands in the dedupe keys. Only it looks here.
type sweeping struct {
	from  []byte    // the next key to look at; nil between two rounds
	began time.Time // of the round
}

const (
	sweepStep   = 5000 // keys looked at in one go
	sweepSteps  = 10   // goes in one tick; in the first round as many as it takes
	sweepDelete = 200  // keys removed under one lock of the writer
	sweepEvery  = 10 * time.Minute
)

// sweep removes expired dedupe keys. A round goes once through all keys and
// leaves a filter that knows those that are left.
func (q *Queue) sweep(ctx context.Context) error {
	s, now := &q.sweeping, q.opt.Now()
	if s.from == nil {
		if age := now.Sub(s.began); age >= 0 && age < sweepEvery {
			return nil
		}
		s.began = now
		if err := q.refill(ctx); err != nil {
			return err
		}
		s.from = []byte{keyDedupe}
	}
	for n := 0; s.from != nil && (n < sweepSteps || q.filters.use.Load() == nil); n++ {
		if err := q.sweepSome(ctx, dueOf(now)); err != nil {
			return err
		}
	}
	return nil
}

func (q *Queue) sweepSome(ctx context.Context, now uint64) error {
	s, fill := &q.sweeping, q.filters.fill.Load()
	var (
		expired [][]byte
		next    []byte
		seen    int
	)
	err := q.read(func(db *pebble.DB) error {
		return scan(db, s.from, []byte{keyDedupe + 1}, func(k, v []byte) error {
			if seen++; seen > sweepStep {
				next = bytes.Clone(k)
				return errStop
			}
			if d, err := decodeDupe(v); err != nil || d.expires <= now {
				expired = append(expired, bytes.Clone(k))
			} else if len(k) == 1+hashLen {
				fill.add([hashLen]byte(k[1:]))
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	for part := range slices.Chunk(expired, sweepDelete) {
		if err := q.clean(ctx, func(b *batch) { q.deleteExpired(b, part, now) }); err != nil {
			return err
		}
	}
	if s.from = next; next == nil {
		q.filters.use.Store(fill)
		q.filters.fill.Store(nil)
	}
	return nil
}

// deleteExpired runs under the writer's lock. A key may have been stored anew
// since it was found, so it is looked at again.
func (q *Queue) deleteExpired(b *batch, keys [][]byte, now uint64) {
	for _, k := range keys {
		if len(k) == 1+hashLen && q.keys.busy([hashLen]byte(k[1:])) {
			continue
		}
		_ = get(q.db, k, func(v []byte) error { // what cannot be read now is left for the next round
			if d, err := decodeDupe(v); err != nil || d.expires <= now {
				b.del(k)
			}
			return nil
		})
	}
	if b.Empty() {
		b.note(b.LogData(nil, nil))
	}
}
