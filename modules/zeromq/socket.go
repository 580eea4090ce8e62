package zeromq

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

const (
	codeNoPeers = "zeromq_no_peers"
	// patience is how long a send waits for peers that are about to connect:
	// ZeroMQ tries again ten times a second.
	patience = time.Second
	// maxPeers bounds the connections of a socket that is bound.
	maxPeers = 1000
)

// place is what makes a socket: destinations with the same share it.
type place struct {
	kind     Kind
	endpoint string
	bind     bool
	mark     int
	hosts    string // that only this destination may reach
}

// socket is bound or connected, with the peers that it has now. It heals by
// itself: what is lost is connected anew with the next send.
type socket struct {
	place
	k    *client
	at   endpoint
	dial func(ctx context.Context, network, addr string) (net.Conn, error)

	opening chan struct{} // held by who binds or connects

	mu       sync.Mutex
	listener net.Listener // when it is bound
	since    time.Time    // bound or connected
	used     time.Time
	peers    []*peer
	guests   int // connections that others made, those that still greet included
	next     int // whose turn it is
	changed  chan struct{}
}

// live are the peers that are there, beginning with the one whose turn it is.
func (s *socket) live() []*peer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.peers = slices.DeleteFunc(s.peers, func(p *peer) bool { return !p.alive() })
	n := len(s.peers)
	if n == 0 {
		return nil
	}
	s.next = (s.next + 1) % n
	return slices.Concat(s.peers[s.next:], s.peers[:s.next])
}

func (s *socket) add(p *peer) {
	s.mu.Lock()
	s.peers = append(s.peers, p)
	if !s.bind {
		s.since = time.Now()
	}
	s.mu.Unlock()
	s.signal()
}

// signal wakes those who wait for peers or subscriptions.
func (s *socket) signal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
}

// wait waits until there are peers that suffice, for as long as patience says
// from a time on, and returns those that are there.
func (s *socket) wait(ctx context.Context, from time.Time, suffice func([]*peer) bool) []*peer {
	timer := time.NewTimer(time.Until(from.Add(patience)))
	defer timer.Stop()
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		peers := s.live()
		if suffice(peers) {
			return peers
		}
		select {
		case <-changed:
		case <-timer.C:
			return peers
		case <-ctx.Done():
			return peers
		}
	}
}

// open binds or connects where that is not done, and returns the peers.
func (s *socket) open(ctx context.Context, born time.Time) ([]*peer, error) {
	if err := ctx.Err(); err != nil {
		return nil, link.Ended(ctx, errors.New("zeromq: not sent"))
	}
	select {
	case s.opening <- struct{}{}:
		defer func() { <-s.opening }()
	case <-ctx.Done():
		return nil, link.Ended(ctx, fmt.Errorf("zeromq: %s: waiting for the connection", s.at.text))
	}
	s.mu.Lock()
	s.used = time.Now()
	bound := s.listener != nil
	s.mu.Unlock()
	switch peers := s.live(); {
	case s.at.network == "inproc":
		return nil, modules.Reject(codeNoPeers, fmt.Errorf("zeromq: %s: reaches hookd's own process only, where no socket receives: use ipc:// or tcp://", s.at.text))
	case s.bind && bound, len(peers) > 0:
		return peers, nil
	case s.bind:
		return nil, s.listen(ctx, born)
	}
	p, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	s.add(p)
	s.k.work.Go(p.read)
	return []*peer{p}, nil
}

// some waits for at least one peer.
func (s *socket) some(ctx context.Context, born time.Time) ([]*peer, error) {
	peers, err := s.open(ctx, born)
	if err != nil || len(peers) > 0 {
		return peers, err
	}
	peers = s.wait(ctx, time.Now(), func(ps []*peer) bool { return len(ps) > 0 })
	switch {
	case len(peers) > 0:
		return peers, nil
	case ctx.Err() != nil:
		return nil, link.Ended(ctx, fmt.Errorf("zeromq: %s: no peer is connected", s.at.text))
	}
	return nil, modules.Retry(codeNoPeers, fmt.Errorf("zeromq: %s: no peer is connected", s.at.text))
}

