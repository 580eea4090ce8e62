package admin_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/server/admin"
	"github.com/hookd/hookd/server/explain"
)

// kept is a quarantine of three requests, 1 the oldest; 2 is refused again.
type kept struct {
	filters []admin.QuarantineFilter
	slow    chan struct{} // Explain waits for it
	calls   int
}

func (k *kept) ids(after event.ID) []event.ID {
	return slices.DeleteFunc([]event.ID{{1}, {2}, {3}}, func(id event.ID) bool { return id[0] <= after[0] })
}

func (k *kept) List(f admin.QuarantineFilter, cursor event.ID, n int) ([]admin.Quarantined, event.ID) {
	k.filters = append(k.filters, f)
	var page []admin.Quarantined
	for _, id := range slices.Backward(k.ids(event.ID{})) {
		if !cursor.IsZero() && id[0] >= cursor[0] {
			continue
		}
		if len(page) == n {
			return page, page[n-1].ID
		}
		page = append(page, admin.Quarantined{ID: id, Hook: "github", Code: "github:signature_mismatch", Body: "kept"})
	}
	return page, event.ID{}
}

func (k *kept) Get(id event.ID) (admin.QuarantineDetail, error) {
	switch id {
	case event.ID{1}:
		return admin.QuarantineDetail{Quarantined: admin.Quarantined{ID: id, Hook: "github"}}, nil
	case event.ID{8}:
		return admin.QuarantineDetail{}, errors.New("the disk is on fire")
	}
	return admin.QuarantineDetail{}, admin.ErrNotKept
}

func (k *kept) Body(id event.ID) ([]byte, error) {
	if id != (event.ID{1}) {
		return nil, admin.ErrNotKept
	}
	return []byte("<script>\xff"), nil
}

func (k *kept) Explain(ctx context.Context, id event.ID) (explain.Report, error) {
	if id != (event.ID{1}) {
		return explain.Report{}, admin.ErrNotKept
	}
	if k.slow != nil {
		select {
		case k.slow <- struct{}{}:
		case <-ctx.Done():
		}
	}
	return explain.Report{ID: id.String(), Hook: "github", Holds: true}, nil
}

func (k *kept) Oldest(f admin.QuarantineFilter, after event.ID, n int) []event.ID {
	k.filters = append(k.filters, f)
	ids := k.ids(after)
	return ids[:min(n, len(ids))]
}

func (k *kept) Retry(_ context.Context, id event.ID, unguarded bool) admin.QuarantineResult {
	k.calls++
	if id == (event.ID{2}) && !unguarded {
		return admin.QuarantineResult{ID: id, Code: "github:signature_mismatch"}
	}
	return admin.QuarantineResult{ID: id, Event: event.ID{9, id[0]}}
}

func (k *kept) Purge(f admin.QuarantineFilter, ids ...event.ID) int {
	k.filters = append(k.filters, f)
	if len(ids) == 0 {
		return 3
	}
	return len(ids)
}

func (k *kept) Stats() admin.QuarantineStats {
	return admin.QuarantineStats{Entries: 3, Bytes: 4096, Kept: 7, Dropped: 2, Failed: 1}
}

func newKept(t *testing.T) (*bench, *kept) {
	k := &kept{}
	return newBench(t, func(o *admin.Options) { o.Quarantine = k }), k
}

func TestQuarantineList(t *testing.T) {
	t.Parallel()
	b, k := newKept(t)
	c, ctx := b.client(), t.Context()
	f := admin.QuarantineFilter{Hook: "github", Code: "signature_mismatch", Since: time.Unix(1, 0).UTC(), Until: time.Unix(2, 0).UTC()}
	p, err := c.Quarantine(ctx, f, "", 2)
	if err != nil || len(p.Requests) != 2 || p.Requests[0].ID != (event.ID{3}) || p.Next == "" || k.filters[0] != f {
		t.Fatalf("first page %+v of %+v: %v", p, k.filters, err)
	}
	if p, err = c.Quarantine(ctx, admin.QuarantineFilter{}, p.Next, 2); err != nil || len(p.Requests) != 1 || p.Next != "" {
		t.Errorf("second page %+v: %v", p, err)
	}
	for _, q := range []string{"limit=0", "limit=x", "cursor=x", "since=x", "lane=a", "hook=a&hook=b"} {
		if w := b.do("GET", "/api/v1/quarantine?"+q, ""); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", q, w.Code)
		}
	}
	w := b.do("GET", "/metrics", "")
	for _, want := range []string{"hookd_quarantine_requests 3", "hookd_quarantine_bytes 4096", "hookd_quarantine_kept_total 7", `hookd_quarantine_dropped_total{reason="too_many"} 2`} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("metrics lack %s", want)
		}
	}
}

