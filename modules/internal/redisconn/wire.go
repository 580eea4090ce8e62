package redisconn

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

// errGone: go-redis wanted another TCP connection, because the one that it had
// has ended.
var errGone = errors.New("the server closed the connection")

// quiet keeps go-redis from writing to standard error, once for the process:
// it has one logger for all of its clients.
var quiet = sync.OnceFunc(logging.Disable)

// wire is one TCP connection. go-redis speaks the protocol over it and does
// nothing else: it would dial, retry and reconnect by itself, which is the
// host's business. One send at a time has it for itself.
type wire struct {
	redis *redis.Client
	cut   func() // ends everything at once
}

// dial connects, logs in, chooses the database, and sees whether the server
// takes commands.
func dial(ctx context.Context, env modules.Env, c *Connection) (*wire, error) {
	cfg, err := c.TLS.Client(c.host())
	if err != nil {
		return nil, modules.Retry(modules.CodeTLS, err)
	}
	raw, conn, err := link.Dial(ctx, env, c.addr(), cfg)
	if err != nil {
		return nil, err
	}
	w := &wire{redis: client(c, conn), cut: func() { _ = raw.Close() }}
	if err := w.greet(ctx, env.Owner); err != nil {
		w.close()
		if f := modules.FailureOf(err); f.Code == modules.CodeConnectionLost && cfg == nil {
			f.Err = fmt.Errorf("%w: does the server want TLS?", f.Err)
			return nil, &f
		}
		return nil, err
	}
	return w, nil
}

// client makes a client of go-redis that has conn and never gets another.
func client(c *Connection, conn net.Conn) *redis.Client {
	quiet()
	var taken atomic.Bool
	return redis.NewClient(&redis.Options{
		Addr: c.addr(),
		Dialer: func(context.Context, string, string) (net.Conn, error) {
			if taken.Swap(true) {
				return nil, errGone
			}
			return conn, nil
		},
		// After as many failures of the dialer as the pool has places, go-redis
		// begins to dial in the background.
		PoolSize:         16,
		PipelinePoolSize: -1,
		DialerRetries:    1,
		MaxRetries:       -1,
		// The time of a send is its context's.
		ContextTimeoutEnabled: true,
		ReadTimeout:           -1,
		WriteTimeout:          -1,
		ConnMaxIdleTime:       -1,

		Protocol:                 2,
		Username:                 c.User,
		Password:                 c.Password.Reveal(),
		DB:                       c.DB,
		DisableIdentity:          true, // its right may be missing
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
}

// greet is the first exchange. A server that does not let hookd in says so
// here.
func (w *wire) greet(ctx context.Context, owner string) error {
	err := link.Bounded(ctx, w.cut, func() error { return w.redis.Ping(ctx).Err() })
	if err != nil && !isCode(err, "NOPERM") { // logged in, and may not ping
		return failure(ctx, err)
	}
	name, _, _ := strings.Cut(owner, " ")
	err = link.Bounded(ctx, w.cut, func() error { return w.redis.Do(ctx, "client", "setname", name).Err() })
	if err != nil && !isReply(err) { // a name is not worth a failure
		return failure(ctx, err)
	}
	return nil
}

// close ends the connection. Redis needs no farewell, and what was sent has been
// answered.
func (w *wire) close() {
	w.cut()
	_ = w.redis.Close()
}

// run sends commands in one go and waits for the answers, which the commands
// hold. An error is one of the connection, after which it is of no more use.
func (w *wire) run(ctx context.Context, fill func(redis.Pipeliner)) ([]redis.Cmder, error) {
	p := w.redis.Pipeline()
	fill(p)
	var cmds []redis.Cmder
	err := link.Bounded(ctx, w.cut, func() (err error) {
		cmds, err = p.Exec(ctx)
		return err
	})
	if err == nil {
		return cmds, nil
	}
	// go-redis leaves commands without an error that it never sent, when the
	// server refuses its login: that would look like success.
	failed := false
	for _, cmd := range cmds {
		failed = failed || cmd.Err() != nil
	}
	if !failed {
		return nil, fmt.Errorf("nothing was sent: %w", err)
	}
	if isReply(err) {
		err = nil
	}
	return cmds, err
}
