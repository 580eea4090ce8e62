package rabbitmq

import (
	"context"
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookd/hookd/modules/internal/link"
)

// channel is an AMQP channel in confirm mode. One send has it for itself, so
// that what comes back on it belongs to that send.
type channel struct {
	*amqp.Channel
	// returns holds more than one send publishes: the library drops a return
	// that finds no room, and a message that no queue took would look delivered.
	returns chan amqp.Return
	closes  chan *amqp.Error
	why     *amqp.Error // of its end, once known
}

// take gets a channel, and opens one where none is idle. It waits while all are
// in use.
func (k *client) take(ctx context.Context) (*channel, error) {
	select {
	case k.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, link.Ended(ctx, fmt.Errorf("rabbitmq: %s: all %d channels wait for the broker", k.addr, cap(k.slots)))
	}
	k.mu.Lock()
	for n := len(k.idle); n > 0; n = len(k.idle) {
		ch := k.idle[n-1]
		k.idle = k.idle[:n-1]
		if !ch.IsClosed() {
			k.mu.Unlock()
			return ch, nil
		}
	}
	k.mu.Unlock()
	ch, err := k.openChannel(ctx)
	if err != nil {
		<-k.slots
		return nil, k.failure(ctx, err)
	}
	return ch, nil
}

func (k *client) openChannel(ctx context.Context) (*channel, error) {
	ch := &channel{returns: make(chan amqp.Return, batchItems), closes: make(chan *amqp.Error, 1)}
	err := link.Bounded(ctx, k.cut, func() (err error) {
		if ch.Channel, err = k.amqp.Channel(); err != nil {
			return err
		}
		ch.NotifyReturn(ch.returns)
		ch.NotifyClose(ch.closes)
		return ch.Confirm(false)
	})
	return ch, err
}

// put gives a channel back. pending are messages that the broker has not
// confirmed: the channel is not used again before it has.
func (k *client) put(ch *channel, pending []*amqp.DeferredConfirmation) {
	if len(pending) == 0 {
		k.free(ch)
		return
	}
	k.work.Go(func() {
		for _, p := range pending {
			<-p.Done() // also when the channel or the connection ends
		}
		ch.returned()
		k.free(ch)
	})
}

func (k *client) free(ch *channel) {
	if !ch.IsClosed() {
		k.mu.Lock()
		k.idle = append(k.idle, ch)
		k.mu.Unlock()
	}
	<-k.slots
}

// returned takes what came back so far, by the id of the message. A return
// comes before the confirm of its message.
func (ch *channel) returned() map[string]amqp.Return {
	var all map[string]amqp.Return
	for {
		select {
		case r, ok := <-ch.returns:
			if !ok {
				return all
			}
			if all == nil {
				all = make(map[string]amqp.Return)
			}
			all[r.MessageId] = r
		default:
			return all
		}
	}
}

// cause is why the broker closed the channel; nil when it did not.
func (ch *channel) cause() *amqp.Error {
	if ch.why == nil && ch.IsClosed() {
		ch.why = <-ch.closes // comes at once, or the library closes it
	}
	return ch.why
}