// connect dials through the guard and greets.
func (s *socket) connect(ctx context.Context) (*peer, error) {
	raw, err := s.dial(ctx, s.at.network, s.at.addr)
	if err != nil {
		return nil, s.prefix(link.Failure(ctx, err))
	}
	var p *peer
	err = link.Bounded(ctx, func() { _ = raw.Close() }, func() error {
		w, c, err := shake(raw, s.kind, false)
		if err == nil {
			p = newPeer(raw, w, c, s.mark, s.signal)
		}
		return err
	})
	if err != nil {
		_ = raw.Close()
		return nil, s.prefix(greetFailure(ctx, err))
	}
	return p, nil
}

// greetFailure says why the peer and hookd did not come together.
func greetFailure(ctx context.Context, err error) error {
	var n net.Error
	switch {
	case ctx.Err() != nil, errors.As(err, &n):
		return link.Failure(ctx, err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return modules.Retry(modules.CodeUnavailable, errors.Join(errLeft, err))
	}
	return modules.Retry(modules.CodeBadAnswer, err)
}

func (s *socket) prefix(err error) error {
	f := modules.FailureOf(err)
	f.Err = fmt.Errorf("zeromq: %s: %w", s.at.text, f.Err)
	return &f
}

// listen binds. The address may be taken by a socket that a change of the
// configuration has left behind; born is when the destination was made.
func (s *socket) listen(ctx context.Context, born time.Time) error {
	if s.at.network == "unix" {
		// As ZeroMQ does: what a process that is no more left behind.
		if i, err := os.Lstat(s.at.addr); err == nil && i.Mode().Type() == os.ModeSocket && s.k.bound(s.at) == nil {
			_ = os.Remove(s.at.addr)
		}
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, s.at.network, s.at.addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		if old := s.k.bound(s.at); old != nil && old.idleSince(born) {
			old.close(ctx)
			l, err = lc.Listen(ctx, s.at.network, s.at.addr)
		}
	}
	if err != nil {
		return s.prefix(modules.Retry(modules.CodeUnavailable, err))
	}
	s.mu.Lock()
	s.listener, s.since = l, time.Now()
	s.mu.Unlock()
	s.k.work.Go(func() { s.accept(l) })
	return nil
}

func (s *socket) idleSince(t time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used.Before(t)
}

func (s *socket) accept(l net.Listener) {
	for {
		raw, err := l.Accept()
		switch {
		case err == nil && s.guest():
			s.k.work.Go(func() { s.welcome(raw) })
		case err == nil:
			_ = raw.Close()
		case errors.Is(err, net.ErrClosed):
			return
		default: // too many files are open, for example
			select {
			case <-time.After(50 * time.Millisecond):
			case <-s.k.life.Done():
			}
		}
	}
}

// guest counts another connection, if there may be one.
func (s *socket) guest() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.guests >= maxPeers {
		return false
	}
	s.guests++
	return true
}

// welcome greets a peer that connected, and hears what it says.
func (s *socket) welcome(raw net.Conn) {
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.guests--
	}()
	stop := context.AfterFunc(s.k.life, func() { _ = raw.Close() })
	defer stop()
	_ = raw.SetDeadline(time.Now().Add(handshake))
	w, c, err := shake(raw, s.kind, true)
	if err != nil {
		_ = raw.Close()
		s.k.env.Log.Debug("ZeroMQ peer was turned away", slog.String("endpoint", s.at.text), slog.Any("error", err))
		return
	}
	_ = raw.SetDeadline(time.Time{})
	p := newPeer(raw, w, c, s.mark, s.signal)
	s.add(p)
	p.read()
}

// close unbinds and hangs up; a send that comes later opens it again.
func (s *socket) close(ctx context.Context) {
	s.mu.Lock()
	l, peers := s.listener, s.peers
	s.listener, s.peers = nil, nil
	s.mu.Unlock()
	if l != nil {
		_ = l.Close()
	}
	var all sync.WaitGroup
	for _, p := range peers {
		all.Go(func() { p.leave(ctx) })
	}
	all.Wait()
}
