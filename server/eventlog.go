package server

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/internal/record"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/server/admin"
	"github.com/hookd/hookd/server/plan"
)

// Bounds of the event log.
const (
	logRows     = 1000            // of one insert
	logBytes    = 16 << 20        // of bodies of one insert, but for the last one's
	logInterval = 2 * time.Second // between the first row of an insert and the insert
	logWaiting  = 100_000         // events that wait while the server is away; more are dropped
	logTimeout  = 30 * time.Second
	logBackoff  = 30 * time.Second // at most, between two attempts
	logFarewell = 5 * time.Second  // for what waits when hookd stops
)

// eventLog writes every accepted event to a table besides. It reads the events
// from the queue's history, after they were accepted: it holds nothing up, and
// no delivery waits for it or fails with it. What it cannot write in time it
// drops and counts.
type eventLog struct {
	log      *slog.Logger
	recorder *record.Recorder
	history  interface {
		Get(ctx context.Context, id event.ID) (queue.Record, error)
	}
	plan     atomic.Pointer[plan.EventLog]
	interval time.Duration

	ids     chan event.ID
	tail    atomic.Pointer[record.Tail] // nil until it is followed
	written atomic.Int64
	dropped atomic.Int64
	inHand  atomic.Int64 // taken from ids and not written yet
	down    bool         // said that it cannot write; of the writing goroutine

	// The destination is made anew for each plan and each opening of its
	// connection.
	dest       modules.BatchDestination
	of         *plan.EventLog
	generation uint64
}

func newEventLog(log *slog.Logger, recorder *record.Recorder, history queue.History) *eventLog {
	return &eventLog{log: log, recorder: recorder, history: history, interval: logInterval, ids: make(chan event.ID, logWaiting)}
}

// stats counts the rows.
func (l *eventLog) stats() admin.EventLogStats {
	s := admin.EventLogStats{Written: l.written.Load(), Dropped: l.dropped.Load(), Waiting: int64(len(l.ids)) + l.inHand.Load()}
	if t := l.tail.Load(); t != nil {
		s.Dropped += t.Dropped()
	}
	return s
}

// run follows what is accepted until ctx ends, and then writes what waits,
// within logFarewell.
func (l *eventLog) run(ctx context.Context) {
	tail, err := l.recorder.Subscribe(ctx, 4096, record.Accepted)
	if err != nil {
		l.log.ErrorContext(ctx, "there is no event log", "error", err)
		return
	}
	l.tail.Store(tail)
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { l.collect(ctx, tail) })
	writing, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer context.AfterFunc(ctx, func() {
		t := time.NewTimer(logFarewell)
		defer t.Stop()
		select {
		case <-t.C:
			stop()
		case <-writing.Done():
		}
	})()
	for ids := l.gather(); len(ids) > 0; ids = l.gather() {
		l.write(writing, ids)
	}
	if n := l.stats().Dropped; n > 0 {
		l.log.WarnContext(ctx, "the event log is not complete", "dropped", n)
	}
}

// collect notes which events were accepted.
func (l *eventLog) collect(ctx context.Context, tail *record.Tail) {
	defer close(l.ids)
	note := func(f record.Fact) {
		select {
		case l.ids <- f.Event:
		default:
			l.dropped.Add(1)
		}
	}
	for {
		select {
		case f := <-tail.Facts():
			note(f)
			continue
		default:
		}
		select {
		case f := <-tail.Facts():
			note(f)
		case <-ctx.Done():
			return
		}
	}
}

// gather waits for the rows of one insert. None is the end.
func (l *eventLog) gather() []event.ID {
	id, more := <-l.ids
	if !more {
		return nil
	}
	l.inHand.Add(1)
	ids := append(make([]event.ID, 0, logRows), id)
	t := time.NewTimer(l.interval)
	defer t.Stop()
	for len(ids) < logRows {
		select {
		case id, more := <-l.ids:
			if !more {
				return ids
			}
			l.inHand.Add(1)
			ids = append(ids, id)
		case <-t.C:
			return ids
		}
	}
	return ids
}

