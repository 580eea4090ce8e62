package kafka

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/IBM/sarama"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

// sockets are the connections to brokers. They and what dials are ended at once
// by cut.
type sockets struct {
	env     modules.Env
	config  *Connection
	timeout time.Duration
	life    context.Context
	end     context.CancelFunc

	mu   sync.Mutex
	open map[*socket]bool // nil after cut
}

func newSockets(env modules.Env, c *Connection, timeout time.Duration) *sockets {
	s := &sockets{env: env, config: c, timeout: timeout, open: make(map[*socket]bool)}
	s.life, s.end = context.WithCancel(context.Background())
	return s
}

// Dial connects to a broker, as the library asks for it: also to addresses that
// the cluster gave. TLS is done here and not by the library, so that its
// failures are known as such.
func (s *sockets) Dial(_, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(s.life, s.timeout)
	defer cancel()
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	cfg, err := s.config.tls().Client(host)
	if err != nil {
		return nil, modules.Retry(modules.CodeTLS, err)
	}
	raw, conn, err := link.Dial(ctx, s.env, addr, cfg)
	if err != nil {
		return nil, err
	}
	c := &socket{Conn: conn, raw: raw, of: s}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		_ = raw.Close()
		return nil, net.ErrClosed
	}
	s.open[c] = true
	return c, nil
}

// cut ends everything at once.
func (s *sockets) cut() {
	s.end()
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		_ = c.raw.Close()
	}
	s.open = nil
}

// socket is one connection.
type socket struct {
	net.Conn
	raw net.Conn
	of  *sockets

	// Of the one who reads.
	known   bool // to be Kafka
	strange error
}

// Close forgets it.
func (c *socket) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	_ = c.raw.Close() // without TLS's farewell, which could wait
	return nil
}

// Read looks at the beginning of the first answer: the library would take four
// bytes of anything for a length, and make room for it.
func (c *socket) Read(b []byte) (int, error) {
	if c.strange != nil {
		return 0, c.strange
	}
	if c.known || len(b) < 4 {
		return c.Conn.Read(b)
	}
	n, err := io.ReadFull(c.Conn, b[:4])
	if err == nil && binary.BigEndian.Uint32(b) > uint32(sarama.MaxResponseSize) { // #nosec G115
		c.strange = modules.Retry(modules.CodeBadAnswer, notKafka{c.RemoteAddr()})
		return 0, c.strange
	}
	c.known = true
	return n, err
}

// notKafka is the error of a far end that speaks something else. To the library
// it is the end of the connection.
type notKafka struct{ addr net.Addr }

// Error says what it may be.
func (e notKafka) Error() string {
	return fmt.Sprintf("%s does not answer as Kafka does: does it listen there, and does it want TLS?", e.addr)
}

// Unwrap is what the library knows.
func (notKafka) Unwrap() error { return io.ErrUnexpectedEOF }
