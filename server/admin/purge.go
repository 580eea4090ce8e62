package admin

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
)

func (a *api) purge(c *gin.Context) {
	var q PurgeRequest
	if !decode(c, &q) {
		return
	}
	q.Status = ""
	f, err := q.check()
	switch {
	case err != nil:
		refuse(c, http.StatusBadRequest, "bad_filter", err.Error())
		return
	case !q.All && q.Filter == (Filter{}) && len(q.IDs) == 0:
		refuse(c, http.StatusBadRequest, "filter_required", `name at least one field of the filter, an id, or "all": true`)
		return
	case len(q.IDs) > maxPage:
		refuse(c, http.StatusBadRequest, "bad_limit", fmt.Sprintf("ids: at most %d", maxPage))
		return
	}
	ctx := c.Request.Context()
	var n int
	if q.DryRun {
		n, err = a.countDead(ctx, f, q.IDs)
	} else {
		n, err = a.Store.Purge(ctx, f, q.IDs...)
	}
	if err != nil {
		a.fail(c, err)
		return
	}
	if !q.DryRun {
		a.log.InfoContext(ctx, "dead letters purged", "hook", q.Hook, "lane", q.Lane, "deliveries", n)
	}
	c.JSON(http.StatusOK, Purged{Deliveries: n, DryRun: q.DryRun})
}

func (a *api) countDead(ctx context.Context, f queue.Filter, ids []event.ID) (int, error) {
	n, cursor := 0, ""
	for {
		p, err := a.Store.Dead(ctx, f, cursor, replayPage)
		if err != nil {
			return 0, err
		}
		for _, rec := range p.Records {
			if len(ids) == 0 || slices.Contains(ids, rec.Event.ID) {
				n += len(rec.Deliveries)
			}
		}
		if cursor = p.Next; cursor == "" {
			return n, nil
		}
	}
}
