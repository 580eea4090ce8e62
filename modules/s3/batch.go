package s3

import (
	"context"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
)

// batches stores many deliveries in one object.
type batches struct{ destination }

// BatchLimit is what one object holds.
func (d *batches) BatchLimit() (items, bytes int) { return d.o.Events, int(d.o.Bytes) }

// Send stores an object of one line.
func (d *batches) Send(ctx context.Context, x *event.Delivery) (event.Receipt, error) {
	return d.put(ctx, d.o.many(d.naming, []*event.Delivery{x}))
}

// SendBatch stores an object for those that share a key but for the id: the
// folders of an hour, and whatever else the pattern has.
func (d *batches) SendBatch(ctx context.Context, ds []*event.Delivery) []modules.Result {
	results := make([]modules.Result, len(ds))
	groups := make(map[string][]int)
	var order []string
	for i, x := range ds {
		k := d.naming.key(x, "")
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], i)
	}
	for _, k := range order {
		d.store(ctx, ds, groups[k], results)
	}
	return results
}

// store puts those of ds that at names into one object. One that is refused for
// good may be for one of them: it is divided until that one is alone.
func (d *batches) store(ctx context.Context, ds []*event.Delivery, at []int, results []modules.Result) {
	group := make([]*event.Delivery, len(at))
	for i, n := range at {
		group[i] = ds[n]
	}
	receipt, err := d.put(ctx, d.o.many(d.naming, group))
	if err != nil && len(at) > 1 && modules.FailureOf(err).Kind == modules.Rejected {
		d.store(ctx, ds, at[:len(at)/2], results)
		d.store(ctx, ds, at[len(at)/2:], results)
		return
	}
	for _, n := range at {
		results[n] = modules.Result{Receipt: receipt, Err: err}
	}
}
