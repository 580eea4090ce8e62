package mqtt

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

// lastWords is how long an acknowledgement that came with the end of the
// connection may take through the library.
const lastWords = 200 * time.Millisecond

// destination publishes to one topic, or to those of one pattern.
type destination struct {
	client  *client
	o       *Options
	pattern string
}

// Send publishes one.
func (d *destination) Send(ctx context.Context, x *event.Delivery) (event.Receipt, error) {
	m, err := d.message(x)
	if err != nil {
		return event.Receipt{}, err
	}
	token, err := d.client.publish(ctx, m)
	if err == nil {
		err = d.client.acknowledged(ctx, m, token)
	}
	if err != nil {
		return event.Receipt{}, err
	}
	if m.qos == 0 {
		return event.Receipt{Status: "written to the socket (QoS 0) for " + m.topic}, nil
	}
	return event.Receipt{Status: fmt.Sprintf("acknowledged (QoS %d) for %s", m.qos, m.topic)}, nil
}

// publish hands a message to the library when its turn has come.
func (k *client) publish(ctx context.Context, m message) (paho.Token, error) {
	if err := ctx.Err(); err != nil {
		return nil, link.Ended(ctx, errors.New("mqtt: not sent"))
	}
	if m.qos > 0 {
		if err := k.take(ctx, k.slots, fmt.Sprintf("all %d messages in flight wait for the broker", cap(k.slots))); err != nil {
			return nil, err
		}
	}
	// The library queues nothing, and knows no context: whoever finds another
	// message on its way would be stuck behind it.
	if err := k.take(ctx, k.wire.turn, "the message before is still being written"); err != nil {
		if m.qos > 0 {
			<-k.slots
		}
		return nil, err
	}
	free := sync.OnceFunc(func() { <-k.wire.turn })
	k.wire.written.Store(&free)
	token := k.mqtt.Publish(m.topic, m.qos, m.retained, m.payload)
	if token.Error() != nil {
		free() // it may never get to the wire
	}
	if m.qos > 0 {
		// One that is given up is in flight until the broker has acknowledged it.
		k.work.Go(func() {
			select {
			case <-token.Done():
			case <-k.wire.gone:
			}
			<-k.slots
		})
	}
	return token, nil
}

// take waits for a place in line.
func (k *client) take(ctx context.Context, line chan<- struct{}, busy string) error {
	if err := k.lost(); err != nil {
		return err
	}
	select {
	case line <- struct{}{}:
		return nil
	case <-k.wire.gone:
		return k.lost()
	case <-ctx.Done():
		return link.Ended(ctx, fmt.Errorf("mqtt: %s: %s", k.addr, busy))
	}
}

// acknowledged waits for the broker's answer; with QoS 0 for the message to be
// written.
func (k *client) acknowledged(ctx context.Context, m message, token paho.Token) error {
	select {
	case <-token.Done():
	case <-k.wire.gone:
		// The answer may be on its way through the library, which says soon what
		// has got none.
		timer := time.NewTimer(lastWords)
		defer timer.Stop()
		select {
		case <-token.Done():
		case <-timer.C:
			return k.lost()
		}
	case <-ctx.Done():
		select {
		case <-token.Done(): // at the same time
		default:
			return k.unanswered(ctx, m)
		}
	}
	switch err := token.Error(); {
	case err == nil:
		return nil
	case k.wire.over():
		return k.lost()
	case errors.Is(err, paho.ErrNotConnected):
		return modules.Disconnect(fmt.Errorf("mqtt: %s: %w", k.addr, err))
	default:
		return modules.Retry(modules.CodeUnavailable, fmt.Errorf("mqtt: %s: not sent: %w", k.addr, err))
	}
}

// unanswered is the failure of a message that was not answered in time. MQTT
// 3.1.1 has no way to send it again but by a new connection (section 4.4), and
// none to learn whether the broker has forgotten it.
func (k *client) unanswered(ctx context.Context, m message) error {
	what := fmt.Errorf("mqtt: %s: the broker has not acknowledged the message", k.addr)
	if m.qos == 0 {
		what = fmt.Errorf("mqtt: %s: the message could not be written", k.addr)
	}
	f := modules.FailureOf(link.Ended(ctx, what))
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		f.Kind = modules.Lost
	}
	return &f
}

// Check connects anew. Whether the topic may be published to cannot be asked:
// a broker of version 3.1.1 tells nobody.
func (d *destination) Check(ctx context.Context) error {
	k, err := open(ctx, d.client.env, d.client.config)
	if err != nil {
		return err
	}
	return k.Close(ctx)
}
