package deliver

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/modules"
)

const (
	// maxBatch bounds the deliveries of one send, and claimBytes what one claim
	// of the queue brings into memory, by the bodies seen so far.
	maxBatch   = 1000
	claimBytes = 32 << 20
)

// runner works one lane: it claims as much as there are free slots, and gives
// each slot a worker.
type runner struct {
	e    *Engine
	name string
	own  chan struct{} // the slot that the lane has beside the global ones
	wake chan struct{} // something changed

	mu        sync.Mutex
	t         *target
	stopped   bool
	paused    bool
	brk       breaker
	busy      int // slots taken
	lost      int // workers left behind
	interrupt context.CancelFunc
	held      map[*queue.Claim]time.Time // leased since
	active    map[*attempt]*time.Timer
	average   int // bytes of a body
	last      lastResults
}

func newRunner(e *Engine, l *Lane) *runner {
	return &runner{
		e: e, name: l.Name, own: make(chan struct{}, 1), wake: make(chan struct{}, 1), t: &target{lane: l},
		held: make(map[*queue.Claim]time.Time), active: make(map[*attempt]*time.Timer),
	}
}

// loop claims until ctx ends.
func (r *runner) loop(ctx context.Context) {
	for ctx.Err() == nil {
		slots, items, claimCtx, wait := r.room(ctx)
		if slots == 0 {
			r.sleep(ctx, wait)
			continue
		}
		cs, err := r.e.o.Queue.Claim(claimCtx, r.name, items, r.e.o.Lease)
		if err != nil {
			if claimCtx.Err() == nil {
				r.e.o.Log.Error("claim failed", slog.String("lane", r.name), slog.Any("error", err))
				r.sleep(ctx, time.Second)
			}
			continue
		}
		r.start(ctx, cs, slots)
	}
}

// room says how many slots may be filled, with how many claims in all. A change
// that leaves less room ends the returned context.
func (r *runner) room(ctx context.Context) (slots, items int, claimCtx context.Context, wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.interrupt != nil {
		r.interrupt()
	}
	slots, wait = r.free()
	if slots == 0 {
		return 0, 0, nil, wait
	}
	items = slots * r.t.batchItems()
	if r.brk.current() == BreakerHalfOpen {
		items = 1
	}
	items = max(1, min(items, claimBytes/max(r.average, 1)))
	claimCtx, r.interrupt = context.WithCancel(ctx)
	return slots, items, claimCtx, 0
}

// free is how many slots may be filled. r.mu is held.
func (r *runner) free() (slots int, wait time.Duration) {
	limit := r.t.lane.concurrency()
	// Workers left behind do not take a slot until there are as many of them as
	// slots: a module that never returns cannot pile up without end.
	slots = limit - r.busy - max(0, r.lost-limit)
	if r.paused || r.stopped || slots <= 0 {
		return 0, 0
	}
	before := r.brk.state
	allowed, wait := r.brk.allow(time.Now())
	if r.brk.state != before {
		r.e.tellBreaker(r.name, r.t.lane.Hook, r.brk.current(), r.brk.until)
	}
	if allowed >= 0 {
		slots = min(slots, allowed)
	}
	return slots, wait
}

// sleep waits for a change; zero wait is without limit.
func (r *runner) sleep(ctx context.Context, wait time.Duration) {
	var alarm <-chan time.Time
	if wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		alarm = t.C
	}
	select {
	case <-r.wake:
	case <-alarm:
	case <-ctx.Done():
	}
}

// start spreads the claims over the slots.
func (r *runner) start(ctx context.Context, cs []*queue.Claim, slots int) {
	r.hold(cs)
	for ; len(cs) > 0; slots-- {
		if slots == 0 { // batches became smaller in between
			r.putBack(cs, time.Now(), "")
			return
		}
		free, ok := r.admit(ctx)
		if !ok {
			r.putBack(cs, time.Now(), modules.CodeShutdown)
			return
		}
		a, until, code := r.begin(cs, free)
		if a == nil {
			free()
			r.putBack(cs, until, code)
			return
		}
		cs = cs[len(a.claims):]
		go a.run(r.e.sendCtx) //nolint:contextcheck // a send outlives the claiming, by the grace
	}
}

// begin takes a slot for the first of the claims, as many as one send takes,
// unless the lane may not send any more; then it says until when and why.
func (r *runner) begin(cs []*queue.Claim, free func()) (a *attempt, until time.Time, code string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now, state := time.Now(), r.brk.current()
	switch {
	case r.paused, r.stopped:
		return nil, now, ""
	case state == BreakerOpen, state == BreakerHalfOpen && r.brk.probing:
		return nil, later(now, r.brk.until), modules.CodeUnavailable
	}
	a = &attempt{r: r, t: r.t, free: free, claims: cs[:min(len(cs), r.t.batchItems())]}
	if state == BreakerHalfOpen {
		a.claims, a.probe, r.brk.probing = cs[:1], true, true
	}
	r.busy++
	r.active[a] = nil
	r.e.busy.Add(1)
	return a, now, ""
}

// admit takes a place among all lanes: the lane's own, or a global one.
func (r *runner) admit(ctx context.Context) (free func(), ok bool) {
	own := func() { <-r.own }
	select {
	case r.own <- struct{}{}:
		return own, true
	default:
	}
	select {
	case r.own <- struct{}{}:
		return own, true
	case r.e.global <- struct{}{}:
		return func() { <-r.e.global }, true
	case <-ctx.Done():
		return nil, false
	}
}

// putBack returns claims that were not tried.
func (r *runner) putBack(cs []*queue.Claim, at time.Time, code string) {
	rs := make([]result, 0, len(cs))
	for _, c := range cs {
		res := result{verdict: queue.Verdict{Claim: c}}
		res.giveBack(at, code)
		rs = append(rs, res)
	}
	r.e.busy.Add(1)
	r.e.settle(r, rs)
	r.e.busy.Done()
}

func (r *runner) hold(cs []*queue.Claim) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	for _, c := range cs {
		r.held[c] = now
		r.average += (len(c.Event.Body) - r.average) / 8
	}
}

// signal wakes the loop; when room shrank, it also ends a waiting claim.
func (r *runner) signal(shrank bool) {
	if shrank && r.interrupt != nil {
		r.interrupt()
	}
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
