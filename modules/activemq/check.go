package activemq

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-stomp/stomp/v3/frame"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

// Check connects anew and asks whether messages may be sent. STOMP has no such
// question, but a broker looks at the rights when it takes a message into a
// transaction, and throws away what is aborted.
func (d *destination) Check(ctx context.Context) (err error) {
	if err := ctx.Err(); err != nil {
		return link.Ended(ctx, errors.New("activemq: not asked"))
	}
	k := d.client
	s, err := k.openSession(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.leave(ctx)) }()
	const transaction = "hookd-check"
	message := d.o.message(&event.Delivery{Event: &event.Event{}}, time.Now())
	message.Header.Add(frame.Transaction, transaction)
	for _, f := range []*frame.Frame{
		frame.New(frame.BEGIN, frame.Transaction, transaction), message, frame.New(frame.ABORT, frame.Transaction, transaction),
	} {
		if err := k.exchange(ctx, s, f); err != nil {
			x := modules.FailureOf(err)
			x.Err = fmt.Errorf("send to %s: %w", d.o.path(), x.Err)
			return &x
		}
	}
	return nil
}

// exchange writes a frame and waits for its receipt.
func (k *client) exchange(ctx context.Context, s *session, f *frame.Frame) error {
	r := s.ask(f)
	if err := link.Bounded(ctx, s.cut, func() error { return s.write(f) }); err != nil {
		return k.failure(ctx, s, err)
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		return link.Ended(ctx, fmt.Errorf("activemq: %s: no receipt", k.addr))
	}
	if r.err != nil {
		return k.failure(ctx, s, r.err)
	}
	return nil
}
