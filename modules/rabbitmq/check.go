package rabbitmq

import (
	"context"
	"errors"
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookd/hookd/modules"
)

// Check connects anew and asks whether the exchange and the queue are there and
// whether messages may be published. A queue that is missing is in order when
// the first delivery would declare it.
func (d *destination) Check(ctx context.Context) (err error) {
	k, err := open(ctx, d.client.env, d.client.config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.Close(ctx)) }()
	if d.o.Exchange != "" {
		if err := k.ask(ctx, func(ch *amqp.Channel) error {
			return ch.ExchangeDeclarePassive(d.o.Exchange, "direct", true, false, false, false, nil)
		}); err != nil {
			return k.failure(ctx, err)
		}
	}
	if d.o.Queue != "" {
		err := k.ask(ctx, func(ch *amqp.Channel) error {
			_, err := ch.QueueDeclarePassive(d.o.Queue, true, false, false, false, nil)
			return err
		})
		if err != nil && (!d.o.Declare || !isReply(err, amqp.NotFound)) {
			return k.failure(ctx, err)
		}
	}
	return k.mayPublish(ctx, d.o)
}

// mayPublish asks for the right to publish. AMQP has no such question, but
// RabbitMQ looks at the rights before it looks at the message: one that lives
// for "no" milliseconds and claims to be of another user is refused as such (406)
// where the rights are there, and for want of them (403) where they are not. It
// never reaches a queue. Other brokers are not asked.
func (k *client) mayPublish(ctx context.Context, o *Options) error {
	if p, _ := k.amqp.Properties["product"].(string); p != "RabbitMQ" {
		return nil
	}
	ch, err := k.take(ctx)
	if err != nil {
		return err
	}
	c, err := ch.PublishWithDeferredConfirm(o.Exchange, o.key(), false, false, amqp.Publishing{
		Expiration: "no", UserId: "nobody: a question of hookd's",
	})
	if err != nil {
		return k.failure(ctx, err)
	}
	if _, err := c.WaitContext(ctx); err != nil {
		return k.failure(ctx, err)
	}
	switch e := ch.cause(); {
	case e == nil:
		return k.failure(ctx, errors.New("the broker did not refuse a message that is wrong"))
	case e.Code == amqp.PreconditionFailed:
		return nil
	default:
		f := modules.FailureOf(k.exception(e))
		f.Err = fmt.Errorf("publish to %s: %w", o.target(), f.Err)
		return &f
	}
}
