package rabbitmq

import (
	"context"
	"errors"
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

// declare sees to it that the queue is there, once for each connection and
// after it went missing.
func (d *destination) declare(ctx context.Context) error {
	if !d.o.Declare || d.o.Queue == "" || d.declared.Load() {
		return nil
	}
	select {
	case d.declaring <- struct{}{}:
		defer func() { <-d.declaring }()
	case <-ctx.Done():
		return link.Ended(ctx, fmt.Errorf("rabbitmq: %s: waiting for the declaration of %s", d.client.addr, d.o.target()))
	}
	if d.declared.Load() {
		return nil
	}
	err := d.client.ask(ctx, func(ch *amqp.Channel) error {
		_, err := ch.QueueDeclarePassive(d.o.Queue, true, false, false, false, nil)
		return err
	})
	if isReply(err, amqp.NotFound) {
		err = d.client.ask(ctx, d.create)
	}
	if err == nil && d.o.Exchange != "" {
		err = d.client.ask(ctx, func(ch *amqp.Channel) error {
			return ch.QueueBind(d.o.Queue, d.o.key(), d.o.Exchange, false, nil)
		})
	}
	if err != nil {
		return d.declareFailure(ctx, err)
	}
	d.declared.Store(true)
	return nil
}

func (d *destination) create(ch *amqp.Channel) error {
	var args amqp.Table
	if d.o.QueueType == Quorum {
		args = amqp.Table{"x-queue-type": string(Quorum)}
	}
	_, err := ch.QueueDeclare(d.o.Queue, true, false, false, false, args)
	return err
}

// declareFailure differs from that of a message in one point: nothing here is
// the message's fault.
func (d *destination) declareFailure(ctx context.Context, err error) error {
	f := modules.FailureOf(d.client.failure(ctx, err))
	f.Err = fmt.Errorf("declare the queue %q: %w", d.o.Queue, f.Err)
	switch {
	case isReply(err, amqp.AccessRefused):
		f.Err = fmt.Errorf(`%w; "declare": false needs no such right`, f.Err)
	case isReply(err, amqp.PreconditionFailed):
		f.Kind, f.Code = modules.Retryable, modules.CodeRefused
	}
	return &f
}

// ask opens a channel for f and closes it: the broker closes the channel over
// each "no".
func (k *client) ask(ctx context.Context, f func(*amqp.Channel) error) error {
	return link.Bounded(ctx, k.cut, func() error {
		ch, err := k.amqp.Channel()
		if err != nil {
			return err
		}
		return errors.Join(f(ch), ch.Close())
	})
}

func isReply(err error, code int) bool {
	var e *amqp.Error
	return errors.As(err, &e) && e.Code == code
}
