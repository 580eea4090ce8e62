package edge

import (
	"net"
	"net/netip"
	"sync"
)

// site is the unit of counting connections: an IPv4 address or an IPv6 /64.
type site = netip.Addr

type listener struct {
	net.Listener
	o   Options
	raw *rawErrors

	mu   sync.Mutex
	open map[site]int // only sites with open connections
}

// Accept closes the connections of an address that has too many, without a
// word: an answer would be work that a flood could ask for.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from, bounded := l.siteOf(c)
		if bounded && !l.enter(from) {
			_ = c.Close()
			continue
		}
		k := &conn{Conn: c, raw: l.raw}
		if bounded {
			k.leave = sync.OnceFunc(func() { l.exit(from) })
		}
		return k, nil
	}
}

func (l *listener) siteOf(c net.Conn) (from site, bounded bool) {
	ap, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil || l.o.MaxConns < 0 {
		return site{}, false
	}
	addr := ap.Addr().Unmap().WithZone("")
	if addr.IsLoopback() || l.o.trusts(addr) {
		return site{}, false
	}
	if addr.Is6() {
		if p, err := addr.Prefix(64); err == nil {
			addr = p.Addr()
		}
	}
	return addr, true
}

func (l *listener) enter(from site) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[from] >= l.o.MaxConns {
		return false
	}
	l.open[from]++
	return true
}

func (l *listener) exit(from site) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[from]--; l.open[from] <= 0 {
		delete(l.open, from)
	}
}

// conn is a connection that is counted, and reads ahead.
type conn struct {
	net.Conn
	raw   *rawErrors
	leave func() // nil when it is not counted

	ahead *[readAhead]byte // from the pool while it holds something
	rest  []byte           // of ahead, not handed out yet
}

// readAhead is how much one system call may bring. net/http reads 4 KiB at a
// time, so that a webhook of the usual size would take two.
const readAhead = 16 << 10

var aheads = sync.Pool{New: func() any { return new([readAhead]byte) }}

// Read is called by one goroutine at a time, as net/http does.
func (c *conn) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		// net/http waits for the next request with 4 KiB, and for a client who
		// hangs up with one byte; more than readAhead needs no help.
		if len(p) < 512 || len(p) >= readAhead {
			return c.Conn.Read(p)
		}
		buf := aheads.Get().(*[readAhead]byte)
		n, err := c.Conn.Read(buf[:])
		if n <= len(p) {
			copy(p, buf[:n])
			aheads.Put(buf)
			return n, err
		}
		c.ahead, c.rest = buf, buf[:n] // an error comes again with the next read
	}
	n := copy(p, c.rest)
	if c.rest = c.rest[n:]; len(c.rest) == 0 {
		aheads.Put(c.ahead)
		c.ahead, c.rest = nil, nil
	}
	return n, nil
}

func (c *conn) Close() error {
	if c.leave != nil {
		c.leave()
	}
	return c.Conn.Close()
}

// CloseWrite lets net/http close its half first, so that a client who is still
// sending can read the error.
func (c *conn) CloseWrite() error {
	if t, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return t.CloseWrite()
	}
	return nil
}

// Write replaces the errors that net/http writes without asking any handler.
func (c *conn) Write(p []byte) (int, error) {
	if q := c.raw.replace(p); q != nil {
		if _, err := c.Conn.Write(q); err != nil {
			return 0, err
		}
		return len(p), nil
	}
	return c.Conn.Write(p)
}
