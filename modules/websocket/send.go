package websocket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

const (
	batchItems = 100
	batchBytes = 4 << 20
)

// item is one delivery on its way.
type item struct {
	kind int
	data []byte
	id   string // "" where replies have none
	mark uint64 // of the ping behind it

	result modules.Result
	done   bool
}

// pipelined reports whether the next message goes out before the one before it
// is confirmed.
func (d *destination) pipelined() bool { return !d.o.Wait || d.o.MatchID }

// BatchLimit is how much goes out before the first confirmation is waited for.
func (d *destination) BatchLimit() (items, bytes int) {
	if !d.pipelined() {
		return 1, batchBytes
	}
	return batchItems, batchBytes
}

// Send sends one.
func (d *destination) Send(ctx context.Context, x *event.Delivery) (event.Receipt, error) {
	r := d.SendBatch(ctx, []*event.Delivery{x})[0]
	return r.Receipt, r.Err
}

// SendBatch sends all over one connection, and waits for the confirmations. A
// server that refuses one closes the connection; then each of those that it had
// not confirmed is sent by itself.
func (d *destination) SendBatch(ctx context.Context, ds []*event.Delivery) []modules.Result {
	all, left := make([]*item, len(ds)), make([]*item, 0, len(ds))
	for i, x := range ds {
		all[i] = &item{}
		if all[i].kind, all[i].data, all[i].result.Err = d.o.message(x); all[i].result.Err != nil {
			continue
		}
		if d.o.MatchID {
			all[i].id = x.ID.String()
		}
		left = append(left, all[i])
	}
	if d.pipelined() {
		left = d.exchange(ctx, left, false)
	}
	for _, x := range left {
		d.exchange(ctx, d.exchange(ctx, []*item{x}, false), true)
	}
	rs := make([]modules.Result, len(ds))
	for i, x := range all {
		rs[i] = x.result
	}
	return rs
}

// exchange sends messages over one connection, a new one if it must be, and
// notes how each ended. It returns those that were on their way when the server
// closed the connection in a way that refuses a message for good, and did not
// make clear which: a message is given up only when nothing else was ever sent
// over its connection.
func (d *destination) exchange(ctx context.Context, xs []*item, fresh bool) (again []*item) {
	if len(xs) == 0 {
		return nil
	}
	s, err := d.seat(ctx, fresh)
	if err != nil {
		for _, x := range xs {
			x.result.Err = err
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, d.o.Timeout)
	defer cancel()
	clear := !s.used && len(xs) == 1
	s.used = true
	err = d.deliver(ctx, s, xs)
	if err != nil {
		s.cut() // what comes later must not be taken for another's
		<-s.done
	}
	d.yield(s)
	for _, x := range xs {
		switch {
		case x.done:
		case d.final(err) && !clear:
			again = append(again, x)
		case d.final(err):
			f := modules.FailureOf(d.failure(ctx, err, ""))
			x.result.Err = modules.Reject(f.Code, f.Err)
		default:
			x.result.Err = d.failure(ctx, err, d.pending())
		}
	}
	return again
}

// pending says what was waited for.
func (d *destination) pending() string {
	if d.o.Wait {
		return "no reply"
	}
	return "no answer to the ping behind the message"
}

// deliver writes all and waits for all confirmations. An error ends the
// connection; those that are not done did not get one.
func (d *destination) deliver(ctx context.Context, s *socket, xs []*item) error {
	var failed error
	sent := 0
	for _, x := range xs {
		if d.o.Wait {
			s.expect(x.id)
		}
		if failed = s.write(ctx, x.kind, x.data); failed != nil {
			break
		}
		switch {
		case d.o.Wait:
		case d.o.Confirm:
			x.mark, failed = s.mark(ctx)
		default:
			x.done, x.result.Receipt.Status = true, "written to the connection"
		}
		if failed != nil {
			break
		}
		sent++
	}
	err := s.wait(ctx, func() bool {
		open := 0
		for _, x := range xs[:sent] {
			if !x.done {
				d.settle(s, x)
			}
			if !x.done {
				open++
			}
		}
		// Nothing more comes over a connection that failed but what came before.
		return open == 0 || failed != nil
	})
	if failed != nil {
		return failed
	}
	return err
}

// settle looks whether a message is confirmed.
func (d *destination) settle(s *socket, x *item) {
	if !d.o.Wait {
		if x.done = s.answered(x.mark); x.done {
			x.result.Receipt.Status = "read by the server"
		}
		return
	}
	b, ok := s.reply(x.id)
	if !ok {
		return
	}
	x.done = true
	if why := d.o.refused(b); why != "" {
		x.result.Err = modules.Retry(codeReply, fmt.Errorf("websocket: %s: the reply of %d bytes %s", d.host, len(b), why))
		return
	}
	x.result.Receipt.Status = fmt.Sprintf("reply of %d bytes", len(b))
}

// refused says why a reply does not mean success; "" when it does.
func (o *Options) refused(reply []byte) string {
	if o.Expect != "" && string(reply) != o.Expect {
		return "is not the one that is expected"
	}
	if o.MatchID {
		var m struct{ Error any }
		if err := json.Unmarshal(reply, &m); err != nil || m.Error != nil && m.Error != false && m.Error != "" {
			return "holds an error"
		}
	}
	return ""
}

// seat waits for a connection that nobody has, an open one if there is, and opens
// one where there is not.
func (d *destination) seat(ctx context.Context, fresh bool) (*socket, error) {
	if ctx.Err() != nil {
		return nil, link.Ended(ctx, errors.New("websocket: not sent"))
	}
	var s *socket
	select {
	case s = <-d.idle:
	default:
		select {
		case s = <-d.idle:
		case <-d.spare:
		case <-ctx.Done():
			return nil, link.Ended(ctx, fmt.Errorf("websocket: %s: waiting for the connection", d.host))
		}
	}
	if s != nil && s.alive() && fresh && s.used {
		s.leave(ctx)
	}
	if s == nil || !s.alive() {
		var err error
		if s, err = d.connect(ctx); err != nil {
			d.spare <- struct{}{}
			return nil, err
		}
	}
	return s, nil
}

// yield gives it back.
func (d *destination) yield(s *socket) {
	if s.alive() {
		d.idle <- s
	} else {
		d.spare <- struct{}{}
	}
}

// Check opens a connection, asks whether pings are answered where deliveries
// will rely on it, and closes it.
func (d *destination) Check(ctx context.Context) error {
	s, err := d.connect(ctx)
	if err != nil {
		return err
	}
	defer s.leave(ctx)
	if d.o.Wait || !d.o.Confirm {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, d.o.Timeout)
	defer cancel()
	mark, err := s.mark(ctx)
	if err == nil {
		err = s.wait(ctx, func() bool { return s.answered(mark) })
	}
	if err != nil {
		return d.failure(ctx, err, `it does not answer pings: use "wait_for_response", or "confirm": false`)
	}
	return nil
}
