package websocket

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/hookd/hookd/modules/internal/link"
)

const (
	// pongTime is the least that an answer to a ping may take.
	pongTime = time.Second
	// farewell is how long the server is given to close, too.
	farewell = time.Second
)

// socket is one open connection. One delivery or batch has it at a time; a
// goroutine reads what the server says, which also answers its pings.
type socket struct {
	raw  net.Conn // below TLS
	ws   *websocket.Conn
	ping time.Duration
	used bool // something was sent over it

	done chan struct{} // closed when reading has ended
	err  error         // why; to be read after that

	changed chan struct{} // something below has
	mu      sync.Mutex
	pinged  uint64 // pings sent behind messages
	ponged  uint64 // the last of them that was answered
	byID    bool
	waiting map[string]bool   // ids, or "", that a reply is waited for
	replies map[string][]byte // those that came
}

func newSocket(raw net.Conn, ws *websocket.Conn, o *Options) *socket {
	s := &socket{
		raw: raw, ws: ws, ping: o.Ping, byID: o.MatchID, done: make(chan struct{}), changed: make(chan struct{}, 1),
		waiting: make(map[string]bool), replies: make(map[string][]byte),
	}
	ws.SetReadLimit(o.MaxReply)
	pong := ws.PingHandler()
	ws.SetPingHandler(func(data string) error { s.heard(); return pong(data) })
	ws.SetPongHandler(func(data string) error { s.heard(); s.pong(data); return nil })
	s.heard()
	return s
}

// read reads until the connection ends.
func (s *socket) read() {
	defer close(s.done)
	defer s.cut()
	for {
		_, r, err := s.ws.NextReader()
		if err == nil {
			s.heard()
			err = s.take(r)
		}
		if err != nil {
			s.err = err
			return
		}
	}
}

// heard puts off the time at which the silence is too long.
func (s *socket) heard() {
	if s.ping > 0 {
		_ = s.raw.SetReadDeadline(time.Now().Add(s.ping + max(s.ping, pongTime)))
	}
}

// keep sends pings until the connection ends.
func (s *socket) keep() {
	if s.ping <= 0 {
		return
	}
	tick := time.NewTicker(s.ping)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_ = s.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(max(s.ping, pongTime))) // the reader notices
		case <-s.done:
			return
		}
	}
}

func (s *socket) signal() {
	select {
	case s.changed <- struct{}{}:
	default: // whoever waits will look
	}
}

// pong notes an answer. Frames are answered in order, and a server may answer
// the last ping only, so one answer stands for all before it (RFC 6455 section
// 5.5.3).
func (s *socket) pong(data string) {
	n, err := strconv.ParseUint(data, 10, 64)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil && n > s.ponged && n <= s.pinged {
		s.ponged = n
		s.signal()
	}
}

// take keeps a message that is a reply, and drops any other.
func (s *socket) take(r io.Reader) error {
	s.mu.Lock()
	idle := len(s.waiting) == 0
	s.mu.Unlock()
	if idle {
		_, err := io.Copy(io.Discard, r)
		return err
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	key := ""
	if s.byID {
		var m struct{ ID string }
		if json.Unmarshal(b, &m) != nil {
			return nil
		}
		key = m.ID
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting[key] {
		delete(s.waiting, key)
		s.replies[key] = b
		s.signal()
	}
	return nil
}

// expect has the next reply kept, or that with an id.
func (s *socket) expect(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting[key] = true
}

// reply is a reply that came.
func (s *socket) reply(key string) (b []byte, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok = s.replies[key]
	delete(s.replies, key)
	return b, ok
}

func (s *socket) answered(ping uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ponged >= ping
}

// write sends a message. When that fails the connection is of no use any more,
// and the server's reason, if it gave one, is the error.
func (s *socket) write(ctx context.Context, kind int, data []byte) error {
	return s.try(ctx, func(deadline time.Time) error {
		_ = s.ws.SetWriteDeadline(deadline)
		return s.ws.WriteMessage(kind, data)
	})
}

// mark sends a ping behind what was written and returns its number.
func (s *socket) mark(ctx context.Context) (uint64, error) {
	s.mu.Lock()
	s.pinged++
	n := s.pinged
	s.mu.Unlock()
	return n, s.try(ctx, func(deadline time.Time) error {
		return s.ws.WriteControl(websocket.PingMessage, strconv.AppendUint(nil, n, 10), deadline)
	})
}

func (s *socket) try(ctx context.Context, f func(deadline time.Time) error) error {
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(maxTimeout)
	}
	err := link.Bounded(ctx, s.cut, func() error { return f(deadline) })
	if err == nil {
		return nil
	}
	// A server that refuses says so and hangs up while hookd still writes.
	timer := time.NewTimer(farewell)
	defer timer.Stop()
	select {
	case <-s.done:
		var e *websocket.CloseError
		if errors.As(s.err, &e) {
			return s.err
		}
	case <-ctx.Done():
	case <-timer.C:
	}
	return err
}

// wait waits until something is so.
func (s *socket) wait(ctx context.Context, so func() bool) error {
	for !so() {
		select {
		case <-s.changed:
		case <-s.done:
			if so() {
				return nil
			}
			return s.err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (s *socket) alive() bool {
	select {
	case <-s.done:
		return false
	default:
		return true
	}
}

// cut ends the connection at once.
func (s *socket) cut() { _ = s.raw.Close() }

// leave says goodbye, and gives the server a moment to read that.
func (s *socket) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, farewell)
	defer cancel()
	deadline, _ := ctx.Deadline()
	_ = s.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), deadline)
	select {
	case <-s.done:
	case <-ctx.Done():
	}
	s.cut()
	<-s.done
}
