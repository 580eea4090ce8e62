package record

import (
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of what a Recorder holds.
const (
	DefaultRecent = 1000  // facts that Recent remembers
	MaxTails      = 64    // subscribers at once
	MaxWaiters    = 10000 // events waited for at once
	maxCodes      = 64    // codes counted by name for one hook; more count as "other"
)

// Other is the name under which everything is counted that Configure did not
// name: what strangers ask for must not make a counter.
const Other = "other"

// Recorder counts facts and hands them on. All methods are safe for concurrent
// use.
type Recorder struct {
	started time.Time
	names   atomic.Pointer[names]
	config  sync.Mutex // serialises Configure

	recent ring

	tails   atomic.Pointer[[]*Tail]
	tailing sync.Mutex   // serialises changes of tails
	missed  atomic.Int64 // facts that a tail had no room for, all tails

	waiting waiters
}

// names are the counters by name. The maps are never written to; Configure
// installs new ones.
type names struct {
	hooks map[string]*hookCounters
	lanes map[string]*laneCounters
	hook  *hookCounters // Other
	lane  *laneCounters
}

// New makes a recorder that remembers recent facts; recent 0 is DefaultRecent.
func New(recent int) *Recorder {
	if recent <= 0 {
		recent = DefaultRecent
	}
	r := &Recorder{started: time.Now()}
	r.recent.facts = make([]Fact, recent)
	r.waiting.init()
	r.names.Store(&names{hook: newHookCounters(), lane: &laneCounters{}})
	return r
}

// Configure sets the hooks and lanes that are counted by name. Those that were
// there before keep their counts; those that are not named any more are
// forgotten.
func (r *Recorder) Configure(hooks, lanes []string) {
	r.config.Lock()
	defer r.config.Unlock()
	old := r.names.Load()
	next := &names{
		hooks: make(map[string]*hookCounters, len(hooks)), lanes: make(map[string]*laneCounters, len(lanes)),
		hook: old.hook, lane: old.lane,
	}
	for _, h := range hooks {
		if next.hooks[h] = old.hooks[h]; next.hooks[h] == nil {
			next.hooks[h] = newHookCounters()
		}
	}
	for _, l := range lanes {
		if next.lanes[l] = old.lanes[l]; next.lanes[l] == nil {
			next.lanes[l] = &laneCounters{}
		}
	}
	r.names.Store(next)
}

// Tell records a fact. It never blocks and never fails. A zero Time is now.
func (r *Recorder) Tell(f Fact) {
	if f.Time.IsZero() {
		f.Time = time.Now()
	}
	n := r.names.Load()
	if h, ok := n.hooks[f.Hook]; ok {
		h.count(&f)
	} else {
		n.hook.count(&f)
	}
	if f.Lane != "" {
		if l, ok := n.lanes[f.Lane]; ok {
			l.count(&f)
		} else {
			n.lane.count(&f)
		}
	}
	r.recent.add(&f)
	if tails := r.tails.Load(); tails != nil {
		for _, t := range *tails {
			t.offer(&f)
		}
	}
	r.waiting.tell(&f)
}

// Recent returns up to n of the last facts, newest first.
func (r *Recorder) Recent(n int) []Fact { return r.recent.last(n) }
