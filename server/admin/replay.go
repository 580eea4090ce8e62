package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/hookd/hookd/internal/queue"
)

const (
	defaultReplay = 1000
	maxReplay     = 10000 // events per call
	replayPage    = 200
)

func (a *api) replayEvent(c *gin.Context) {
	id, ok := idParameter(c)
	var q LaneRequest
	if !ok || !decode(c, &q) {
		return
	}
	ctx := c.Request.Context()
	rec, err := a.Store.Get(ctx, id)
	if err != nil {
		a.fail(c, err)
		return
	}
	had := slices.ContainsFunc(rec.Deliveries, func(d queue.DeliveryState) bool { return d.Lane == q.Lane })
	if q.Lane != "" && !had && !a.configured(q.Lane) {
		refuseLane(c, q.Lane)
		return
	}
	n, err := a.Store.Replay(ctx, id, q.Lane)
	if err != nil {
		a.fail(c, err)
		return
	}
	a.log.InfoContext(ctx, "event replayed", "event", id, "lane", q.Lane, "deliveries", n)
	c.JSON(http.StatusOK, Replayed{Events: min(n, 1), Deliveries: n})
}

func (a *api) replayDeadEvent(c *gin.Context) {
	id, ok := idParameter(c)
	var q LaneRequest
	if !ok || !decode(c, &q) {
		return
	}
	ctx := c.Request.Context()
	rec, err := a.Store.Get(ctx, id)
	if err != nil {
		a.fail(c, err)
		return
	}
	f := queue.Filter{Lane: q.Lane, Status: queue.StatusDead}
	n, found, err := a.revive(ctx, rec, f, "", false)
	switch {
	case err != nil:
		a.fail(c, err)
	case !found:
		refuse(c, http.StatusNotFound, "not_dead", "the event has no dead letter there")
	default:
		a.log.InfoContext(ctx, "dead letters replayed", "event", id, "lane", q.Lane, "deliveries", n)
		c.JSON(http.StatusOK, Replayed{Events: min(n, 1), Deliveries: n})
	}
}

func (a *api) replay(c *gin.Context)     { a.replayMany(c, "") }
func (a *api) replayDead(c *gin.Context) { a.replayMany(c, string(queue.StatusDead)) }

// replayMany revives page after page until the limit. Each event is a durable
// write of its own, so that a caller who is cut off can repeat the call: what
// is pending by then is left alone.
func (a *api) replayMany(c *gin.Context, status string) {
	var q ReplayRequest
	if !decode(c, &q) {
		return
	}
	if status != "" {
		q.Status = status
	}
	f, err := q.check()
	switch {
	case err != nil:
		refuse(c, http.StatusBadRequest, "bad_filter", err.Error())
		return
	case !q.All && q.Filter == (Filter{Status: status}):
		refuse(c, http.StatusBadRequest, "filter_required", `name at least one field of the filter, or "all": true`)
		return
	case q.Limit < 0 || q.Limit > maxReplay:
		refuse(c, http.StatusBadRequest, "bad_limit", fmt.Sprintf("limit: want a number from 1 to %d", maxReplay))
		return
	case q.To != "" && !a.configured(q.To):
		refuseLane(c, q.To)
		return
	case q.Limit == 0:
		q.Limit = defaultReplay
	}
	ctx := c.Request.Context()
	out, err := a.replayPages(ctx, f, q)
	if err != nil {
		a.log.InfoContext(ctx, "replay stopped half-way", "events", out.Events, "deliveries", out.Deliveries)
		a.fail(c, err)
		return
	}
	if !q.DryRun {
		a.log.InfoContext(ctx, "events replayed", "events", out.Events, "deliveries", out.Deliveries, "more", out.Next != "")
	}
	c.JSON(http.StatusOK, out)
}

func (a *api) replayPages(ctx context.Context, f queue.Filter, q ReplayRequest) (Replayed, error) {
	out := Replayed{DryRun: q.DryRun, Next: q.Cursor}
	list := a.Store.List
	if f.Status == queue.StatusDead {
		list = a.Store.Dead // costs what there is to revive, not the history
	}
	for left := q.Limit; left > 0; {
		p, err := list(ctx, f, out.Next, min(left, replayPage))
		if err != nil {
			return out, err
		}
		for _, rec := range p.Records {
			n, _, err := a.revive(ctx, rec, f, q.To, q.DryRun)
			if errors.Is(err, queue.ErrNotFound) {
				continue // it left the history meanwhile
			}
			if err != nil {
				return out, err
			}
			out.Deliveries += n
			out.Events += min(n, 1)
		}
		out.Next = p.Next
		left -= len(p.Records)
		if p.Next == "" || len(p.Records) == 0 || late(ctx) {
			break
		}
	}
	return out, nil
}

// late reports whether most of the time of the call is over, so that a slow
// disk costs the caller another call and not the count of what was done.
func late(ctx context.Context) bool {
	end, ok := ctx.Deadline()
	return ok && time.Until(end) < callTime/2
}

// revive makes the deliveries of rec that match the lane and status of f due
// again, or counts them; with to, the event gets a delivery there instead.
// found is false when nothing matched.
func (a *api) revive(ctx context.Context, rec queue.Record, f queue.Filter, to string, dry bool) (n int, found bool, err error) {
	if to != "" {
		n, err = a.reviveLane(ctx, rec, to, dry)
		return n, true, err
	}
	if f.Lane == "" && f.Status == "" && !dry {
		// The whole event: the queue knows where it began, and the later steps
		// of a sequential chain follow by themselves.
		n, err = a.Store.Replay(ctx, rec.Event.ID, "")
		return n, true, err
	}
	for _, d := range rec.Deliveries {
		if f.Lane != "" && d.Lane != f.Lane || f.Status != "" && d.Status != f.Status {
			continue
		}
		found = true
		k, err := a.reviveLane(ctx, rec, d.Lane, dry)
		if err != nil {
			return n, found, err
		}
		n += k
	}
	return n, found, nil
}

func (a *api) reviveLane(ctx context.Context, rec queue.Record, lane string, dry bool) (int, error) {
	if !dry {
		return a.Store.Replay(ctx, rec.Event.ID, lane)
	}
	for _, d := range rec.Deliveries {
		if d.Lane == lane && (d.Status == queue.StatusPending || d.Status == queue.StatusDelayed) {
			return 0, nil
		}
	}
	return 1, nil
}

func refuseLane(c *gin.Context, lane string) {
	refuse(c, http.StatusNotFound, "unknown_lane", fmt.Sprintf("no lane %q is configured", lane))
}
