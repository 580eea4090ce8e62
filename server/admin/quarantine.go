package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/server/explain"
)

// ErrNotKept says that no request is in the quarantine under this id.
var ErrNotKept = errors.New("not in the quarantine")

// Quarantine keeps requests that a proof refused. It is safe for concurrent
// use. Methods that take an id return ErrNotKept where there is none.
type Quarantine interface {
	// List returns up to n requests, newest first, that are older than cursor;
	// zero is the start. next is zero on the last page.
	List(f QuarantineFilter, cursor event.ID, n int) (page []Quarantined, next event.ID)
	Get(id event.ID) (QuarantineDetail, error)
	Body(id event.ID) ([]byte, error)
	Explain(ctx context.Context, id event.ID) (explain.Report, error)
	// Oldest lists up to n requests that match, oldest first, newer than after.
	Oldest(f QuarantineFilter, after event.ID, n int) []event.ID
	// Retry checks a request with the configuration in force, and takes it.
	Retry(ctx context.Context, id event.ID, unguarded bool) QuarantineResult
	Purge(f QuarantineFilter, ids ...event.ID) int
	Stats() QuarantineStats
}

func (a *api) quarantineRoutes(v1 *gin.RouterGroup) {
	q := v1.Group("/quarantine", func(c *gin.Context) {
		if a.Quarantine == nil {
			refuse(c, http.StatusNotFound, "quarantine_off", "nothing is kept: quarantine.enabled is off, or its folder could not be opened (see the log)")
			return
		}
		c.Next()
	})
	q.GET("", a.quarantined)
	q.GET("/:id", a.quarantinedOne)
	q.GET("/:id/body", a.quarantinedBody)
	q.POST("/:id/explain", a.explain)
	q.POST("/retry", a.quarantineRetry)
	q.POST("/purge", a.quarantinePurge)
}

func (a *api) quarantined(c *gin.Context) {
	q, ok := parameters(c, "hook", "code", "since", "until", "cursor", "limit")
	if !ok {
		return
	}
	f := QuarantineFilter{Hook: q.Get("hook"), Code: q.Get("code")}
	var err error
	if f.Since, err = timeParameter(q, "since"); err == nil {
		f.Until, err = timeParameter(q, "until")
	}
	limit := defaultPage
	if s := q.Get("limit"); err == nil && s != "" {
		if limit, err = strconv.Atoi(s); err != nil || limit < 1 || limit > maxPage {
			err = fmt.Errorf("limit: want a number from 1 to %d", maxPage)
		}
	}
	var cursor event.ID
	if s := q.Get("cursor"); err == nil && s != "" {
		cursor, err = event.ParseID(s)
	}
	if err != nil {
		refuse(c, http.StatusBadRequest, "bad_parameter", err.Error())
		return
	}
	page, next := a.Quarantine.List(f, cursor, limit)
	out := QuarantinePage{Requests: page, Next: cursorOf(next)}
	if page == nil {
		out.Requests = []Quarantined{}
	}
	c.JSON(http.StatusOK, out)
}

func cursorOf(id event.ID) string {
	if id.IsZero() {
		return ""
	}
	return id.String()
}

func (a *api) quarantinedOne(c *gin.Context) {
	id, ok := idParameter(c)
	if !ok {
		return
	}
	d, err := a.Quarantine.Get(id)
	if err != nil {
		a.notKept(c, err)
		return
	}
	if d.Headers == nil {
		d.Headers = http.Header{}
	}
	if d.Hidden == nil {
		d.Hidden = []HiddenHeader{}
	}
	c.JSON(http.StatusOK, d)
}

func (a *api) quarantinedBody(c *gin.Context) {
	id, ok := idParameter(c)
	if !ok {
		return
	}
	body, err := a.Quarantine.Body(id)
	if err != nil {
		a.notKept(c, err)
		return
	}
	c.Header("Content-Disposition", `attachment; filename="refused-`+id.String()+`.bin"`)
	c.Header("Content-Security-Policy", "sandbox; default-src 'none'")
	c.Data(http.StatusOK, "application/octet-stream", body)
}

