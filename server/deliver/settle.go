package deliver

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/internal/record"
)

// maxSettle bounds the verdicts of one write.
const maxSettle = 512

// outcome is what one attempt hands to the settler.
type outcome struct {
	r  *runner
	rs []result
}

// settle hands results to the settler.
func (e *Engine) settle(r *runner, rs []result) {
	if len(rs) > 0 {
		e.outcomes <- outcome{r, rs}
	}
}

// settler writes verdicts until outcomes is closed. It waits for nothing: what
// came while one write was under way is the next one, so that writes are few
// under load and prompt without.
func (e *Engine) settler() {
	for first := range e.outcomes {
		batch, n := []outcome{first}, len(first.rs)
	more:
		for n < maxSettle {
			select {
			case o, ok := <-e.outcomes:
				if !ok {
					break more
				}
				batch, n = append(batch, o), n+len(o.rs)
			default:
				break more
			}
		}
		e.write(batch, n)
	}
}

func (e *Engine) write(batch []outcome, n int) {
	vs := make([]queue.Verdict, 0, n)
	for _, o := range batch {
		for i := range o.rs {
			vs = append(vs, o.rs[i].verdict)
		}
	}
	err := e.writeVerdicts(vs)
	if errors.Is(err, queue.ErrLost) {
		e.o.Log.Warn("a lease ran out before its verdict; the delivery may be repeated", slog.Any("error", err))
		err = nil
	}
	for _, o := range batch {
		o.r.settled(o.rs)
		if err != nil {
			continue // the leases run out, and the deliveries come again
		}
		for i := range o.rs {
			if !o.rs[i].quiet {
				e.tell(&o.rs[i])
			}
		}
	}
	if err != nil {
		e.o.Log.Error("verdicts could not be written; the deliveries will be repeated", slog.Int("deliveries", n), slog.Any("error", err))
	}
}

// writeVerdicts tries three times: a verdict that is lost is a repeated
// delivery.
func (e *Engine) writeVerdicts(vs []queue.Verdict) (err error) {
	for wait := 50 * time.Millisecond; wait < time.Second; wait *= 4 {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		err = e.o.Queue.Settle(ctx, vs...)
		cancel()
		if err == nil || errors.Is(err, queue.ErrLost) || errors.Is(err, queue.ErrClosed) {
			return err
		}
		<-time.After(wait)
	}
	return err
}

// tell reports what is settled: to the recorder, and as one line of the log
// without payload.
func (e *Engine) tell(r *result) {
	e.o.Recorder.Tell(r.fact)
	level, msg := slog.LevelDebug, "delivered"
	switch r.fact.Kind {
	case record.Filtered:
		msg = "filtered"
	case record.Retried:
		level, msg = slog.LevelWarn, "attempt failed"
	case record.Died:
		level, msg = slog.LevelError, "delivery is dead"
	default:
	}
	if !e.o.Log.Enabled(context.Background(), level) {
		return
	}
	c := r.verdict.Claim
	attrs := []slog.Attr{
		slog.String("event", c.Event.ID.String()), slog.String("delivery", c.ID.String()), slog.String("lane", r.fact.Lane),
		slog.Int("attempt", c.Attempt), slog.String("code", r.fact.Code), slog.Duration("took", r.fact.Duration),
	}
	if r.fact.Note != "" {
		attrs = append(attrs, slog.String("note", r.fact.Note))
	}
	if !r.fact.NextTry.IsZero() {
		attrs = append(attrs, slog.Time("next_try", r.fact.NextTry))
	}
	e.o.Log.LogAttrs(context.Background(), level, msg, attrs...) //nolint:sloglint // one of four constants
}

// tellBreaker reports a change of a lane's breaker.
func (e *Engine) tellBreaker(lane, hook string, state BreakerState, until time.Time) {
	e.o.Recorder.Tell(record.Fact{Time: time.Now(), Kind: record.Breaker, Hook: hook, Lane: lane, Code: string(state), NextTry: until})
	e.o.Log.Warn("breaker changed", slog.String("lane", lane), slog.String("state", string(state)))
}
