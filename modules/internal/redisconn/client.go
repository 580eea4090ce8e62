package redisconn

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

const (
	// BatchItems is how many messages go out before the first answer is read.
	BatchItems = 100
	// BatchBytes bounds a batch. A server closes the connection over a message
	// that is too large, with all that is under way on it; the smallest limit
	// that it can have is twice as much, so that such a message is always alone.
	BatchBytes = 512 << 10
)

// Client is an open connection: some TCP connections, opened when they are
// needed. It is safe for concurrent use.
type Client struct {
	env    modules.Env
	config *Connection
	addr   string

	slots chan struct{} // one for each wire in use
	mu    sync.Mutex
	idle  []*wire
}

// Open connects. An error is classified.
func Open(ctx context.Context, env modules.Env, config *Connection) (*Client, error) {
	c := &Client{env: env, config: config, addr: config.addr(), slots: make(chan struct{}, config.Connections)}
	w, err := dial(ctx, env, config)
	if err != nil {
		return nil, c.name(err)
	}
	c.idle = []*wire{w}
	return c, nil
}

// name puts the server's address before a classified error.
func (c *Client) name(err error) error {
	f := modules.FailureOf(err)
	f.Err = fmt.Errorf("redis: %s: %w", c.addr, f.Err)
	return &f
}

// take gets an idle wire, or a new one. It waits while all are in use.
func (c *Client) take(ctx context.Context) (*wire, error) {
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, link.Ended(ctx, fmt.Errorf("redis: %s: all %d connections wait for the server", c.addr, cap(c.slots)))
	}
	c.mu.Lock()
	if n := len(c.idle); n > 0 {
		w := c.idle[n-1]
		c.idle = c.idle[:n-1]
		c.mu.Unlock()
		return w, nil
	}
	c.mu.Unlock()
	w, err := c.another(ctx)
	if err != nil {
		<-c.slots
	}
	return w, err
}

// another opens a further wire. A server that takes no more, though it took the
// first, is gone: the host waits until it is back.
func (c *Client) another(ctx context.Context) (*wire, error) {
	w, err := dial(ctx, c.env, c.config)
	if err == nil {
		return w, nil
	}
	f := modules.FailureOf(c.name(err))
	if ctx.Err() == nil {
		f.Kind = modules.Lost
	}
	return nil, &f
}

// put gives a wire back; nil is one that was closed.
func (c *Client) put(w *wire) {
	if w != nil {
		c.mu.Lock()
		c.idle = append(c.idle, w)
		c.mu.Unlock()
	}
	<-c.slots
}

// Run sends the commands that fill adds, in one go, and waits for the answers.
// An error, classified, means that nothing was sent. Without one each command
// that is returned has an answer or an error of its own; see Failure. fill may
// be called twice.
func (c *Client) Run(ctx context.Context, fill func(redis.Pipeliner)) ([]redis.Cmder, error) {
	if ctx.Err() != nil {
		return nil, link.Ended(ctx, fmt.Errorf("redis: %s: not sent", c.addr))
	}
	w, err := c.take(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { c.put(w) }()
	cmds, err := w.run(ctx, fill)
	if errors.Is(err, errGone) {
		// The server, or something on the way, ended a connection that was idle.
		// Nothing was written to it.
		w.close()
		if w, err = c.another(ctx); err != nil {
			return nil, err
		}
		cmds, err = w.run(ctx, fill)
	}
	if err != nil {
		w.close()
		w = nil
	}
	if cmds == nil {
		return nil, c.Failure(ctx, err)
	}
	return cmds, nil
}

// Close ends all TCP connections. Nothing is left to flush: a send returns when
// it has its answers.
func (c *Client) Close(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range c.idle {
		w.close()
	}
	c.idle = nil
	return nil
}
