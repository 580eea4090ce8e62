package zeromq

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

const (
	batchItems = 100
	batchBytes = 4 << 20

	codeNoSubscribers = "zeromq_no_subscribers"
	codeReply         = "zeromq_reply"
)

// destination sends by one socket, which others may use, too.
type destination struct {
	s    *socket
	o    *Options
	born time.Time
}

// BatchLimit is how much goes out before the first confirmation is waited for.
func (d *destination) BatchLimit() (items, bytes int) { return min(batchItems, d.s.mark), batchBytes }

// Send sends one.
func (d *destination) Send(ctx context.Context, x *event.Delivery) (event.Receipt, error) {
	r := d.SendBatch(ctx, []*event.Delivery{x})[0]
	return r.Receipt, r.Err
}

// SendBatch sends all, then waits for all confirmations. With REQ one waits for
// the reply to the other.
func (d *destination) SendBatch(ctx context.Context, ds []*event.Delivery) []modules.Result {
	rs := make([]modules.Result, len(ds))
	switch d.s.kind {
	case Req:
		for i, x := range ds {
			rs[i] = d.ask(ctx, x)
		}
	case Pub:
		d.publish(ctx, ds, rs)
	case Push, Dealer:
		d.spread(ctx, ds, rs)
	}
	return rs
}

func fill(rs []modules.Result, err error) {
	for i := range rs {
		rs[i].Err = err
	}
}

// spread hands the messages out to the peers in turn.
func (d *destination) spread(ctx context.Context, ds []*event.Delivery, rs []modules.Result) {
	peers, err := d.s.some(ctx, d.born)
	if err != nil {
		fill(rs, err)
		return
	}
	peers = peers[:min(len(peers), len(ds))]
	shares := make([]share, len(peers))
	for i, x := range ds {
		s := &shares[i%len(peers)]
		frames := d.o.frames(d.s.kind, x)
		if peers[i%len(peers)].kind() == zmq4.Rep {
			// REP drops what has no empty frame before it, without a word.
			frames = append([][]byte{{}}, frames...)
		}
		s.add(i, frames)
	}
	d.deliver(ctx, peers, shares)
	status := "taken by a peer"
	if !d.o.Confirm {
		status = "sent to a peer"
	}
	for _, s := range shares {
		for _, i := range s.items {
			rs[i] = modules.Result{Receipt: event.Receipt{Status: status}, Err: d.failure(ctx, s.err)}
			if s.err != nil {
				rs[i].Receipt = event.Receipt{}
			}
		}
	}
}

// share is what one peer gets.
type share struct {
	items    []int
	messages [][][]byte
	err      error
}

func (s *share) add(i int, frames [][]byte) {
	s.items, s.messages = append(s.items, i), append(s.messages, frames)
}

// deliver gives each peer its share, all at once.
func (d *destination) deliver(ctx context.Context, peers []*peer, shares []share) {
	var all sync.WaitGroup
	for i, p := range peers {
		if s := &shares[i]; len(s.items) > 0 {
			all.Go(func() { s.err = p.deliver(ctx, s.messages, d.o.Confirm) })
		}
	}
	all.Wait()
}

// publish gives each message to all who subscribe to it.
func (d *destination) publish(ctx context.Context, ds []*event.Delivery, rs []modules.Result) {
	if _, err := d.s.open(ctx, d.born); err != nil {
		fill(rs, err)
		return
	}
	messages := make([][][]byte, len(ds))
	for i, x := range ds {
		messages[i] = d.o.frames(Pub, x)
	}
	d.s.mu.Lock()
	since := d.s.since
	d.s.mu.Unlock()
	if d.o.Require {
		since = time.Now() // those that are away for a moment are worth a wait
	}
	peers := d.s.wait(ctx, since, func(ps []*peer) bool {
		for _, p := range ps {
			if p.wants(messages[0][0]) {
				return true
			}
		}
		return false
	})
	shares, counts := make([]share, len(peers)), make([]int, len(ds))
	for i, m := range messages {
		for j, p := range peers {
			if p.wants(m[0]) {
				shares[j].add(i, m)
				counts[i]++
			}
		}
	}
	d.deliver(ctx, peers, shares)
	for _, s := range shares {
		for _, i := range s.items {
			if s.err != nil && rs[i].Err == nil {
				rs[i].Err = d.failure(ctx, fmt.Errorf("a subscriber: %w", s.err))
			}
		}
	}
	for i, n := range counts {
		switch {
		case rs[i].Err != nil:
		case n == 0 && ctx.Err() != nil:
			rs[i].Err = link.Ended(ctx, fmt.Errorf("zeromq: %s: not sent", d.s.at.text))
		case n == 0 && d.o.Require:
			rs[i].Err = modules.Retry(codeNoSubscribers, fmt.Errorf("zeromq: %s: nobody subscribes to the message", d.s.at.text))
		default:
			rs[i].Receipt.Status = fmt.Sprintf("%d subscribers", n)
		}
	}
}

// ask sends a request to one peer and takes the reply as its word.
func (d *destination) ask(ctx context.Context, x *event.Delivery) (r modules.Result) {
	peers, err := d.s.some(ctx, d.born)
	if err != nil {
		r.Err = err
		return r
	}
	reply, err := peers[0].request(ctx, d.o.frames(Req, x))
	if err != nil {
		r.Err = d.failure(ctx, err)
		return r
	}
	body := bytes.Join(reply, nil)
	if d.o.Expect != "" && string(body) != d.o.Expect {
		r.Err = modules.Retry(codeReply, fmt.Errorf("zeromq: %s: the reply of %d bytes is not the one that is expected", d.s.at.text, len(body)))
		return r
	}
	r.Receipt.Status = fmt.Sprintf("reply of %d bytes", len(body))
	return r
}

// failure says what it means that a peer did not take a message, or that it is
// not known whether it did.
func (d *destination) failure(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		if strings.Contains(err.Error(), "does not confirm") {
			err = fmt.Errorf("%w: is it busy, or no libzmq of 4.2 or newer? \"confirm\": false does not ask it", err)
		}
		return link.Ended(ctx, fmt.Errorf("zeromq: %s: %w", d.s.at.text, err))
	}
	return modules.Retry(modules.CodeConnectionLost, fmt.Errorf("zeromq: %s: %w", d.s.at.text, err))
}

// Check connects anew and greets; of a socket that is bound it asks whether one
// of its peers answers.
func (d *destination) Check(ctx context.Context) error {
	if d.s.bind || d.s.at.network == "inproc" {
		return d.answered(ctx)
	}
	if err := ctx.Err(); err != nil {
		return link.Ended(ctx, errors.New("zeromq: not asked"))
	}
	p, err := d.s.connect(ctx)
	if err != nil {
		return err
	}
	d.s.k.work.Go(p.read)
	p.leave(ctx)
	return nil
}

func (d *destination) answered(ctx context.Context) error {
	peers, err := d.s.some(ctx, d.born)
	if err != nil || !d.o.Confirm {
		return err
	}
	for _, p := range peers {
		if err = p.deliver(ctx, nil, true); err == nil {
			return nil
		}
	}
	return d.failure(ctx, err)
}
