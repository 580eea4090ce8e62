package deliver

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/hookd/hookd/server/conn"
)

// ErrNoLane says that there is no lane of that name.
var ErrNoLane = errors.New("no such lane")

// LaneStatus is how a lane stands. The work that waits for it is in
// queue.Depth.
type LaneStatus struct {
	Name        string
	Hook        string
	Module      string
	Paused      bool
	Breaker     BreakerState
	BreakerTill time.Time // open until; zero when it is closed
	Failures    int       // in a row
	InFlight    int       // sends under way
	Concurrency int
	LeftBehind  int // workers whose module ignored its time-out
	LastSuccess time.Time
	LastFailure time.Time
	LastCode    string
	LastNote    string
	Conn        conn.Status
}

// Status lists the lanes by name.
func (e *Engine) Status() []LaneStatus {
	e.mu.Lock()
	rs := make([]*runner, 0, len(e.runners))
	for _, r := range e.runners {
		rs = append(rs, r)
	}
	e.mu.Unlock()
	out := make([]LaneStatus, 0, len(rs))
	for _, r := range rs {
		out = append(out, r.status())
	}
	slices.SortFunc(out, func(a, b LaneStatus) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func (r *runner) status() LaneStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.t.lane
	return LaneStatus{
		Name: l.Name, Hook: l.Hook, Module: l.Module.Name(), Paused: r.paused,
		Breaker: r.brk.current(), BreakerTill: r.brk.until, Failures: r.brk.failures,
		InFlight: r.busy, Concurrency: l.concurrency(), LeftBehind: r.lost,
		LastSuccess: r.last.success, LastFailure: r.last.failure, LastCode: r.last.code, LastNote: r.last.note,
		Conn: l.Conn.Status(),
	}
}

// Pause stops a lane from claiming; sends in flight end as they would. It holds
// across Apply, also for a lane that is removed and comes back.
func (e *Engine) Pause(lane string) error { return e.setPaused(lane, true) }

// Resume lets a paused lane claim again, and closes its breaker, for whoever
// resumes a lane wants it tried now.
func (e *Engine) Resume(lane string) error { return e.setPaused(lane, false) }

func (e *Engine) setPaused(lane string, paused bool) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.runners[lane]
	if r == nil {
		return ErrNoLane
	}
	e.paused[lane] = paused
	r.mu.Lock()
	defer r.mu.Unlock()
	r.paused = paused
	if !paused {
		r.brk = breaker{}
	}
	r.signal(paused)
	return nil
}

// change gives a runner the new form of its lane.
func (r *runner) change(l *Lane) {
	t := &target{lane: l}
	r.mu.Lock()
	defer r.mu.Unlock()
	if old := r.t; l.Fingerprint != "" && l.Fingerprint == old.lane.Fingerprint {
		t.adopt(old)
	} else {
		r.brk = breaker{}
	}
	r.t = t
	r.signal(true) // there may be less room, or more
}

// idle reports whether nothing of the runner is under way.
func (r *runner) idle() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.busy == 0 && len(r.held) == 0
}
