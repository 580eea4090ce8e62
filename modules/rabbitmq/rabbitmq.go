// Package rabbitmq publishes deliveries to RabbitMQ, or to another broker that
// speaks AMQP 0-9-1 with publisher confirms.
package rabbitmq

import (
	"context"

	"github.com/hookd/hookd/modules"
)

const doc = `
**When a delivery counts.** Every message is published in confirm mode and counts when the broker has confirmed it: a persistent message
for a durable queue is then on disk, for a quorum queue on a majority of its members. With ` + "`mandatory`" + `, the default, a message that no
queue took is a failure: without it RabbitMQ confirms such a message and throws it away. Many messages share one round of waiting.

**What is sent.** The delivered bytes as the body; ` + "`message_id`" + `: the delivery's id, the same on every attempt, so that a consumer can drop what it
has seen; ` + "`content_type`; `app_id`: `hookd`; delivery mode 2 (persistent)" + `; and as headers, with names in lower case, the sender's own (unless
` + "`forward_headers` is false), the configured `headers`, and `hookd-event-id`, `hookd-delivery-id`, `hookd-hook`, `hookd-attempt` and `traceparent`" + `. Several values of one header are joined with a comma.

**What is declared.** With ` + "`declare`" + `, the default, a queue that is missing is declared, durable, and with ` + "`exchange`" + ` it is bound to that by the routing key. One that is
there is used as it is, whatever its type and arguments, and then no right to configure is needed. Exchanges are never declared.
A broker that is killed a moment after a queue was declared may have forgotten the queue, and the messages that it had confirmed with it (seen once in 25 crashes of RabbitMQ
3.10): where the first messages matter too, declare the queue before.

**What a failure means.**

| the broker | outcome |
|---|---|
| confirms | delivered |
| returns the message: no queue for the routing key | tried again, ` + "`not_found`" + `: the queue or its binding may come (with ` + "`declare`" + ` it is made anew); dead letter after the last attempt |
| has no such exchange or queue (404) | the same |
| says nack: the queue is full (` + "`reject-publish`" + `), or it could not store | tried again, ` + "`rabbitmq_nack`" + ` |
| refuses for want of rights (403) | tried again, ` + "`auth_failed`" + `: an operator can give them, and nothing is lost meanwhile |
| finds the message too large (406, 311) | dead letter at once, ` + "`too_large`" + `; the others of its batch are sent |
| blocks publishers: out of memory or disk | tried again, ` + "`throttled`" + `, with nothing more sent until it unblocks |
| closes the connection, or is gone | connected anew, then tried again |
| does not let hookd in: user, password, virtual host | tried again without using attempts up, ` + "`auth_failed`" + ` |
`

// Module declares the module.
func Module() modules.Module {
	return modules.Define(modules.Definition[Connection, Options, *client]{
		Name:            "rabbitmq",
		Title:           "RabbitMQ",
		Summary:         "Publishes each event to a RabbitMQ queue or exchange and waits for the broker's confirm.",
		Doc:             doc,
		ConnectionTypes: []string{"rabbitmq"},
		Guarantee:       modules.Keyed,
		Open:            open,
		New: func(_ modules.Env, k *client, o *Options) (modules.Destination, error) {
			return &destination{client: k, o: o, declaring: make(chan struct{}, 1)}, nil
		},
	})
}

var (
	_ modules.BatchDestination = (*destination)(nil)
	_ modules.Checker          = (*destination)(nil)
	_ modules.Conn             = (*client)(nil)
)

// Close ends the connection with a farewell. Nothing is left to flush: a send
// returns when its messages are confirmed.
func (k *client) Close(ctx context.Context) error {
	err := k.hangUp(ctx)
	k.work.Wait()
	return err
}
