package admin

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
)

const (
	defaultPage = 50
	maxPage     = 1000
)

var statuses = []string{
	string(queue.StatusPending), string(queue.StatusDelayed), string(queue.StatusDelivered),
	string(queue.StatusFiltered), string(queue.StatusDead),
}

// listQuery reads the parameters of a list. An unknown or repeated one is
// refused: a filter that does not narrow is worse than an error.
func listQuery(c *gin.Context) (f queue.Filter, cursor string, limit int, ok bool) {
	q, ok := parameters(c, "hook", "lane", "status", "type", "since", "until", "cursor", "limit")
	if !ok {
		return f, "", 0, false
	}
	w := Filter{Hook: q.Get("hook"), Lane: q.Get("lane"), Status: q.Get("status"), Type: q.Get("type")}
	var err error
	if w.Since, err = timeParameter(q, "since"); err == nil {
		w.Until, err = timeParameter(q, "until")
	}
	limit = defaultPage
	if s := q.Get("limit"); err == nil && s != "" {
		limit, err = strconv.Atoi(s)
		if err != nil || limit < 1 || limit > maxPage {
			err = fmt.Errorf("limit: want a number from 1 to %d", maxPage)
		}
	}
	if err == nil {
		f, err = w.check()
	}
	if err != nil {
		refuse(c, http.StatusBadRequest, "bad_parameter", err.Error())
		return f, "", 0, false
	}
	return f, q.Get("cursor"), limit, true
}

// check turns the wire form into the queue's. Its error can be shown.
func (f Filter) check() (queue.Filter, error) {
	if f.Status != "" && !slices.Contains(statuses, f.Status) {
		return queue.Filter{}, fmt.Errorf("status: want one of %v", statuses)
	}
	if !f.Since.IsZero() && !f.Until.IsZero() && !f.Since.Before(f.Until) {
		return queue.Filter{}, fmt.Errorf("since must be before until")
	}
	return queue.Filter{Hook: f.Hook, Lane: f.Lane, Status: queue.Status(f.Status), Type: f.Type, Since: f.Since, Until: f.Until}, nil
}

func parameters(c *gin.Context, names ...string) (url.Values, bool) {
	q, err := url.ParseQuery(c.Request.URL.RawQuery)
	if err != nil {
		refuse(c, http.StatusBadRequest, "bad_parameter", "the query string is malformed")
		return nil, false
	}
	for name, vs := range q {
		if !slices.Contains(names, name) || len(vs) != 1 {
			refuse(c, http.StatusBadRequest, "bad_parameter", fmt.Sprintf("parameter %q: want each of %v at most once, and no other", name, names))
			return nil, false
		}
	}
	return q, true
}

func timeParameter(q url.Values, name string) (time.Time, error) {
	s := q.Get(name)
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s: want a time such as 2026-03-14T15:09:26Z", name)
	}
	return t, nil
}

// idParameter reads the event's id from the path.
func idParameter(c *gin.Context) (event.ID, bool) {
	id, err := event.ParseID(c.Param("id"))
	if err != nil {
		refuse(c, http.StatusBadRequest, "bad_event_id", err.Error())
	}
	return id, err == nil
}
