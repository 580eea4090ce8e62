package testinfra

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// Proxy stands between hookd and a server, and is the network's bad day. It is
// safe for concurrent use.
type Proxy struct {
	target string
	port   int
	work   sync.WaitGroup

	mu       sync.Mutex
	l        net.Listener // nil while it is cut
	conns    map[net.Conn]bool
	accepted int
	delay    time.Duration
	up, down gate
}

// gate lets bytes of one direction through, or holds them.
type gate struct {
	closed  chan struct{} // closed when it opens again; nil while it is open
	entered chan struct{} // closed when the first bytes are held
	once    *sync.Once
}

// NewProxy forwards from an address of its own to target until the end of the
// test.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	return newProxy(t, target, port)
}

// FixedProxy is the proxy of a server that tells its clients where it is. There
// is one at a time.
func (s *Server) FixedProxy(t testing.TB) *Proxy {
	t.Helper()
	if s.proxyPort == 0 {
		t.Fatalf("%s needs no proxy at a fixed address: use NewProxy", s.Name)
	}
	return newProxy(t, s.proxied, s.proxyPort)
}

func newProxy(t testing.TB, target string, port int) *Proxy {
	t.Helper()
	p := &Proxy{target: target, port: port, conns: make(map[net.Conn]bool)}
	p.Restore()
	t.Cleanup(func() {
		p.Cut()
		p.work.Wait()
	})
	return p
}

// Addr is where to connect.
func (p *Proxy) Addr() string { return loopback(p.port) }

// Accepted counts connections.
func (p *Proxy) Accepted() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.accepted
}

// Cut ends all connections and refuses new ones. What is held by Freeze or Mute
// is lost.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.l != nil {
		_ = p.l.Close()
		p.l = nil
	}
	p.drop()
	p.up.open()
	p.down.open()
}

// Reset ends all connections and takes new ones.
func (p *Proxy) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop()
}

// drop ends the connections by a reset, as a firewall that forgot them does.
func (p *Proxy) drop() {
	for c := range p.conns {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = c.Close()
	}
	clear(p.conns)
}

// Restore takes connections again, at the same address.
func (p *Proxy) Restore() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.l != nil {
		return
	}
	l, err := listen(p.port)
	if err != nil {
		panic(err) // below the range of outgoing connections: nobody else takes it
	}
	p.l = l
	p.work.Go(func() { p.serve(l) })
}

// Delay holds everything back for d, in both directions; 0 ends that.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// Freeze keeps connections open and lets nothing through, in either direction:
// a half-open network. entered is closed when the first bytes towards the server
// are held. release lets go what was held, and all else.
func (p *Proxy) Freeze() (entered <-chan struct{}, release func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	entered = p.up.shut()
	p.down.shut()
	return entered, p.release
}

// Mute lets requests through and holds the server's answers. entered is closed
// when the first answer is held: the server has done what was asked.
func (p *Proxy) Mute() (entered <-chan struct{}, release func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.down.shut(), p.release
}

func (p *Proxy) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.up.open()
	p.down.open()
}

func (p *Proxy) serve(l net.Listener) {
	for {
		in, err := l.Accept()
		if err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		out, err := dial(ctx, p.target)
		cancel()
		if err != nil {
			_ = in.Close()
			continue
		}
		p.mu.Lock()
		if p.l != l {
			p.mu.Unlock()
			_, _ = in.Close(), out.Close()
			return
		}
		p.accepted++
		p.conns[in], p.conns[out] = true, true
		p.mu.Unlock()
		p.work.Go(func() { p.pass(out, in, &p.up) })
		p.work.Go(func() { p.pass(in, out, &p.down) })
	}
}

// pass copies one direction until either side ends.
func (p *Proxy) pass(to, from net.Conn, g *gate) {
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, c := range []net.Conn{to, from} {
			_ = c.Close()
			delete(p.conns, c)
		}
	}()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if !p.hold(from, g) {
				return
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			// A side that is gone takes the other with it, but not before what
			// is held has been let go.
			if errors.Is(err, io.EOF) {
				p.hold(from, g)
			}
			return
		}
	}
}

// hold waits as long as the gate is shut, and reports whether the connection is
// still there.
func (p *Proxy) hold(c net.Conn, g *gate) bool {
	p.mu.Lock()
	delay, closed := p.delay, g.closed
	if closed != nil {
		g.once.Do(func() { close(g.entered) })
	}
	p.mu.Unlock()
	if delay > 0 {
		<-time.After(delay)
	}
	if closed != nil {
		<-closed
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.conns[c]
}

func (g *gate) shut() <-chan struct{} {
	if g.closed == nil {
		*g = gate{closed: make(chan struct{}), entered: make(chan struct{}), once: new(sync.Once)}
	}
	return g.entered
}

func (g *gate) open() {
	if g.closed != nil {
		close(g.closed)
		g.closed = nil
	}
}