func TestQuarantineShow(t *testing.T) {
	t.Parallel()
	b, _ := newKept(t)
	c, ctx := b.client(), t.Context()
	d, err := c.Quarantined(ctx, event.ID{1})
	if err != nil || d.Hook != "github" || d.Headers == nil || d.Hidden == nil {
		t.Errorf("%+v, %v", d, err)
	}
	_, err = c.Quarantined(ctx, event.ID{7})
	status(t, err, http.StatusNotFound, "not_found")
	_, err = c.Quarantined(ctx, event.ID{8})
	status(t, err, http.StatusInternalServerError, "internal")
	if body, err := c.QuarantinedBody(ctx, event.ID{1}); err != nil || string(body) != "<script>\xff" {
		t.Errorf("%q, %v", body, err)
	}
	_, err = c.QuarantinedBody(ctx, event.ID{2})
	status(t, err, http.StatusNotFound, "not_found")
	w := b.do("GET", "/api/v1/quarantine/"+event.ID{1}.String()+"/body", "")
	if h := w.Result().Header; h.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") ||
		!strings.HasPrefix(h.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("a body is shown as a page: %v", h)
	}
	if w := b.do("GET", "/api/v1/quarantine/nope", ""); w.Code != http.StatusBadRequest {
		t.Errorf("bad id: %d", w.Code)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	b, k := newKept(t)
	c, ctx := b.client(), t.Context()
	if r, err := c.Explain(ctx, event.ID{1}); err != nil || !r.Holds || r.Hook != "github" {
		t.Errorf("%+v, %v", r, err)
	}
	_, err := c.Explain(ctx, event.ID{7})
	status(t, err, http.StatusNotFound, "not_found")
	if w := b.do("POST", "/api/v1/quarantine/"+event.ID{1}.String()+"/explain", ""); w.Code != http.StatusUnsupportedMediaType {
		t.Errorf("from a page: %d", w.Code)
	}
	// One search at a time; a second one waits for the first.
	k.slow = make(chan struct{})
	done := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := c.Explain(ctx, event.ID{1})
			done <- err
		}()
	}
	for range 2 {
		<-k.slow
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestQuarantineRetry(t *testing.T) {
	t.Parallel()
	b, k := newKept(t)
	c, ctx := b.client(), t.Context()
	r, err := c.QuarantineRetry(ctx, admin.QuarantineRetry{IDs: []event.ID{{1}, {2}}})
	if err != nil || r.Accepted != 1 || r.Refused != 1 || r.Results[0].Event.IsZero() || r.Results[1].Code != "github:signature_mismatch" || r.Next != "" {
		t.Errorf("by id: %+v, %v", r, err)
	}
	q := admin.QuarantineRetry{QuarantineFilter: admin.QuarantineFilter{Hook: "github"}, Limit: 2, Unguarded: true}
	accepted, calls := 0, 0
	for {
		r, err := c.QuarantineRetry(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		accepted += r.Accepted
		calls++
		if q.Cursor = r.Next; q.Cursor == "" {
			break
		}
	}
	if accepted != 3 || calls != 2 {
		t.Errorf("accepted %d in %d calls", accepted, calls)
	}
	asked := k.calls
	for name, q := range map[string]admin.QuarantineRetry{
		"filter_required": {}, "bad_filter": {IDs: []event.ID{{1}}, All: true}, "bad_limit": {All: true, Limit: 1001}, "bad_cursor": {All: true, Cursor: "x"},
	} {
		_, err := c.QuarantineRetry(ctx, q)
		status(t, err, http.StatusBadRequest, name)
	}
	_, err = c.QuarantineRetry(ctx, admin.QuarantineRetry{IDs: make([]event.ID, 1001)})
	status(t, err, http.StatusBadRequest, "bad_limit")
	if k.calls != asked {
		t.Error("a refused call did something")
	}
}

func TestQuarantinePurge(t *testing.T) {
	t.Parallel()
	b, _ := newKept(t)
	c, ctx := b.client(), t.Context()
	if r, err := c.QuarantinePurge(ctx, admin.QuarantinePurge{IDs: []event.ID{{1}}}); err != nil || r.Requests != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := c.QuarantinePurge(ctx, admin.QuarantinePurge{All: true}); err != nil || r.Requests != 3 {
		t.Errorf("%+v, %v", r, err)
	}
	_, err := c.QuarantinePurge(ctx, admin.QuarantinePurge{})
	status(t, err, http.StatusBadRequest, "filter_required")
}

// TestQuarantineOff: every route says why it has nothing.
func TestQuarantineOff(t *testing.T) {
	t.Parallel()
	c, ctx := newBench(t).client(), t.Context()
	_, err := c.Quarantine(ctx, admin.QuarantineFilter{}, "", 0)
	status(t, err, http.StatusNotFound, "quarantine_off")
	_, err = c.Explain(ctx, event.ID{1})
	status(t, err, http.StatusNotFound, "quarantine_off")
	_, err = c.QuarantineRetry(ctx, admin.QuarantineRetry{All: true})
	status(t, err, http.StatusNotFound, "quarantine_off")
}
