package server

import (
	"context"
	"errors"

	"github.com/hookd/hookd/server/edge"
)

var errDraining = errors.New("hookd is shutting down")

// ready says why the daemon should get no webhooks now.
func (d *daemon) ready(context.Context) error {
	if d.draining.Load() {
		return errDraining
	}
	if s := d.queue.State(); !s.Writable {
		if s.Reason != nil {
			return s.Reason
		}
		return errors.New("the queue is not writable")
	}
	return nil
}

// health is GET /health in the original service's shape.
func (d *daemon) health(ctx context.Context) edge.Health {
	h := edge.Health{Components: map[string]string{"config_manager": "healthy", "queue": "healthy"}}
	if d.ready(ctx) != nil {
		h.Unhealthy = true
		h.Components["queue"] = "unhealthy"
	}
	return h
}
