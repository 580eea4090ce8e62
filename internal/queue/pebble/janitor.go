package pebble

import (
	"context"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/hookd/hookd/internal/event"
)

// janitor does what must be done now and then, a little at a time.
func (q *Queue) janitor(ctx context.Context) {
	tick := time.NewTicker(q.opt.tick)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		q.heal()
		if q.broken() != nil {
			continue
		}
		q.sample()
		q.writeHints(ctx)
		for _, job := range []struct {
			what string
			do   func(context.Context) error
		}{
			{"dead letters", q.buryOld},
			{"history", q.retain},
			{"dedupe keys", q.sweep},
		} {
			if err := job.do(ctx); err != nil && ctx.Err() == nil && q.broken() == nil {
				q.log.Warn("queue: cleaning up", slog.String("what", job.what), slog.Any("error", err))
			}
		}
	}
}

// cleanOp is a janitor's write. Losing one in a crash loses nothing: it is
// done again.
type cleanOp struct {
	fill func(b *batch)
	done chan error
}

func (q *Queue) clean(ctx context.Context, fill func(b *batch)) error {
	op := &cleanOp{fill: fill, done: make(chan error, 1)}
	if err := q.writer.enqueue(ctx, op); err != nil {
		return err
	}
	return <-op.done
}

func (op *cleanOp) write(b *batch)          { op.fill(b) }
func (op *cleanOp) applied()                {}
func (op *cleanOp) ended(err error, _ bool) { op.done <- err }
func (op *cleanOp) durable() bool           { return false }

// writeHints writes down below which ID each lane has no r key, so that the
// first Claim after a restart does not walk over what is gone. A hint is
// behind the deletes that it speaks of in the log, so it never outlives them.
func (q *Queue) writeHints(ctx context.Context) {
	type hint struct {
		l  *lane
		id event.ID
	}
	var hints []hint
	err := q.read(func(db *pebble.DB) error {
		for _, l := range q.lanes.all() {
			l.mu.Lock()
			_, err := l.oldest(db)
			if err == nil && l.floor != l.hint && !l.floor.IsZero() {
				hints = append(hints, hint{l, l.floor})
			}
			l.mu.Unlock()
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && len(hints) > 0 {
		err = q.clean(ctx, func(b *batch) {
			for _, h := range hints {
				h.l.save(b)
				b.set(laneKey(keyHint, h.l.num), h.id[:])
			}
		})
	}
	if err != nil {
		if q.broken() == nil {
			q.log.Warn("queue: hints", slog.Any("error", err))
		}
		return
	}
	for _, h := range hints {
		h.l.mu.Lock()
		h.l.hint = h.id
		h.l.mu.Unlock()
	}
}
