package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/IBM/sarama"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/jq"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

const (
	batchItems = 500
	batchBytes = 4 << 20
)

// destination writes to one topic.
type destination struct {
	client *client
	o      *Options
	expr   *jq.Program // nil without key_expr
	known  atomic.Bool // the topic, since the connection was opened
}

func newDestination(_ modules.Env, k *client, o *Options) (modules.Destination, error) {
	d := &destination{client: k, o: o}
	if o.KeyExpr != "" {
		var err error
		if d.expr, err = jq.Compile(o.KeyExpr); err != nil {
			return nil, fmt.Errorf("key_expr: %w", err)
		}
	}
	return d, nil
}

// BatchLimit is how much is handed over before the first answer is waited for.
func (d *destination) BatchLimit() (items, bytes int) { return batchItems, batchBytes }

// Send writes one.
func (d *destination) Send(ctx context.Context, x *event.Delivery) (event.Receipt, error) {
	r := d.SendBatch(ctx, []*event.Delivery{x})[0]
	return r.Receipt, r.Err
}

// SendBatch hands all over, then waits for all answers.
func (d *destination) SendBatch(ctx context.Context, ds []*event.Delivery) []modules.Result {
	if ctx.Err() != nil {
		return all(len(ds), link.Ended(ctx, errors.New("kafka: not sent")))
	}
	if err := d.client.lost(); err != nil {
		return all(len(ds), err)
	}
	if err := d.ready(ctx); err != nil {
		return all(len(ds), err)
	}
	results := d.send(ctx, ds, manner{codec: d.o.Compression, bytes: d.o.MaxBytes})
	// The brokers refuse a whole batch for one message in it, and the library
	// makes its batches of what many sends hand over.
	var again []int
	var alone []*event.Delivery
	for i, x := range ds {
		if aboutOne(results[i].Err) {
			again, alone = append(again, i), append(alone, x)
		}
	}
	if len(again) > 0 {
		for i, r := range d.send(ctx, alone, manner{codec: d.o.Compression, bytes: d.o.MaxBytes, single: true}) {
			results[again[i]] = r
		}
	}
	return results
}

func all(n int, err error) []modules.Result {
	rs := make([]modules.Result, n)
	for i := range rs {
		rs[i].Err = err
	}
	return rs
}

// send hands the deliveries to a producer.
func (d *destination) send(ctx context.Context, ds []*event.Delivery, m manner) []modules.Result {
	p, err := d.client.producer(ctx, m)
	if err != nil {
		return all(len(ds), d.failure(err))
	}
	b := &batch{d: d, ds: ds, results: make([]modules.Result, len(ds)), settled: make([]bool, len(ds)), left: len(ds), done: make(chan struct{})}
	b.hand(ctx, p)
	select {
	case <-b.done:
	case <-ctx.Done():
	}
	return b.close(ctx)
}

// batch is what one send waits for.
type batch struct {
	d  *destination
	ds []*event.Delivery

	mu      sync.Mutex
	results []modules.Result
	settled []bool
	left    int
	over    bool // nobody waits any more
	done    chan struct{}
}

// item is the place of a message in its batch.
type item struct {
	batch *batch
	index int
}

// hand gives the messages to the producer, as long as it takes them in time.
func (b *batch) hand(ctx context.Context, p *producer) {
	for i, x := range b.ds {
		m, err := b.d.message(ctx, x)
		if err != nil {
			b.settle(i, modules.Result{Err: err})
			continue
		}
		m.Metadata = &item{batch: b, index: i}
		b.d.client.open.Add(1)
		select {
		case p.Input() <- m:
		case <-ctx.Done():
			b.d.client.open.Add(-1)
			return
		}
	}
}

func (b *batch) settle(i int, r modules.Result) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over || b.settled[i] {
		return
	}
	b.results[i], b.settled[i] = r, true
	if b.left--; b.left == 0 {
		close(b.done)
	}
}

// close ends the waiting. Messages without an answer may be stored later, or
// not at all.
func (b *batch) close(ctx context.Context) []modules.Result {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
	if b.left == 0 {
		return b.results
	}
	err := b.d.client.ended(ctx, "no answer")
	for i, settled := range b.settled {
		if !settled {
			b.results[i].Err = err
		}
	}
	return b.results
}

// answered is called with each message that came back from the library.
func (k *client) answered(m *sarama.ProducerMessage, err error) {
	k.open.Add(-1)
	it := m.Metadata.(*item)
	d := it.batch.d
	if err != nil {
		it.batch.settle(it.index, modules.Result{Err: d.failure(err)})
		return
	}
	status := fmt.Sprintf("topic %s, partition %d", d.o.Topic, m.Partition)
	if m.Offset >= 0 { // not known of one that was there already
		status += fmt.Sprintf(", offset %d", m.Offset)
	}
	it.batch.settle(it.index, modules.Result{Receipt: event.Receipt{Status: status}})
}
