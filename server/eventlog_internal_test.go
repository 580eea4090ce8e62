package server

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/internal/record"
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
