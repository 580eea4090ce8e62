package server

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/server/admin"
	"github.com/hookd/hookd/server/explain"
	"github.com/hookd/hookd/server/ingest"
	"github.com/hookd/hookd/server/quarantine"
)

// openQuarantine opens the quarantine where it is wanted. One that cannot be
// opened is missed when something is looked into, and by no sender: hookd
// starts without it.
func (d *daemon) openQuarantine() {
	o := d.o.Quarantine
	if !o.Enabled {
		return
	}
	s, err := quarantine.Open(quarantine.Options{
		Dir: filepath.Join(d.o.DataDir, "quarantine"), KeyFile: filepath.Join(d.o.DataDir, "quarantine.key"),
		MaxEntries: o.MaxEntries, MaxBytes: o.MaxBytes, MaxBody: o.MaxBody, PerMinute: o.PerMinute, MaxAge: o.MaxAge, Log: d.log,
	})
	if err != nil {
		d.log.Error("refused requests are not kept: the quarantine cannot be opened", "error", err)
		return
	}
	d.quarantine = s
}

// refused shows the quarantine to the admin API.
type refused struct {
	d    *daemon
	gate *ingest.Gate
}

var _ admin.Quarantine = refused{}

func filterOf(f admin.QuarantineFilter) quarantine.Filter {
	return quarantine.Filter{Hook: f.Hook, Reason: f.Code, Since: f.Since, Until: f.Until}
}

// List is admin.Quarantine.
func (r refused) List(f admin.QuarantineFilter, cursor event.ID, n int) ([]admin.Quarantined, event.ID) {
	facts, next := r.d.quarantine.List(filterOf(f), cursor, n)
	page := make([]admin.Quarantined, 0, len(facts))
	for i := range facts {
		page = append(page, quarantined(&facts[i]))
	}
	return page, next
}

func quarantined(f *quarantine.Facts) admin.Quarantined {
	q := admin.Quarantined{
		ID: f.ID, Hook: f.Hook, Received: f.Received, Status: f.Status, Code: f.Reason, Method: f.Method, Path: f.Path,
		Size: f.Size, Body: string(f.Body),
	}
	if f.Remote.IsValid() {
		q.Remote = f.Remote.String()
	}
	return q
}

func (r refused) get(id event.ID) (*quarantine.Entry, error) {
	e, err := r.d.quarantine.Get(id)
	if errors.Is(err, quarantine.ErrNotFound) {
		return nil, admin.ErrNotKept
	}
	return e, err
}

// Get is admin.Quarantine.
func (r refused) Get(id event.ID) (admin.QuarantineDetail, error) {
	e, err := r.get(id)
	if err != nil {
		return admin.QuarantineDetail{}, err
	}
	out := admin.QuarantineDetail{
		Quarantined: quarantined(&e.Facts), Request: e.Request, Host: e.Host, Query: e.ShownQuery(), TLS: e.TLS != nil,
	}
	var hidden []quarantine.Hidden
	out.Headers, hidden = e.Shown()
	for _, h := range hidden {
		out.Hidden = append(out.Hidden, admin.HiddenHeader(h))
	}
	return out, nil
}

// Body is admin.Quarantine.
func (r refused) Body(id event.ID) ([]byte, error) {
	e, err := r.get(id)
	switch {
	case err != nil:
		return nil, err
	case e.Body != quarantine.BodyKept:
		return nil, admin.ErrNotKept
	}
	return e.Content, nil
}

// Explain is admin.Quarantine.
func (r refused) Explain(ctx context.Context, id event.ID) (explain.Report, error) {
	e, err := r.get(id)
	if err != nil {
		return explain.Report{}, err
	}
	in := explain.Input{
		ID: id.String(), Hook: e.Hook, Request: e.Proof(), Refused: e.Reason, Unread: e.Body != quarantine.BodyKept,
	}
	h, release, ok := r.d.current.Hook(e.Asked)
	if !ok {
		return explain.Report{
			ID: in.ID, Hook: e.Hook, Refused: e.Reason, Proofs: []explain.Proof{}, Advised: []string{},
			Notes: []string{"The hook is not configured any more."},
		}, nil
	}
	defer release()
	in.Hook, in.Chain, in.Others = h.ID, h.Auth, r.others()
	return explain.Run(ctx, in), nil
}

func (r refused) others() []explain.Hook {
	hooks := r.d.current.Plan().Hooks
	var all []explain.Hook
	for _, id := range slices.Sorted(maps.Keys(hooks)) {
		all = append(all, explain.Hook{ID: id, Chain: hooks[id].Auth})
	}
	return all
}

// Oldest is admin.Quarantine.
func (r refused) Oldest(f admin.QuarantineFilter, after event.ID, n int) []event.ID {
	return r.d.quarantine.Oldest(filterOf(f), after, n)
}

// Retry is admin.Quarantine.
func (r refused) Retry(ctx context.Context, id event.ID, unguarded bool) admin.QuarantineResult {
	got := r.d.quarantine.Retry(ctx, r.gate, id, unguarded)
	return admin.QuarantineResult{ID: got.ID, Event: got.Event, Duplicate: got.Duplicate, Code: got.Reason}
}

// Purge is admin.Quarantine.
func (r refused) Purge(f admin.QuarantineFilter, ids ...event.ID) int {
	return r.d.quarantine.Purge(filterOf(f), ids...)
}

// Stats is admin.Quarantine.
func (r refused) Stats() admin.QuarantineStats {
	return admin.QuarantineStats(r.d.quarantine.Stats())
}
