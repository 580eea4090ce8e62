package deliver

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/modules"
)

// ignoredGrace is how long a module may take to notice that its time is up.
const ignoredGrace = 5 * time.Second

// attempt is one send of one or more claims, from its slot to its verdicts.
type attempt struct {
	r      *runner
	t      *target
	claims []*queue.Claim
	free   func() // gives the place among all lanes back
	probe  bool   // of a half-open breaker
	over   atomic.Bool
}

// run is the body of a worker.
func (a *attempt) run(ctx context.Context) {
	var (
		ds      = make([]*event.Delivery, 0, len(a.claims))
		sending = make([]*queue.Claim, 0, len(a.claims))
		ready   []result
		start   = time.Now()
	)
	for _, c := range a.claims {
		d, err := a.t.lane.prepare(ctx, c)
		if err != nil {
			ready = append(ready, a.t.lane.judge(ctx, c, err, time.Since(start)))
			continue
		}
		ds, sending = append(ds, d), append(sending, c)
	}
	if len(ds) == 0 {
		a.finish(ready)
		return
	}
	timeout := a.t.lane.timeout()
	sendCtx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	start = time.Now()
	watch := time.AfterFunc(timeout+ignoredGrace, func() {
		err := modules.Retry(modules.CodeTimeout, errIgnored)
		a.abandon(slices.Concat(ready, a.judgeAll(ctx, sending, err, time.Since(start))))
	})
	a.r.watch(a, watch)
	rs := a.t.send(sendCtx, ds)
	watch.Stop()
	took := time.Since(start)
	done := slices.Clone(ready) // the watch may be reading ready
	for i, c := range sending {
		res := a.t.lane.judge(ctx, c, timedOut(sendCtx, rs[i].Err), took)
		if rs[i].Err == nil {
			res.verdict.Note = clip(errors.New(rs[i].Receipt.Status))
			res.fact.Note = res.verdict.Note
		}
		done = append(done, res)
	}
	a.finish(done)
}

// timedOut makes sure that an attempt that ran out of time says so, whatever
// the module made of it.
func timedOut(ctx context.Context, err error) error {
	if err == nil || !errors.Is(ctx.Err(), context.DeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	f := modules.FailureOf(err)
	f.Err = errors.Join(f.Err, context.DeadlineExceeded)
	return &f
}

func (a *attempt) judgeAll(ctx context.Context, cs []*queue.Claim, err error, took time.Duration) []result {
	rs := make([]result, 0, len(cs))
	for _, c := range cs {
		rs = append(rs, a.t.lane.judge(ctx, c, err, took))
	}
	return rs
}

// finish gives the verdicts and the slot back, unless abandon did.
func (a *attempt) finish(rs []result) {
	if a.over.Swap(true) {
		a.r.returned()
		return
	}
	a.r.finished(a, rs)
	a.free()
}

// abandon gives up a module that does not return: its deliveries are settled,
// and another may take its slot.
func (a *attempt) abandon(rs []result) {
	if a.over.Swap(true) {
		return
	}
	a.t.lane.log().Error("module ignored its time-out and is left behind",
		slog.String("lane", a.t.lane.Name), slog.String("module", a.t.lane.Module.Name()), slog.Int("deliveries", len(rs)))
	a.r.abandoned(a, rs)
	a.free()
}

// giveUp abandons an attempt at the end of the shutdown.
func (a *attempt) giveUp() {
	now := time.Now()
	rs := make([]result, 0, len(a.claims))
	for _, c := range a.claims {
		r := result{verdict: queue.Verdict{Claim: c}}
		r.giveBack(now, modules.CodeShutdown)
		rs = append(rs, r)
	}
	a.abandon(rs)
}
