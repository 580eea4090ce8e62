// Package websocket sends deliveries to a WebSocket server (RFC 6455).
package websocket

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/modules"
)

var noTime time.Time

// Module declares the module.
func Module() modules.Module {
	return modules.Define(modules.Definition[Connection, Options, *client]{
		Name:            "websocket",
		Title:           "WebSocket",
		Summary:         "Sends each event as a message over a WebSocket connection that is kept open.",
		Doc:             doc,
		ConnectionTypes: []string{"websocket"},
		Guarantee:       modules.Duplicates,
		Open: func(_ context.Context, env modules.Env, c *Connection) (*client, error) {
			return &client{env: env, config: c, open: make(map[*socket]bool)}, nil
		},
		New: destine,
	})
}

var (
	_ modules.BatchDestination = (*destination)(nil)
	_ modules.Checker          = (*destination)(nil)
	_ modules.Conn             = (*client)(nil)
	_ modules.Egress           = (*Options)(nil)
)

// client is what the destinations of one connection have in common, which is
// their end. Each has sockets of its own, opened when they are used.
type client struct {
	env    modules.Env
	config *Connection
	work   sync.WaitGroup // readers, pingers and farewells

	mu     sync.Mutex
	closed bool
	open   map[*socket]bool
}

// run has a socket read, until it ends; false when the client is closed.
func (c *client) run(s *socket) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.open[s] = true
	c.work.Go(func() {
		s.read()
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.open, s)
	})
	c.work.Go(s.keep)
	return true
}

// Close closes all sockets. There is nothing to flush: each send has waited.
func (c *client) Close(ctx context.Context) error {
	c.mu.Lock()
	c.closed = true
	for s := range c.open {
		c.work.Go(func() { s.leave(ctx) })
	}
	c.mu.Unlock()
	c.work.Wait()
	return nil
}

// destination is one server and what is sent to it.
type destination struct {
	c      *client
	o      *Options
	server Server
	dial   netguard.Dial
	host   string // for messages
	agent  string
	hide   secret.Texts
	// idle are connections that nobody uses now, spare stands for those that may
	// be opened.
	idle  chan *socket
	spare chan struct{}
}

func destine(env modules.Env, c *client, o *Options) (modules.Destination, error) {
	d := &destination{c: c, o: o, server: o.Server.over(c.config.Server), dial: env.Dial, idle: make(chan *socket, o.Sockets), spare: make(chan struct{}, o.Sockets)}
	if d.server.URL == (url.URL{}) {
		return nil, errors.New(`websocket: neither the destination nor its connection has a "url"`)
	}
	if o.Server.URL == (url.URL{}) {
		d.dial = c.env.Dial // the operator's
	}
	if err := checkURL(d.server.URL); err != nil {
		return nil, fmt.Errorf("websocket: url: %w", err)
	}
	d.host = d.server.URL.Host
	// The server learns the program, not the host that it runs on.
	d.agent, _, _ = strings.Cut(env.Owner, " ")
	d.hide = d.server.secrets()
	for range o.Sockets {
		d.spare <- struct{}{}
	}
	// A change of the configuration leaves a destination behind and its
	// connections open.
	runtime.AddCleanup(d, c.retire, d.idle)
	return d, nil
}

// retire closes the connections of a destination that is used no more.
func (c *client) retire(idle chan *socket) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.closed && len(idle) > 0 {
		s := <-idle
		c.work.Go(func() { s.leave(context.Background()) })
	}
}
