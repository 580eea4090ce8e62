package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

const (
	batchItems = 100
	batchBytes = 4 << 20
)

// destination publishes to one exchange with one key.
type destination struct {
	client *client
	o      *Options

	declared  atomic.Bool   // since the connection was opened
	declaring chan struct{} // held by who declares
}

// BatchLimit is how much goes out before the first confirm is waited for.
func (d *destination) BatchLimit() (items, bytes int) { return batchItems, batchBytes }

// Send publishes one.
func (d *destination) Send(ctx context.Context, x *event.Delivery) (event.Receipt, error) {
	r := d.SendBatch(ctx, []*event.Delivery{x})[0]
	return r.Receipt, r.Err
}

// SendBatch publishes all, then waits for all confirms.
func (d *destination) SendBatch(ctx context.Context, ds []*event.Delivery) []modules.Result {
	b := &batch{d: d, ds: ds, results: make([]modules.Result, len(ds)), confirms: make([]*amqp.DeferredConfirmation, len(ds))}
	ch, err := d.ready(ctx)
	if err != nil {
		return b.all(err)
	}
	b.ch = ch
	err = link.Bounded(ctx, d.client.cut, func() error { return b.publish(ctx) })
	b.wait(ctx, err)
	d.client.put(ch, b.pending())
	if len(ds) > 1 && aboutOne(ch.cause()) {
		b.singly(ctx)
	}
	return b.results
}

// ready gets a channel for a broker that takes messages and has the queue.
func (d *destination) ready(ctx context.Context) (*channel, error) {
	if err := ctx.Err(); err != nil {
		return nil, link.Ended(ctx, errors.New("rabbitmq: not sent"))
	}
	if err := d.client.lost(); err != nil {
		return nil, err
	}
	if why := d.client.block.reason(); why != "" {
		return nil, d.client.blockedFailure(why)
	}
	if err := d.declare(ctx); err != nil {
		return nil, err
	}
	return d.client.take(ctx)
}

// batch is one SendBatch.
type batch struct {
	d        *destination
	ds       []*event.Delivery
	ch       *channel
	results  []modules.Result
	confirms []*amqp.DeferredConfirmation // nil where nothing was published
}

func (b *batch) all(err error) []modules.Result {
	for i := range b.results {
		b.results[i].Err = err
	}
	return b.results
}

// publish writes all messages that can be written. An error is of the channel,
// and the messages after it were not sent.
func (b *batch) publish(ctx context.Context) error {
	o := b.d.o
	for i, d := range b.ds {
		p, err := o.message(d, b.d.client.frame())
		if err != nil {
			b.results[i].Err = err
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if b.confirms[i], err = b.ch.PublishWithDeferredConfirm(o.Exchange, o.key(), o.Mandatory, false, p); err != nil {
			return err
		}
	}
	return nil
}

// wait turns what the broker says into results. unsent is why some were not
// published.
func (b *batch) wait(ctx context.Context, unsent error) {
	returned := make(map[string]amqp.Return)
	for i, c := range b.confirms {
		switch {
		case b.results[i].Err != nil: // refused before it was sent
		case c == nil:
			b.results[i].Err = b.ended(ctx, unsent)
		default:
			err := b.confirmed(ctx, c)
			for id, r := range b.ch.returned() {
				returned[id] = r
			}
			if r, ok := returned[b.ds[i].ID.String()]; ok && err == nil {
				b.d.declared.Store(false)
				err = b.d.returned(r)
			}
			b.results[i] = modules.Result{Err: err}
			if err == nil {
				b.results[i].Receipt.Status = "confirmed for " + b.d.o.target()
			}
		}
	}
}

// confirmed waits for the confirm of one message.
func (b *batch) confirmed(ctx context.Context, c *amqp.DeferredConfirmation) error {
	k := b.d.client
	select {
	case <-c.Done():
	default:
		select {
		case <-c.Done():
		case <-k.block.hopeless():
			return k.blockedFailure(k.block.reason())
		case <-ctx.Done():
			return link.Ended(ctx, fmt.Errorf("rabbitmq: %s: no confirm", k.addr))
		}
	}
	switch {
	case c.Acked():
		return nil
	case b.ch.IsClosed():
		// The library settles what is open as not acknowledged.
		return b.ended(ctx, amqp.ErrClosed)
	}
	return modules.Retry(codeNack, fmt.Errorf("rabbitmq: %s: the broker did not take the message for %s (nack): is the queue full?", k.addr, b.d.o.target()))
}

// ended is the failure of what was under way when the channel ended, or was not
// sent any more.
func (b *batch) ended(ctx context.Context, err error) error {
	k := b.d.client
	if lost := k.lost(); lost != nil || ctx.Err() != nil {
		return k.failure(ctx, err)
	}
	if e := b.ch.cause(); e != nil {
		if e.Code == amqp.NotFound {
			b.d.declared.Store(false)
		}
		return k.exception(e)
	}
	return k.failure(ctx, err)
}

// pending are the messages that are neither confirmed nor given up.
func (b *batch) pending() []*amqp.DeferredConfirmation {
	var open []*amqp.DeferredConfirmation
	for _, c := range b.confirms {
		if c == nil {
			continue
		}
		select {
		case <-c.Done():
		default:
			open = append(open, c)
		}
	}
	return open
}

// singly sends those by themselves that failed because of another message: the
// broker closed the channel over that one, with all that was under way on it.
func (b *batch) singly(ctx context.Context) {
	for i, d := range b.ds {
		if b.results[i].Err != nil && (b.confirms[i] == nil || !b.confirms[i].Acked()) {
			b.results[i] = b.d.SendBatch(ctx, []*event.Delivery{d})[0]
		}
	}
}
