package mem

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
)

// Queue implements queue.Queue and queue.Stater in memory.
type Queue struct {
	opt Options
	ids event.IDs

	mu     sync.Mutex
	closed bool
	done   chan struct{} // closed by Close
	events map[event.ID]*stored
	order  []event.ID // sorted
	lanes  map[string]*lane
	keys   map[string]dedupe
	owed   int64 // bytes of events with unsettled or dead deliveries
	kept   int64 // bytes of settled events
	token  uint64
	swept  time.Time
}

type dedupe struct {
	id      event.ID
	expires time.Time
}

// stored is an event with its deliveries by lane.
type stored struct {
	event *event.Event
	size  int64
	lanes []string // those of Put
	sent  map[string]*delivery
	owed  bool // counted in Queue.owed
}

// New makes an empty queue.
func New(o Options) *Queue {
	return &Queue{
		opt:    o.withDefaults(),
		done:   make(chan struct{}),
		events: map[event.ID]*stored{},
		lanes:  map[string]*lane{},
		keys:   map[string]dedupe{},
	}
}

// Put stores the item; see queue.Queue.
func (q *Queue) Put(ctx context.Context, it queue.Item) (queue.Put, error) {
	if err := ctx.Err(); err != nil {
		return queue.Put{}, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return queue.Put{}, queue.ErrClosed
	}
	now := time.Now()
	for _, o := range it.Once {
		if d, ok := q.keys[onceKey(o)]; ok && now.Before(d.expires) {
			return queue.Put{}, queue.ErrReplayed
		}
	}
	if d, ok := q.keys[it.DedupeKey]; ok && it.DedupeKey != "" && now.Before(d.expires) {
		return queue.Put{ID: d.id}, nil
	}
	if _, ok := q.events[it.Event.ID]; ok {
		return queue.Put{ID: it.Event.ID}, nil
	}
	q.forget(now)
	size := int64(len(it.Event.Body))
	if q.owed+size > q.opt.MaxBytes {
		return queue.Put{}, queue.ErrFull
	}
	if it.Event.ID.IsZero() {
		it.Event.ID = q.ids.Next(now)
	}
	ev := *it.Event
	ev.Header = ev.Header.Clone()
	ev.Body = bytes.Clone(ev.Body)
	s := &stored{event: &ev, size: size, lanes: slices.Clone(it.Lanes), sent: map[string]*delivery{}}
	q.events[ev.ID] = s
	at, _ := slices.BinarySearchFunc(q.order, ev.ID, compareID)
	q.order = slices.Insert(q.order, at, ev.ID)
	q.kept += size
	for _, name := range it.Lanes {
		if s.sent[name] == nil {
			d := &delivery{of: s, lane: name}
			s.sent[name] = d
			q.due(d, ev.ID.Time(), ev.Received)
		}
	}
	q.recount(s)
	if it.DedupeKey != "" && it.DedupeWindow > 0 {
		q.keys[it.DedupeKey] = dedupe{id: ev.ID, expires: now.Add(it.DedupeWindow)}
	}
	for _, o := range it.Once {
		q.keys[onceKey(o)] = dedupe{id: ev.ID, expires: o.Until}
	}
	return queue.Put{ID: ev.ID, Fresh: true}, nil
}

func onceKey(o queue.Once) string { return "\xffonce\x00" + o.Key }

// State tells whether the queue takes more.
func (q *Queue) State() queue.State {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := queue.State{Writable: true, DiskUsed: q.owed + q.kept, DiskMax: q.opt.MaxBytes}
	switch {
	case q.closed:
		s.Writable, s.Reason = false, queue.ErrClosed
	case q.owed >= q.opt.MaxBytes:
		s.Writable, s.Full, s.Reason = false, true, queue.ErrFull
	}
	return s
}

// Close ends the queue and forgets what it holds.
func (q *Queue) Close(context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.closed = true
		close(q.done)
	}
	return nil
}

func compareID(a, b event.ID) int { return bytes.Compare(a[:], b[:]) }

var (
	_ queue.Queue  = (*Queue)(nil)
	_ queue.Stater = (*Queue)(nil)
)
