package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

const (
	// farewell bounds how long a closing connection waits for the broker.
	farewell = 5 * time.Second
	// frameSize is what hookd asks for, in bytes, and RabbitMQ's own default.
	frameSize = 128 << 10
)

// client is an open connection. It never heals: the host opens another one.
type client struct {
	env    modules.Env
	config *Connection
	addr   string
	amqp   *amqp.Connection
	cut    func() // ends everything at once
	closes chan *amqp.Error
	block  *blocked
	work   sync.WaitGroup // what runs beside the sends

	slots chan struct{} // one for each channel in use
	mu    sync.Mutex
	idle  []*channel
	why   error // of the loss
}

func open(ctx context.Context, env modules.Env, c *Connection) (*client, error) {
	k := &client{env: env, config: c, addr: c.addr(), block: newBlocked(), slots: make(chan struct{}, c.Channels)}
	if err := k.connect(ctx); err != nil {
		f := modules.FailureOf(err)
		f.Err = fmt.Errorf("rabbitmq: %s: %w", k.addr, f.Err)
		return nil, &f
	}
	k.closes = k.amqp.NotifyClose(make(chan *amqp.Error, 1))
	blocks := k.amqp.NotifyBlocked(make(chan amqp.Blocking, 8))
	k.work.Go(func() { k.block.watch(blocks) })
	return k, nil
}

func (k *client) connect(ctx context.Context) error {
	cfg, err := k.config.TLS.Client(strings.Trim(k.config.Host, "[]"))
	if err != nil {
		return modules.Retry(modules.CodeTLS, err)
	}
	raw, conn, err := link.Dial(ctx, k.env, k.addr, cfg)
	if err != nil {
		return err
	}
	k.cut = func() { _ = raw.Close() }
	product, version, _ := strings.Cut(k.env.Owner, "/")
	version, _, _ = strings.Cut(version, " ")
	err = link.Bounded(ctx, k.cut, func() error {
		var err error
		k.amqp, err = amqp.Open(conn, amqp.Config{
			SASL:      []amqp.Authentication{&amqp.PlainAuth{Username: k.config.User, Password: k.config.password()}},
			Vhost:     k.config.Vhost,
			Heartbeat: k.config.Heartbeat,
			FrameSize: frameSize,
			Locale:    "en_US",
			Properties: amqp.Table{
				"product": product, "version": version, "connection_name": k.env.Owner,
			},
		})
		return err
	})
	if err != nil {
		k.cut() // what failed half-way still reads
		return k.openFailure(ctx, err)
	}
	return nil
}

// openFailure says why the broker did not let hookd in.
func (k *client) openFailure(ctx context.Context, err error) error {
	var e *amqp.Error
	switch {
	case ctx.Err() != nil:
		return link.Ended(ctx, err)
	case !errors.As(err, &e):
		return link.Failure(ctx, err)
	case e.Code == amqp.AccessRefused:
		return modules.Retry(modules.CodeAuthFailed, fmt.Errorf("user %q: %s", k.config.User, e.Reason))
	case e.Code == amqp.NotAllowed:
		return modules.Retry(modules.CodeAuthFailed, fmt.Errorf("user %q, vhost %q: %s", k.config.User, k.config.Vhost, e.Reason))
	case e.Server:
		return modules.Retry(code(e.Code), errors.New(e.Reason))
	case errors.Is(e, amqp.ErrClosed):
		return modules.Retry(modules.CodeUnavailable, errors.New("the far end closed the connection at once; does AMQP 0-9-1 listen there, and without TLS?"))
	case stranger(e):
		return modules.Retry(modules.CodeBadAnswer, fmt.Errorf("%s: does AMQP 0-9-1 listen there, and without TLS?", e.Reason))
	}
	return modules.Retry(modules.CodeUnavailable, errors.New(e.Reason))
}

// stranger reports an answer that is not AMQP. The library gives the reason of
// such an error as text.
func stranger(e *amqp.Error) bool {
	for _, known := range []*amqp.Error{amqp.ErrFrame, amqp.ErrFrameTooLarge, amqp.ErrSyntax, amqp.ErrCommandInvalid, amqp.ErrUnexpectedFrame} {
		if strings.Contains(e.Reason, known.Reason) {
			return true
		}
	}
	return false
}

// frame is the size in bytes of the largest frame.
func (k *client) frame() int {
	if n := k.amqp.Config.FrameSize; n > 0 && n < frameSize {
		return n
	}
	return frameSize
}

// lost is the failure of a send when the connection is gone; nil while it is
// not.
func (k *client) lost() error {
	if !k.amqp.IsClosed() {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.why == nil {
		k.why = net.ErrClosed
		if e := <-k.closes; e != nil { // comes at once, or the library closes it
			k.why = errors.New(e.Reason)
		}
	}
	return modules.Disconnect(fmt.Errorf("rabbitmq: %s: connection lost: %w", k.addr, k.why))
}

// hangUp ends the connection. One that is lost already has nobody to say
// farewell to.
func (k *client) hangUp(ctx context.Context) error {
	defer k.cut()
	if k.amqp.IsClosed() {
		return nil
	}
	deadline := time.Now().Add(farewell)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if err := k.amqp.CloseDeadline(deadline); err != nil && !errors.Is(err, amqp.ErrClosed) {
		return fmt.Errorf("rabbitmq: %s: close: %w", k.addr, err)
	}
	return nil
}
