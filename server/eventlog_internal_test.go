package server

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/internal/record"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/server/conn"
	"github.com/hookd/hookd/server/plan"
)

// remembers is a history that has every event.
type remembers struct{ queue.History }

func (remembers) Get(_ context.Context, id event.ID) (queue.Record, error) {
	return queue.Record{Event: &event.Event{ID: id}}, nil
}

// An event log that cannot be written holds nothing up: it keeps what it may
// keep, counts the rest, says so once, and gives up when hookd stops.
func TestEventLogIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		recorder := record.New(0)
		l := newEventLog(slog.New(slog.NewJSONHandler(&out, nil)), recorder, remembers{}) // without a plan nothing can be written
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			l.run(ctx)
		}()
		synctest.Wait()
		const total = logWaiting + 10*logRows
		var ids event.IDs
		for range total {
			recorder.Tell(record.Fact{Kind: record.Accepted, Hook: "github", Event: ids.Next(time.Now())})
			recorder.Tell(record.Fact{Kind: record.Delivered, Hook: "github"})
		}
		<-time.After(time.Hour)
		if n := len(l.ids); n > logWaiting {
			t.Errorf("%d wait", n)
		}
		if s := l.stats(); s.Written != 0 || s.Dropped == 0 || s.Dropped+s.Waiting != total {
			t.Errorf("counters %+v of %d", s, total)
		}
		cancel()
		stopped := time.Now()
		<-done
		if took := time.Since(stopped); took > logFarewell {
			t.Errorf("it stopped after %v", took)
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		var last struct {
			Msg     string
			Dropped int
		}
		if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil {
			t.Fatal(err)
		}
		if s := l.stats(); s.Dropped != int64(last.Dropped) || s.Waiting != 0 || s.Written != 0 {
			t.Errorf("counters %+v, %d said", s, last.Dropped)
		}
		if len(lines) != 2 || !strings.Contains(lines[0], "cannot be written") || last.Dropped < total {
			t.Errorf("%d of %d counted:\n%s", last.Dropped, total, out.String())
		}
	})
}

// large is a history of large events that counts how many are asked for.
type large struct {
	queue.History
	asked atomic.Int64
}

func (h *large) Get(_ context.Context, id event.ID) (queue.Record, error) {
	h.asked.Add(1)
	return queue.Record{Event: &event.Event{ID: id, Body: make([]byte, 1<<20)}}, nil
}

// Large events wait on the disk, not in memory.
func TestEventLogHoldsFewLargeEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		recorder, history := record.New(0), &large{}
		l := newEventLog(slog.New(slog.DiscardHandler), recorder, history)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			l.run(ctx)
		}()
		synctest.Wait()
		var ids event.IDs
		for range logRows {
			recorder.Tell(record.Fact{Kind: record.Accepted, Hook: "github", Event: ids.Next(time.Now())})
		}
		<-time.After(time.Hour)
		if n := history.asked.Load(); n == 0 || n > logBytes>>20 {
			t.Errorf("%d MiB in memory", n)
		}
		cancel()
		<-done
		if n := l.dropped.Load(); n != logRows {
			t.Errorf("%d of %d counted", n, logRows)
		}
	})
}

// mad is a destination that panics.
type mad struct{ modules.BatchDestination }

func (mad) SendBatch(context.Context, []*event.Delivery) []modules.Result { panic("mad") }

// A panic while an event is written costs the event log that event, and hookd
// nothing.
func TestEventLogPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := conn.NewPool(conn.Options{})
		lease := pool.Acquire("x", func(context.Context) (modules.Conn, error) { return idle{}, nil })
		l := newEventLog(slog.New(slog.DiscardHandler), record.New(0), remembers{})
		l.plan.Store(&plan.EventLog{Conn: lease})
		l.dest, l.of, l.generation = mad{}, l.plan.Load(), 1
		l.write(t.Context(), []event.ID{{1}, {2}})
		if n := l.dropped.Load(); n != 2 {
			t.Errorf("%d dropped", n)
		}
		lease.Release()
		if err := pool.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

type idle struct{}

func (idle) Close(context.Context) error { return nil }
