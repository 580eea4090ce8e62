package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

const (
	codeNack = "rabbitmq_nack"
	// blockedPause is how long a blocked broker is left alone.
	blockedPause = 5 * time.Second
)

// code is the slug of a reply code that has no better one.
func code(reply int) string { return "rabbitmq_" + strconv.Itoa(reply) }

// failure says what an error of a call means.
func (k *client) failure(ctx context.Context, err error) error {
	var e *amqp.Error
	switch lost := k.lost(); {
	case ctx.Err() != nil && lost != nil:
		// Cut because it did not answer in time.
		return modules.Disconnect(fmt.Errorf("rabbitmq: %s: %w", k.addr, errors.Join(err, ctx.Err())))
	case ctx.Err() != nil:
		return link.Ended(ctx, fmt.Errorf("rabbitmq: %s: %w", k.addr, err))
	case lost != nil:
		return lost
	case errors.As(err, &e) && e.Server:
		return k.exception(e)
	case errors.Is(err, amqp.ErrChannelMax):
		return modules.Retry(modules.CodeUnavailable, fmt.Errorf("rabbitmq: %s: no more channels; lower \"channels\"", k.addr))
	}
	// The socket's own error: the library comes to know of the loss a moment
	// later.
	return modules.Disconnect(fmt.Errorf("rabbitmq: %s: %w", k.addr, err))
}

// exception says what it means that the broker closed a channel. What an
// operator may cure, rights among it, is tried again; a message that can never
// pass is not.
func (k *client) exception(e *amqp.Error) error {
	err := fmt.Errorf("rabbitmq: %s: %s", k.addr, e.Reason)
	switch {
	case e.Code == amqp.NotFound:
		return modules.Retry(modules.CodeNotFound, err)
	case e.Code == amqp.AccessRefused:
		return modules.Retry(modules.CodeAuthFailed, err)
	case tooLarge(e):
		return modules.Reject(modules.CodeTooLarge, err)
	case e.Code == amqp.PreconditionFailed:
		return modules.Reject(modules.CodeRefused, err)
	case e.Code == amqp.ResourceLocked, e.Code == amqp.ResourceError, e.Code == amqp.InternalError:
		return modules.Retry(modules.CodeUnavailable, err)
	}
	return modules.Retry(code(e.Code), err)
}

// tooLarge: AMQP has 311 for it, RabbitMQ says 406 and why.
func tooLarge(e *amqp.Error) bool {
	return e.Code == amqp.ContentTooLarge || e.Code == amqp.PreconditionFailed && strings.Contains(e.Reason, "message size")
}

// aboutOne reports whether the exception is about one message, and not about
// all that are sent to the same place.
func aboutOne(e *amqp.Error) bool {
	return e != nil && (e.Code == amqp.PreconditionFailed || e.Code == amqp.ContentTooLarge)
}

// returned is the failure of a message that no queue took.
func (d *destination) returned(r amqp.Return) error {
	return modules.Retry(modules.CodeNotFound, fmt.Errorf("rabbitmq: %s: no queue took the message for %s: %d %s",
		d.client.addr, d.o.target(), r.ReplyCode, r.ReplyText))
}

func (k *client) blockedFailure(why string) error {
	if why == "" {
		why = "it had blocked publishers"
	}
	return modules.Throttle(modules.CodeThrottled, blockedPause, fmt.Errorf("rabbitmq: %s: %s", k.addr, why))
}
