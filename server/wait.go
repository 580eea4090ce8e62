package server

import (
	"context"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/internal/record"
	"github.com/hookd/hookd/server/ingest"
)

// waiter tells the gate when an event is settled: from what the lanes record,
// and from the history for what was settled before anybody listened.
type waiter struct {
	queue    queue.History
	recorder *record.Recorder
}

// Wait is ingest.Waiter.
func (w waiter) Wait(ctx context.Context, id event.ID) (ingest.Outcome, error) {
	rec, err := w.queue.Get(ctx, id)
	if err != nil {
		return ingest.Outcome{}, err
	}
	lanes := make([]string, 0, len(rec.Deliveries))
	for _, d := range rec.Deliveries {
		lanes = append(lanes, d.Lane)
	}
	wait, err := w.recorder.Await(id, lanes)
	if err != nil {
		return ingest.Outcome{}, err
	}
	defer wait.Close()
	// Only now is every later settlement heard of: what came before it is in the
	// history.
	if rec, err = w.queue.Get(ctx, id); err != nil {
		return ingest.Outcome{}, err
	}
	wait.Merge(outcomes(rec))
	select {
	case <-wait.Done():
	case <-ctx.Done():
		return ingest.Outcome{}, ctx.Err()
	}
	var out ingest.Outcome
	for _, o := range wait.Outcomes() {
		switch o.Kind {
		case record.Delivered:
			out.Delivered++
		case record.Filtered:
			out.Filtered++
		default:
			out.Dead++
		}
	}
	return out, nil
}

func outcomes(rec queue.Record) []record.Outcome {
	out := make([]record.Outcome, 0, len(rec.Deliveries))
	for _, d := range rec.Deliveries {
		o := record.Outcome{Lane: d.Lane, Code: d.Code, Note: d.Note, Settled: true}
		switch d.Status {
		case queue.StatusDelivered:
			o.Kind = record.Delivered
		case queue.StatusFiltered:
			o.Kind = record.Filtered
		case queue.StatusDead:
			o.Kind = record.Died
		default:
			o.Settled = false
		}
		out = append(out, o)
	}
	return out
}
