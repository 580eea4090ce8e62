package deliver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/server/conn"
)

// target sends to the destination of a lane, which it makes anew for each
// opening of the connection.
type target struct {
	lane *Lane

	mu         sync.Mutex
	dest       modules.Destination
	generation uint64
}

// adopt takes over the destination of an equal lane, so that a reload does not
// make it anew.
func (t *target) adopt(old *target) {
	if t.lane.Fingerprint == "" || t.lane.Fingerprint != old.lane.Fingerprint || !t.lane.Conn.Same(old.lane.Conn) {
		return
	}
	old.mu.Lock()
	defer old.mu.Unlock()
	t.dest, t.generation = old.dest, old.generation
}

// batchItems is how many deliveries one send takes, as far as is known: it is
// asked of the destination, which is made with the first delivery.
func (t *target) batchItems() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	b, ok := t.dest.(modules.BatchDestination)
	if !ok {
		return 1
	}
	items, _ := b.BatchLimit()
	if items <= 0 || items > maxBatch {
		return maxBatch
	}
	return items
}

// open returns the destination on an open connection. An error is notOpen when
// it is the connection's.
func (t *target) open(ctx context.Context) (*conn.Handle, modules.Destination, error) {
	h, err := t.lane.Conn.Use(ctx)
	if err != nil {
		return nil, nil, notOpen{err}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.dest == nil || t.generation != h.Generation() {
		if err := t.build(h); err != nil {
			h.Release() //nolint:contextcheck // a connection closes in its own time
			return nil, nil, err
		}
	}
	return h, t.dest, nil
}

func (t *target) build(h *conn.Handle) (err error) {
	defer t.rescue(&err)
	t.dest = nil
	dest, err := t.lane.Module.New(t.lane.Env, h.Conn(), t.lane.Options)
	if err != nil {
		return err
	}
	t.dest, t.generation = dest, h.Generation()
	return nil
}

// send brings the deliveries to the destination and returns one result for
// each. A lost connection is reported to the pool.
func (t *target) send(ctx context.Context, ds []*event.Delivery) []modules.Result {
	h, dest, err := t.open(ctx)
	if err != nil {
		return all(len(ds), err)
	}
	defer h.Release() //nolint:contextcheck // a connection closes in its own time
	var rs []modules.Result
	if b, ok := dest.(modules.BatchDestination); ok {
		rs = t.batches(ctx, b, ds)
	} else {
		rs = make([]modules.Result, len(ds))
		for i, d := range ds {
			rs[i] = t.single(ctx, dest, d)
		}
	}
	for _, r := range rs {
		if r.Err != nil && modules.FailureOf(r.Err).Kind == modules.Lost {
			h.Lost(r.Err) //nolint:contextcheck // a connection closes in its own time
			break
		}
	}
	return rs
}

// batches cuts ds by the destination's limits.
func (t *target) batches(ctx context.Context, b modules.BatchDestination, ds []*event.Delivery) []modules.Result {
	items, bytes := b.BatchLimit()
	rs := make([]modules.Result, 0, len(ds))
	for len(ds) > 0 {
		n, size := 1, len(ds[0].Body)
		for n < len(ds) && (items <= 0 || n < items) && (bytes <= 0 || size+len(ds[n].Body) <= bytes) {
			size += len(ds[n].Body)
			n++
		}
		rs = append(rs, t.batch(ctx, b, ds[:n])...)
		ds = ds[n:]
	}
	return rs
}

// batch sends one batch. When the module panics, each delivery is sent by
// itself, so that only the one that is to blame fails.
func (t *target) batch(ctx context.Context, b modules.BatchDestination, ds []*event.Delivery) (rs []modules.Result) {
	var panicked error
	func() {
		defer t.rescue(&panicked)
		rs = b.SendBatch(ctx, ds)
	}()
	switch {
	case panicked == nil && len(rs) == len(ds):
		return rs
	case panicked == nil:
		return all(len(ds), modules.Retry(modules.CodeBadAnswer, fmt.Errorf("the module gave %d results for %d deliveries", len(rs), len(ds))))
	case len(ds) == 1:
		return all(1, panicked)
	}
	rs = make([]modules.Result, 0, len(ds))
	for _, d := range ds {
		rs = append(rs, t.batch(ctx, b, []*event.Delivery{d})...)
	}
	return rs
}

func (t *target) single(ctx context.Context, dest modules.Destination, d *event.Delivery) (r modules.Result) {
	defer t.rescue(&r.Err)
	r.Receipt, r.Err = dest.Send(ctx, d)
	return r
}

// rescue turns a panic of the module into a failure. What it panicked with is
// kept out of the log, for it may hold the payload; a run-time error does not.
func (t *target) rescue(err *error) {
	p := recover()
	if p == nil {
		return
	}
	why := fmt.Sprintf("%T", p)
	if e, ok := p.(interface {
		error
		RuntimeError()
	}); ok {
		why = e.Error()
	}
	t.lane.log().Error("module panicked", slog.String("lane", t.lane.Name), slog.String("panic", why), slog.String("stack", string(debug.Stack())))
	*err = modules.Retry(modules.CodePanic, errors.New("the module panicked: "+why))
}

func all(n int, err error) []modules.Result {
	rs := make([]modules.Result, n)
	for i := range rs {
		rs[i].Err = err
	}
	return rs
}