// explain lets one search run at a time: each may take seconds of a processor.
func (a *api) explain(c *gin.Context) {
	id, ok := idParameter(c)
	if !ok || !decode(c, &struct{}{}) {
		return
	}
	ctx := c.Request.Context()
	select {
	case a.explaining <- struct{}{}:
		defer func() { <-a.explaining }()
	case <-ctx.Done():
		a.fail(c, ctx.Err())
		return
	}
	r, err := a.Quarantine.Explain(ctx, id)
	if err != nil {
		a.notKept(c, err)
		return
	}
	c.JSON(http.StatusOK, r)
}

func (a *api) notKept(c *gin.Context, err error) {
	if errors.Is(err, ErrNotKept) {
		refuse(c, http.StatusNotFound, "not_found", "no such request in the quarantine; it may have made place for newer ones")
		return
	}
	a.fail(c, err)
}

func (a *api) quarantineRetry(c *gin.Context) {
	var q QuarantineRetry
	if !decode(c, &q) {
		return
	}
	var after event.ID
	var err error
	if q.Cursor != "" {
		after, err = event.ParseID(q.Cursor)
	}
	switch {
	case err != nil:
		refuse(c, http.StatusBadRequest, "bad_cursor", "the cursor is not one of this list")
		return
	case !chosen(c, q.QuarantineFilter, q.IDs, q.All):
		return
	case q.Limit < 0 || q.Limit > maxPage:
		refuse(c, http.StatusBadRequest, "bad_limit", fmt.Sprintf("limit: want a number from 1 to %d", maxPage))
		return
	case q.Limit == 0:
		q.Limit = maxPage
	}
	ids := q.IDs
	more := false
	if len(ids) == 0 {
		ids = a.Quarantine.Oldest(q.QuarantineFilter, after, q.Limit)
		more = len(ids) == q.Limit
	}
	ctx := c.Request.Context()
	out := QuarantineRetried{Results: []QuarantineResult{}}
	for i, id := range ids {
		r := a.Quarantine.Retry(ctx, id, q.Unguarded)
		out.Results = append(out.Results, r)
		if r.Code == "" {
			out.Accepted++
		} else {
			out.Refused++
		}
		if len(q.IDs) == 0 && (late(ctx) || more && i == len(ids)-1) {
			out.Next = id.String()
			break
		}
	}
	a.log.InfoContext(ctx, "quarantine retried", "hook", q.Hook, "accepted", out.Accepted, "refused", out.Refused, "more", out.Next != "")
	c.JSON(http.StatusOK, out)
}

func (a *api) quarantinePurge(c *gin.Context) {
	var q QuarantinePurge
	if !decode(c, &q) || !chosen(c, q.QuarantineFilter, q.IDs, q.All) {
		return
	}
	n := a.Quarantine.Purge(q.QuarantineFilter, q.IDs...)
	a.log.InfoContext(c.Request.Context(), "quarantine purged", "hook", q.Hook, "requests", n)
	c.JSON(http.StatusOK, QuarantinePurged{Requests: n})
}

// chosen refuses to do something to everything by mistake.
func chosen(c *gin.Context, f QuarantineFilter, ids []event.ID, all bool) bool {
	switch {
	case !all && len(ids) == 0 && f == QuarantineFilter{}:
		refuse(c, http.StatusBadRequest, "filter_required", `name an id, at least one field of the filter, or "all": true`)
	case len(ids) > 0 && (all || f != QuarantineFilter{}):
		refuse(c, http.StatusBadRequest, "bad_filter", "ids and a filter exclude each other")
	case len(ids) > maxPage:
		refuse(c, http.StatusBadRequest, "bad_limit", fmt.Sprintf("ids: at most %d", maxPage))
	default:
		return true
	}
	return false
}

func quarantineMetrics(e *exposition, s QuarantineStats) {
	e.family("hookd_quarantine_requests", "gauge", "Refused requests that are kept.")
	e.sample(float64(s.Entries))
	e.family("hookd_quarantine_bytes", "gauge", "What their files take.")
	e.sample(float64(s.Bytes))
	e.family("hookd_quarantine_kept", "counter", "Refused requests that were kept.")
	e.count(s.Kept)
	e.family("hookd_quarantine_dropped", "counter", "Refused requests that were not kept, by why.")
	e.count(s.Dropped, label{"reason", "too_many"})
	e.count(s.Failed, label{"reason", "write_failed"})
}
