package websocket

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync/atomic"

	"github.com/gorilla/websocket"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

const (
	// maxGreeting bounds the answer to the request that opens a connection, in
	// bytes.
	maxGreeting = 64 << 10
	writeBuffer = 16 << 10
)

// tls are the settings of a wss URL, read anew for each connection; nil for ws.
func (s *Server) tls() (*tls.Config, error) {
	if s.URL.Scheme != "wss" {
		return nil, nil
	}
	t := s.TLS
	t.Written, t.Enabled = true, true
	return t.Client(s.URL.Hostname())
}

// connect dials through the guard and opens a WebSocket connection.
func (d *destination) connect(ctx context.Context) (*socket, error) {
	ctx, cancel := context.WithTimeout(ctx, d.o.Timeout)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return nil, link.Ended(ctx, errors.New("websocket: not sent"))
	}
	cfg, err := d.server.tls()
	if err != nil {
		return nil, modules.Retry(modules.CodeTLS, fmt.Errorf("websocket: %w", err))
	}
	raw, secured, err := link.Dial(ctx, modules.Env{Dial: d.dial}, d.server.addr(), cfg)
	if err != nil {
		return nil, d.prefix(err)
	}
	greeting := &greeting{Conn: secured}
	greeting.left.Store(maxGreeting)
	given := func(context.Context, string, string) (net.Conn, error) { return greeting, nil }
	dialer := websocket.Dialer{
		NetDialContext: given, NetDialTLSContext: given, // connected already; and no proxy
		Subprotocols: d.server.Protocols, WriteBufferSize: writeBuffer,
	}
	var ws *websocket.Conn
	err = link.Bounded(ctx, func() { _ = raw.Close() }, func() error {
		u := d.server.target()
		c, resp, err := dialer.DialContext(ctx, u.String(), d.server.header(d.agent)) //nolint:bodyclose // the library has read it
		switch {
		case errors.Is(err, websocket.ErrBadHandshake):
			return d.refusal(resp)
		case err != nil && ctx.Err() == nil && greeting.left.Load() < 0:
			return modules.Retry(modules.CodeBadAnswer, fmt.Errorf("websocket: %s: the answer has a header of more than %d bytes", d.host, maxGreeting))
		case err != nil:
			return d.prefix(greetFailure(ctx, err))
		}
		if p := c.Subprotocol(); p != "" && !slices.Contains(d.server.Protocols, p) {
			return modules.Retry(modules.CodeBadAnswer, fmt.Errorf("websocket: %s chose a subprotocol that it was not offered", d.host))
		}
		ws = c
		return nil
	})
	if err == nil && ctx.Err() != nil {
		err = link.Ended(ctx, fmt.Errorf("websocket: %s: connecting", d.host))
	}
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	greeting.left.Store(0)
	_ = raw.SetDeadline(noTime)
	s := newSocket(raw, ws, d.o)
	if !d.c.run(s) {
		_ = raw.Close()
		return nil, modules.Retry(modules.CodeShutdown, fmt.Errorf("websocket: %s: the connection is closed", d.host))
	}
	return s, nil
}

// greetFailure says why no WebSocket connection came about.
func greetFailure(ctx context.Context, err error) error {
	var n net.Error
	switch {
	case ctx.Err() != nil:
		return link.Ended(ctx, errors.New("no answer to the request that opens a connection"))
	case errors.As(err, &n), link.Gone(err):
		return modules.Retry(modules.CodeUnavailable, fmt.Errorf("hung up before it answered: %w", err))
	}
	// It may quote the server's bytes.
	return modules.Retry(modules.CodeBadAnswer, errors.New("does not answer as HTTP does"))
}

func (d *destination) prefix(err error) error {
	f := modules.FailureOf(err)
	f.Err = fmt.Errorf("websocket: %s: %w", d.host, f.Err)
	return &f
}

// greeting bounds what is read of the answer to the opening request: net/http
// bounds it for a transport only.
type greeting struct {
	net.Conn
	left atomic.Int64 // bytes; 0 when there is no bound any more, below 0 when it was passed
}

var errGreeting = errors.New("the answer is too long")

// Read reads no more than is left.
func (g *greeting) Read(b []byte) (int, error) {
	left := g.left.Load()
	if left < 0 {
		return 0, errGreeting
	}
	n, err := g.Conn.Read(b)
	if left > 0 {
		if left -= int64(n); left <= 0 {
			left = -1
		}
		g.left.Store(left)
	}
	return n, err
}
