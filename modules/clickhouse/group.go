package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
	"github.com/hookd/hookd/modules/internal/rows"
)

const (
	// batchItems and batchBytes bound one insert.
	batchItems = 1000
	batchBytes = 16 << 20
)

// destination inserts into one table.
type destination struct {
	env    modules.Env
	client *client
	o      *Options
	rows   *rows.Table           // of the schema; nil without one
	shape  atomic.Pointer[shape] // of the table; nil is not looked at yet
	told   map[string]string     // what the log says of the table; flush's alone

	mu       sync.Mutex
	waiting  []*call
	items    int           // of waiting
	full     chan struct{} // has room for one; items reached the size of a batch
	flushing bool
	last     time.Time // start of the last insert
}

// call is one SendBatch that waits for its rows to be stored.
type call struct {
	ctx   context.Context
	items []item
	errs  []error // valid once done is closed
	done  chan struct{}
}

// item is a delivery on its way into the table.
type item struct {
	*event.Delivery
	values []any // of the schema; nil without one
}

// BatchLimit is how much goes into one insert.
func (d *destination) BatchLimit() (items, bytes int) { return d.o.BatchSize, batchBytes }

// Send inserts one row, together with those of other sends.
func (d *destination) Send(ctx context.Context, x *event.Delivery) (event.Receipt, error) {
	r := d.SendBatch(ctx, []*event.Delivery{x})[0]
	return r.Receipt, r.Err
}

// SendBatch inserts the deliveries. Sends that wait at the same time share one
// insert: each makes a part on the server's disk, and few large ones are what it
// is built for.
func (d *destination) SendBatch(ctx context.Context, ds []*event.Delivery) []modules.Result {
	results := make([]modules.Result, len(ds))
	c := &call{ctx: ctx, done: make(chan struct{})}
	at := make([]int, 0, len(ds)) // where in ds the items are
	for i, x := range ds {
		it := item{Delivery: x}
		if d.rows != nil {
			if it.values, results[i].Err = d.rows.Row(ctx, x); results[i].Err != nil {
				continue
			}
		}
		c.items, at = append(c.items, it), append(at, i)
	}
	if len(c.items) == 0 {
		return results
	}
	answered := false
	if ctx.Err() == nil {
		d.join(c)
		answered = c.wait()
	}
	for n, i := range at {
		if answered {
			results[i].Err = c.errs[n]
		}
		if !answered || ctx.Err() != nil && errors.Is(c.errs[n], context.Canceled) {
			results[i].Err = link.Ended(ctx, fmt.Errorf("clickhouse: %s: table %q: no answer in time", d.client.addr, d.o.Table))
		}
	}
	return results
}

// wait reports whether the call was answered: in its time, or soon after. What
// is cut off in the middle has an answer for the rows that were found bad, or
// are stored.
func (c *call) wait() bool {
	select {
	case <-c.done:
		return true
	case <-c.ctx.Done():
	}
	t := time.NewTimer(2 * link.Grace)
	defer t.Stop()
	select {
	case <-c.done:
		return true
	case <-t.C:
		return false
	}
}

// join puts the call into the queue, and sees to it that somebody works there.
func (d *destination) join(c *call) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.waiting = append(d.waiting, c)
	if d.items += len(c.items); d.items >= d.o.BatchSize {
		select {
		case d.full <- struct{}{}:
		default:
		}
	}
	if !d.flushing {
		d.flushing = true
		d.client.work.Go(d.flush)
	}
}

// flush inserts until nobody waits.
func (d *destination) flush() {
	for {
		d.pause()
		calls := d.next()
		if calls == nil {
			return
		}
		d.store(calls)
	}
}

// pause keeps the interval after the last insert, unless there is enough for the
// next one.
func (d *destination) pause() {
	d.mu.Lock()
	left := d.o.FlushInterval - time.Since(d.last)
	enough := d.items >= d.o.BatchSize || len(d.waiting) == 0
	d.mu.Unlock()
	if left <= 0 || enough {
		return
	}
	t := time.NewTimer(left)
	defer t.Stop()
	select {
	case <-t.C:
	case <-d.full:
	}
}

// next takes what fits into one insert, without the calls whose time is over.
// It is nil when nobody waits any more.
func (d *destination) next() (calls []*call) {
	d.mu.Lock()
	defer d.mu.Unlock()
	items, bytes := 0, 0
	for len(d.waiting) > 0 {
		c := d.waiting[0]
		size := 0
		for _, x := range c.items {
			size += len(x.Body)
		}
		if len(calls) > 0 && (items+len(c.items) > d.o.BatchSize || bytes+size > batchBytes) {
			break
		}
		d.waiting, d.items = d.waiting[1:], d.items-len(c.items)
		if c.ctx.Err() == nil {
			calls, items, bytes = append(calls, c), items+len(c.items), bytes+size
		}
	}
	if d.flushing = calls != nil; !d.flushing {
		d.waiting = nil
	}
	if d.flushing {
		d.last = time.Now()
	}
	return calls
}

var errAbandoned = errors.New("nobody waits for it any more")

// store inserts the rows of all calls at once. It gives up when the time of all
// of them is over.
func (d *destination) store(calls []*call) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(calls[0].ctx))
	defer cancel(nil)
	var items []item
	var left atomic.Int64
	left.Store(int64(len(calls)))
	for _, c := range calls {
		items = append(items, c.items...)
		stop := context.AfterFunc(c.ctx, func() {
			if left.Add(-1) == 0 {
				cancel(errAbandoned)
			}
		})
		defer stop()
	}
	errs := d.insertAll(ctx, items)
	for _, c := range calls {
		c.errs, errs = errs[:len(c.items)], errs[len(c.items):]
		close(c.done)
	}
}
