package deliver

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"time"

	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/internal/record"
	"github.com/hookd/hookd/modules"
)

// everyone yields all runners, also of removed lanes. e.mu is held.
func (e *Engine) everyone() iter.Seq[*runner] {
	return func(yield func(*runner) bool) {
		for _, r := range e.runners {
			if !yield(r) {
				return
			}
		}
		for r := range e.retired {
			if !yield(r) {
				return
			}
		}
	}
}

// sweeper sweeps for work of lanes that are gone, until ctx ends.
func (e *Engine) sweeper(ctx context.Context) {
	tick := time.NewTicker(e.o.Sweep)
	defer tick.Stop()
	for {
		e.sweep(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// renewer renews the leases of what is under way, until ctx ends.
func (e *Engine) renewer(ctx context.Context) {
	tick := time.NewTicker(e.o.Lease / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			e.renew(ctx)
		}
	}
}

// renew extends the leases of sends that take long.
func (e *Engine) renew(ctx context.Context) {
	e.mu.Lock()
	var cs []*queue.Claim
	for r := range e.everyone() {
		cs = append(cs, r.old(time.Now().Add(-e.o.Lease/4))...)
	}
	e.mu.Unlock()
	for _, c := range cs {
		if err := e.o.Queue.Renew(ctx, c, e.o.Lease); err != nil && !errors.Is(err, queue.ErrLost) && ctx.Err() == nil {
			e.o.Log.Warn("lease could not be renewed", slog.String("lane", c.Lane), slog.Any("error", err))
		}
	}
}

// sweep starts to bury the work of lanes that are not configured, and stops
// where none is left.
func (e *Engine) sweep(ctx context.Context) {
	depth, err := e.o.Queue.Depth(ctx)
	if err != nil {
		if ctx.Err() == nil {
			e.o.Log.Warn("queue could not be counted", slog.Any("error", err))
		}
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.configured || ctx.Err() != nil {
		return
	}
	for lane, stop := range e.burying {
		if d := depth[lane]; d.Ready+d.Delayed+d.Leased == 0 {
			stop()
			delete(e.burying, lane)
		}
	}
	for lane, d := range depth {
		if e.runners[lane] != nil || e.burying[lane] != nil || d.Ready+d.Delayed+d.Leased == 0 {
			continue
		}
		ctx, cancel := context.WithCancel(ctx)
		e.burying[lane] = cancel
		e.loops.Go(func() { e.bury(ctx, lane) })
	}
}

// bury makes dead letters of all that comes due on a lane that is gone. A
// delayed delivery is buried when its time comes, so that a lane that comes
// back before then loses nothing of it.
func (e *Engine) bury(ctx context.Context, lane string) {
	const note = "the destination is not configured any more; replay it when it is back, or purge it"
	for ctx.Err() == nil {
		cs, err := e.o.Queue.Claim(ctx, lane, 100, e.o.Lease)
		if err != nil {
			if ctx.Err() == nil {
				e.o.Log.Error("claim failed", slog.String("lane", lane), slog.Any("error", err))
				<-time.After(time.Second)
			}
			continue
		}
		rs := make([]result, 0, len(cs))
		for _, c := range cs {
			rs = append(rs, result{
				verdict: queue.Verdict{Claim: c, Outcome: queue.Dead, Code: modules.CodeRemoved, Note: note},
				fact: record.Fact{
					Time: time.Now(), Kind: record.Died, Hook: c.Event.Hook, Lane: lane, Event: c.Event.ID, Type: c.Event.Type,
					Attempt: c.Attempt, Code: modules.CodeRemoved, Note: note, Bytes: len(c.Event.Body),
				},
			})
		}
		e.write([]outcome{{&runner{}, rs}}, len(rs)) //nolint:contextcheck // a verdict is written although the burial ends
	}
}
