package record

import (
	"sync"
	"sync/atomic"

	"github.com/hookd/hookd/internal/event"
)

// Outcome is how a delivery of an awaited event stands.
type Outcome struct {
	Lane    string
	Settled bool
	Kind    Kind // of the last fact, once settled: Delivered, Filtered or Died
	Code    string
	Note    string
}

// Wait follows the deliveries of one event until all are settled.
type Wait struct {
	id    event.ID
	owner *waiters
	done  chan struct{}

	mu       sync.Mutex
	outcomes map[string]Outcome
	finished bool
}

// Await follows the deliveries of an event to the lanes, and to those that a
// settlement starts (Fact.Next). It is called after the event is in the queue,
// so facts may have been missed: the caller then looks into the history and
// hands what it finds to Merge. Close must be called. It returns ErrTooMany when
// MaxWaiters events are waited for.
func (r *Recorder) Await(id event.ID, lanes []string) (*Wait, error) {
	w := &Wait{id: id, owner: &r.waiting, done: make(chan struct{}), outcomes: make(map[string]Outcome, len(lanes))}
	for _, l := range lanes {
		w.outcomes[l] = Outcome{Lane: l}
	}
	w.mu.Lock()
	w.check()
	w.mu.Unlock()
	if err := r.waiting.add(w); err != nil {
		return nil, err
	}
	return w, nil
}

// Done is closed when every delivery is settled.
func (w *Wait) Done() <-chan struct{} { return w.done }

// Outcomes returns how each delivery stands, by lane.
func (w *Wait) Outcomes() map[string]Outcome {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make(map[string]Outcome, len(w.outcomes))
	for l, o := range w.outcomes {
		out[l] = o
	}
	return out
}

// Merge takes in what the history knew at one moment after Await, all of it at
// once. A delivery that is known as settled stays settled.
func (w *Wait) Merge(seen []Outcome) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, o := range seen {
		if !w.outcomes[o.Lane].Settled {
			w.outcomes[o.Lane] = o
		}
	}
	w.check()
}

// Close ends the waiting. It may be called more than once.
func (w *Wait) Close() { w.owner.remove(w) }

func (w *Wait) tell(f *Fact) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.outcomes[f.Lane] = Outcome{Lane: f.Lane, Settled: true, Kind: f.Kind, Code: f.Code, Note: f.Note}
	if _, known := w.outcomes[f.Next]; f.Next != "" && !known {
		w.outcomes[f.Next] = Outcome{Lane: f.Next}
	}
	w.check()
}

func (w *Wait) check() {
	for _, o := range w.outcomes {
		if !o.Settled {
			return
		}
	}
	if !w.finished {
		w.finished = true
		close(w.done)
	}
}

// waiters are those who wait, by event. Several may wait for one event.
type waiters struct {
	count atomic.Int64 // lets Tell pass without the lock when nobody waits
	mu    sync.Mutex
	by    map[event.ID]map[*Wait]struct{}
}

func (ws *waiters) init() { ws.by = make(map[event.ID]map[*Wait]struct{}) }

func (ws *waiters) add(w *Wait) error {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.count.Load() >= MaxWaiters {
		return ErrTooMany
	}
	if ws.by[w.id] == nil {
		ws.by[w.id] = make(map[*Wait]struct{}, 1)
	}
	ws.by[w.id][w] = struct{}{}
	ws.count.Add(1)
	return nil
}

func (ws *waiters) remove(w *Wait) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if _, there := ws.by[w.id][w]; !there {
		return
	}
	delete(ws.by[w.id], w)
	if len(ws.by[w.id]) == 0 {
		delete(ws.by, w.id)
	}
	ws.count.Add(-1)
}

func (ws *waiters) tell(f *Fact) {
	switch f.Kind {
	case Delivered, Filtered, Died:
	default:
		return
	}
	if ws.count.Load() == 0 {
		return
	}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for w := range ws.by[f.Event] {
		w.tell(f)
	}
}
