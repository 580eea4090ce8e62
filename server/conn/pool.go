// Package conn keeps the open connections that destinations share. A
// connection is known by a key that its user makes of everything that it is
// made from; equal keys share one connection, also across a reload.
//
//	Acquire ──▶ Lease ──Use──▶ Handle ──Release──▶ (kept open)
//	              │              └──Lost──▶ closed after its last user, opened anew by the next
//	              └──Release──▶ with the last lease: closed after its last user
//
// Each connection has a lock of its own, which is not held while opening or
// closing: a broker that does not answer holds up nobody but its own users.
package conn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hookd/hookd/modules"
)

// ErrReleased is returned by Use after the lease was released or the pool
// closed.
var ErrReleased = errors.New("connection was released")

// Options are the bounds of a pool; zero values take the defaults.
type Options struct {
	Log          *slog.Logger
	OpenTimeout  time.Duration // 30 s
	CloseTimeout time.Duration // 10 s
	MinBackoff   time.Duration // before the second attempt to open: 1 s
	MaxBackoff   time.Duration // 1 min
	// Settled is how long a connection must have been open for its loss not to
	// count as another failure: 10 s.
	Settled time.Duration
}

func (o Options) defaults() Options {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&o.OpenTimeout, 30*time.Second)
	def(&o.CloseTimeout, 10*time.Second)
	def(&o.MinBackoff, time.Second)
	def(&o.MaxBackoff, time.Minute)
	def(&o.Settled, 10*time.Second)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Open makes a connection. ctx bounds the opening, not the connection's life.
type Open func(ctx context.Context) (modules.Conn, error)

// Pool is a set of connections. It is safe for concurrent use.
type Pool struct {
	o      Options
	ctx    context.Context // ends when the pool is closed for good
	cancel context.CancelFunc
	alive  sync.WaitGroup // connections that are opening or open

	mu     sync.Mutex
	shared map[string]*shared
	closed bool
}

// NewPool makes an empty pool.
func NewPool(o Options) *Pool {
	ctx, cancel := context.WithCancel(context.Background())
	return &Pool{o: o.defaults(), ctx: ctx, cancel: cancel, shared: make(map[string]*shared)}
}

// Acquire leases the connection of the key. Nothing is opened before the first
// Use. open is kept for the life of the connection; it is the first one given
// for the key that is used. The lease must be released.
func (p *Pool) Acquire(key string, open Open) *Lease {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.shared[key]
	if s == nil {
		s = &shared{pool: p, key: key, open: open, released: p.closed}
		if !p.closed {
			p.shared[key] = s
		}
	}
	s.leases++
	return &Lease{s: s}
}

// release gives a lease back; with the last one the connection goes.
func (p *Pool) release(s *shared) {
	p.mu.Lock()
	s.leases--
	last := s.leases == 0 && p.shared[s.key] == s
	if last {
		delete(p.shared, s.key)
	}
	p.mu.Unlock()
	if last {
		s.end()
	}
}

// Close refuses further use, closes every connection after its last user, and
// waits for that until ctx ends; then it says how many are still in use.
func (p *Pool) Close(ctx context.Context) error {
	p.mu.Lock()
	p.closed = true
	all := make([]*shared, 0, len(p.shared))
	for _, s := range p.shared {
		all = append(all, s)
	}
	clear(p.shared)
	p.mu.Unlock()
	for _, s := range all {
		s.end() //nolint:contextcheck // each close has its own bound; ctx bounds the waiting
	}
	done := make(chan struct{})
	go func() {
		p.alive.Wait()
		close(done)
	}()
	defer p.cancel()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("close connections: still in use: %w", context.Cause(ctx))
	}
}
