package deliver

import (
	"time"

	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/internal/record"
)

// lastResults is what the status shows of the past.
type lastResults struct {
	success time.Time
	failure time.Time
	code    string
	note    string
}

// watch notes the timer of a running attempt.
func (r *runner) watch(a *attempt, t *time.Timer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, running := r.active[a]; running {
		r.active[a] = t
	}
}

// finished takes the results of an attempt and frees its slot.
func (r *runner) finished(a *attempt, rs []result) {
	r.take(a, rs, 0)
}

// abandoned is finished for a worker that is left behind.
func (r *runner) abandoned(a *attempt, rs []result) {
	r.take(a, rs, 1)
}

// returned is told by a worker that was left behind and came back.
func (r *runner) returned() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lost--
	r.signal(false)
}

func (r *runner) take(a *attempt, rs []result, lost int) {
	defer r.e.busy.Done()
	r.mu.Lock()
	if t := r.active[a]; t != nil {
		t.Stop()
	}
	delete(r.active, a)
	r.busy--
	r.lost += lost
	before := r.brk.current()
	for i := range rs {
		r.weigh(&rs[i], a.probe)
	}
	if a.probe {
		r.brk.probing = false
	}
	after := r.brk.current()
	r.signal(before == BreakerClosed && after == BreakerOpen)
	if before != after {
		r.e.tellBreaker(r.name, r.t.lane.Hook, after, r.brk.until)
	}
	r.mu.Unlock()
	r.e.settle(r, rs)
}

// weigh lets a result act on the breaker. r.mu is held.
func (r *runner) weigh(res *result, probe bool) {
	now := time.Now()
	switch res.effect {
	case works:
		r.brk.success()
		if res.verdict.Outcome == queue.Done {
			r.last.success = now
		}
	case fails:
		r.brk.failure(now, res.after, probe)
	case neutral:
	}
	if k := res.fact.Kind; !res.quiet && (k == record.Retried || k == record.Died) {
		r.last.failure, r.last.code, r.last.note = now, res.fact.Code, res.fact.Note
	}
}

// settled forgets claims whose lease needs no renewing any more.
func (r *runner) settled(rs []result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range rs {
		delete(r.held, rs[i].verdict.Claim)
	}
}

// old lists the claims that were leased or renewed before t, and counts them as
// renewed now.
func (r *runner) old(t time.Time) []*queue.Claim {
	r.mu.Lock()
	defer r.mu.Unlock()
	var cs []*queue.Claim
	for c, since := range r.held {
		if since.Before(t) {
			cs = append(cs, c)
			r.held[c] = time.Now()
		}
	}
	return cs
}

// abandonAll gives up what still runs when the shutdown is over.
func (r *runner) abandonAll() {
	r.mu.Lock()
	as := make([]*attempt, 0, len(r.active))
	for a := range r.active {
		as = append(as, a)
	}
	r.mu.Unlock()
	for _, a := range as {
		a.giveUp()
	}
}
