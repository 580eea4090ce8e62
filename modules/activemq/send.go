package activemq

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-stomp/stomp/v3/frame"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

const (
	batchItems = 100
	batchBytes = 4 << 20
	// largeBody is what may be on its way, in bytes, when the broker has refused
	// it after its headers.
	largeBody = 64 << 10
)

// destination sends to one queue or topic.
type destination struct {
	client *client
	o      *Options
}

// BatchLimit is how much goes out before the first receipt is waited for.
func (d *destination) BatchLimit() (items, bytes int) { return batchItems, batchBytes }

// Send sends one.
func (d *destination) Send(ctx context.Context, x *event.Delivery) (event.Receipt, error) {
	r := d.SendBatch(ctx, []*event.Delivery{x})[0]
	return r.Receipt, r.Err
}

// SendBatch sends all in one transaction, which costs the broker one write to its
// disk, then waits for all receipts. What failed because of another message is
// sent again by itself.
func (d *destination) SendBatch(ctx context.Context, ds []*event.Delivery) []modules.Result {
	rs := make([]modules.Result, len(ds))
	s, err := d.take(ctx)
	if err != nil {
		for i := range rs {
			rs[i].Err = err
		}
		return rs
	}
	frames, receipts, commit := d.frames(s, ds)
	if err := link.Bounded(ctx, s.cut, func() error { return s.write(frames...) }); err != nil {
		s.failing(err)
	}
	for i := range rs {
		if rs[i] = d.result(ctx, s, receipts[i]); rs[i].Err == nil {
			rs[i] = d.result(ctx, s, commit)
		}
	}
	fault, why := s.state()
	d.client.put(s)
	switch {
	case fault.aboutOne() && len(ds) > 1:
	case fault == nil && why != nil && anyLarge(ds) && ctx.Err() == nil:
	default:
		return rs
	}
	var stop error
	for i, x := range ds {
		if rs[i].Err == nil || fault != nil && receipts[i].id == fault.receipt {
			continue
		}
		if stop == nil {
			rs[i] = d.alone(ctx, x)
		} else {
			rs[i].Err = stop
		}
		if err := rs[i].Err; err != nil && modules.FailureOf(err).Kind != modules.Rejected {
			stop = err // the broker is gone, or wants none
		}
	}
	return rs
}

// frames are what is written for a batch, with a receipt for each message, and
// the one that says that all of them are stored.
func (d *destination) frames(s *session, ds []*event.Delivery) (frames []*frame.Frame, receipts []*receipt, commit *receipt) {
	const transaction = "batch"
	now := time.Now()
	for _, x := range ds {
		f := d.o.message(x, now)
		receipts = append(receipts, s.ask(f))
		frames = append(frames, f)
	}
	if len(ds) == 1 {
		return frames, receipts, receipts[0]
	}
	for _, f := range frames {
		f.Header.Add(frame.Transaction, transaction)
	}
	begin, end := frame.New(frame.BEGIN, frame.Transaction, transaction), frame.New(frame.COMMIT, frame.Transaction, transaction)
	commit = s.ask(end)
	return append(append([]*frame.Frame{begin}, frames...), end), receipts, commit
}

func anyLarge(ds []*event.Delivery) bool {
	return slices.ContainsFunc(ds, func(x *event.Delivery) bool { return len(x.Body) > largeBody })
}

// alone sends one with care. A broker that is told of a body it does not want
// says so and closes, and the rest of a body that is on its way then undoes the
// ERROR: the network answers it with a reset, which overtakes. So the body waits
// a moment behind its headers.
func (d *destination) alone(ctx context.Context, x *event.Delivery) (r modules.Result) {
	s, err := d.take(ctx)
	if err != nil {
		return modules.Result{Err: err}
	}
	defer d.client.put(s)
	f := d.o.message(x, time.Now())
	receipt := s.ask(f)
	if err := link.Bounded(ctx, s.cut, func() error { return s.writeSlowly(ctx, f, receipt) }); err != nil {
		s.failing(err)
	}
	return d.result(ctx, s, receipt)
}

func (d *destination) take(ctx context.Context) (*session, error) {
	if err := ctx.Err(); err != nil {
		return nil, link.Ended(ctx, errors.New("activemq: not sent"))
	}
	return d.client.take(ctx)
}

// result waits for one receipt. What has none when the session ends over an
// ERROR fails as the ERROR says, whether that names it or not.
func (d *destination) result(ctx context.Context, s *session, r *receipt) modules.Result {
	select {
	case <-r.done:
	default:
		select {
		case <-r.done:
		case <-ctx.Done():
			return modules.Result{Err: link.Ended(ctx, fmt.Errorf("activemq: %s: no receipt", d.client.addr))}
		}
	}
	if r.err == nil {
		return modules.Result{Receipt: event.Receipt{Status: "receipt for " + d.o.path()}}
	}
	return modules.Result{Err: d.client.failure(ctx, s, r.err)}
}
