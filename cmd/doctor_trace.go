package cmd

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/modules"
)

// step is one part of the way to a far end.
type step struct {
	Name   string  `json:"name"` // resolve, egress, dial, tls, open, check
	MS     float64 `json:"ms"`
	Detail string  `json:"detail,omitempty"`
	Error  string  `json:"error,omitempty"`
}

func (s step) String() string {
	text := s.Name
	if s.Detail != "" {
		text += " " + s.Detail
	}
	if s.Name == "egress" && s.Error == "" {
		return text
	}
	return fmt.Sprintf("%s %.1f ms", text, s.MS)
}

// trace notes the steps that a module takes on its way. A module that dials
// more than once is told of with its first dial. It is safe for concurrent use.
type trace struct {
	now func() time.Time

	mu    sync.Mutex
	steps []step
	spent time.Duration // in resolve, dial and TLS
	dials int
	// handshake is when that of TLS began; zero while there is none.
	handshake time.Time
}

// add notes a step that began at start.
func (t *trace) add(name, detail string, start time.Time, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	took := t.now().Sub(start)
	t.spent += took
	t.append(name, detail, took, err)
}

func (t *trace) append(name, detail string, took time.Duration, err error) {
	s := step{Name: name, MS: float64(took.Microseconds()) / 1000, Detail: detail}
	if err != nil {
		s.Error = oneLine(err)
	}
	t.steps = append(t.steps, s)
}

// rest notes a step that began at start, without what the steps below it took.
// One that failed because a step below it did is not told twice.
func (t *trace) rest(name string, start time.Time, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	began := t.handshake
	t.handshake = time.Time{}
	last := &step{}
	if n := len(t.steps); n > 0 {
		last = &t.steps[n-1]
	}
	switch {
	case err == nil:
	case !began.IsZero(): // the handshake never ended
		t.append("tls", "", t.now().Sub(began), err)
		return
	case last.Name == "tls" && last.Error == "" && modules.FailureOf(err).Code == modules.CodeTLS:
		// With TLS 1.3 a refusal looks like the end of the handshake.
		last.Error = oneLine(err)
		return
	case last.Error != "" && strings.Contains(oneLine(err), last.Error):
		return
	}
	t.append(name, "", max(t.now().Sub(start)-t.spent, 0), err)
	t.spent = 0
}

// shakes notes that a handshake begins.
func (t *trace) shakes() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.handshake = t.now()
}

// shaken notes that the handshake is over.
func (t *trace) shaken() {
	t.mu.Lock()
	start := t.handshake
	t.handshake = time.Time{}
	t.mu.Unlock()
	if !start.IsZero() {
		t.add("tls", "", start, nil)
	}
}

// dialer dials as the guard does, and notes what it does.
func (t *trace) dialer(g *netguard.Guard) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		t.mu.Lock()
		t.dials++
		first := t.dials == 1
		t.mu.Unlock()
		if !first {
			return g.DialContext(ctx, network, addr)
		}
		if host, _, err := net.SplitHostPort(addr); err == nil && network != "unix" {
			if err := t.resolve(ctx, g, host); err != nil {
				return nil, err
			}
		}
		start := t.now()
		c, err := g.DialContext(ctx, network, addr)
		if err != nil {
			t.add("dial", addr, start, err)
			return nil, err
		}
		t.add("dial", c.RemoteAddr().String(), start, nil)
		return &tracedConn{Conn: c, trace: t}, nil
	}
}

// resolve looks the name up and asks the egress policy about each address.
func (t *trace) resolve(ctx context.Context, g *netguard.Guard, host string) error {
	addrs := []netip.Addr{}
	if a, err := netip.ParseAddr(host); err == nil {
		addrs = append(addrs, a)
	} else {
		start := t.now()
		addrs, err = net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		t.add("resolve", host+" → "+joined(addrs), start, err)
		if err != nil {
			return err
		}
	}
	var refused error
	for _, a := range addrs {
		err := g.Judge(host, a)
		if err == nil {
			t.add("egress", "allowed", t.now(), nil)
			return nil
		}
		refused = err
	}
	if refused != nil {
		t.add("egress", "", t.now(), refused)
	}
	return refused
}

func joined(addrs []netip.Addr) string {
	texts := make([]string, 0, len(addrs))
	for _, a := range addrs {
		texts = append(texts, a.Unmap().String())
	}
	return strings.Join(texts, ", ")
}

// tracedConn sees when a TLS handshake begins and ends: from the first record
// of type handshake to the first one after it that this side sends of another
// type (RFC 8446 section 5.1).
type tracedConn struct {
	net.Conn
	trace *trace

	mu          sync.Mutex
	began, done bool
}

func (c *tracedConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	if !c.done && len(p) > 2 && p[1] == 3 {
		switch p[0] {
		case 0x16: // handshake
			if !c.began {
				c.began = true
				c.trace.shakes()
			}
		case 0x14, 0x17: // change_cipher_spec, application_data
			if c.began {
				c.done = true
				c.trace.shaken()
			}
		}
	}
	c.mu.Unlock()
	return c.Conn.Write(p)
}