// write inserts the events, as many at once as may be in memory.
func (l *eventLog) write(ctx context.Context, ids []event.ID) {
	defer l.inHand.Store(0)
	for len(ids) > 0 {
		var events []*event.Event
		events, ids = l.load(ctx, ids)
		l.inHand.Store(int64(len(events) + len(ids)))
		if !l.insist(ctx, events, len(ids)) {
			l.dropped.Add(int64(len(ids)))
			return
		}
	}
}

// load reads the events of one insert, and returns the ids that are left.
func (l *eventLog) load(ctx context.Context, ids []event.ID) ([]*event.Event, []event.ID) {
	events := make([]*event.Event, 0, len(ids))
	for size := 0; len(ids) > 0 && size < logBytes; ids = ids[1:] {
		r, err := l.history.Get(ctx, ids[0])
		if err != nil {
			l.dropped.Add(1) // forgotten already: it waited too long
			continue
		}
		events, size = append(events, r.Event), size+len(r.Event.Body)
	}
	return events, ids
}

// insist inserts the events, again and again while the server is away; left more
// wait behind them. It is false when there is no more time for that.
func (l *eventLog) insist(ctx context.Context, events []*event.Event, left int) bool {
	for backoff := time.Second; len(events) > 0; backoff = min(2*backoff, logBackoff) {
		var err error
		events, err = l.insert(ctx, events)
		if l.inHand.Store(int64(len(events) + left)); err == nil {
			break
		}
		if !l.down {
			l.down = true
			l.log.WarnContext(ctx, "the event log cannot be written; it is tried on", "error", err)
		}
		t := time.NewTimer(backoff)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			l.dropped.Add(int64(len(events)))
			return false
		}
	}
	if l.down {
		l.down = false
		l.log.InfoContext(ctx, "the event log is written again", "dropped", l.stats().Dropped)
	}
	return true
}

var errNoEventLog = errors.New("no configuration is in force")

// insert returns the events that are to be tried again, and why. A panic of the
// module costs the events, and nothing else.
func (l *eventLog) insert(ctx context.Context, events []*event.Event) (again []*event.Event, why error) {
	defer func() {
		if recover() != nil {
			l.dropped.Add(int64(len(events)))
			l.log.ErrorContext(ctx, "the event log's module panicked", "events", len(events), "stack", string(debug.Stack()))
			l.dest, again, why = nil, nil, nil
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	p := l.plan.Load()
	if p == nil {
		return events, errNoEventLog
	}
	h, err := p.Conn.Use(ctx)
	if err != nil {
		return events, err
	}
	defer h.Release() //nolint:contextcheck // the pool closes connections, in its own time
	if l.dest == nil || l.of != p || l.generation != h.Generation() {
		d, err := p.Module.New(p.Env, h.Conn(), p.Options)
		if err != nil {
			return events, err
		}
		l.dest, _ = d.(modules.BatchDestination)
		l.of, l.generation = p, h.Generation()
	}
	rows, of := make([]*event.Delivery, 0, len(events)), make([]*event.Event, 0, len(events))
	for _, ev := range events {
		row, err := p.Row(ev)
		if err != nil {
			l.dropped.Add(1)
			continue
		}
		rows, of = append(rows, row), append(of, ev)
	}
	for i, r := range l.dest.SendBatch(ctx, rows) {
		switch f := modules.FailureOf(r.Err); {
		case r.Err == nil:
			l.written.Add(1)
		case f.Kind == modules.Rejected:
			l.dropped.Add(1)
			l.log.DebugContext(ctx, "an event is not in the event log", "event", of[i].ID.String(), "error", r.Err)
		default:
			if again, why = append(again, of[i]), r.Err; f.Kind == modules.Lost {
				h.Lost(r.Err) //nolint:contextcheck // the pool closes it, in its own time
			}
		}
	}
	return again, why
}
