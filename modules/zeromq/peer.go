package zeromq

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/hookd/hookd/modules/internal/link"
)

const (
	maxSaid          = 1 << 20 // bytes of a message from a peer
	maxSubscriptions = 10_000  // of one peer
	// handshake bounds how long a stranger may take to greet.
	handshake = 10 * time.Second
	// farewell bounds how long a peer may take to hang up after hookd has.
	farewell = time.Second
)

var errLeft = errors.New("the peer closed the connection")

// peer is one connection of a socket. It never heals.
type peer struct {
	raw  net.Conn
	wire *wire
	zmtp *zmq4.Conn
	over chan struct{} // closed at its end

	turn    chan struct{} // held by who sends; with REQ until the reply is there
	room    chan struct{} // one for each message that is not confirmed
	writing sync.Mutex    // of frames
	replies chan [][]byte

	mu     sync.Mutex
	why    error // of its end
	pings  uint64
	asked  []ping // without an answer, oldest first
	topics map[string]int

	changed func() // is called when a subscription comes
}

// ping is a question whether all before it was taken.
type ping struct {
	context string
	done    chan struct{}
}

func newPeer(raw net.Conn, w *wire, c *zmq4.Conn, mark int, changed func()) *peer {
	return &peer{
		raw: raw, wire: w, zmtp: c, over: make(chan struct{}), turn: make(chan struct{}, 1), room: make(chan struct{}, mark),
		replies: make(chan [][]byte, 1), topics: make(map[string]int), changed: changed,
	}
}

// kind is the type of the socket at the other side.
func (p *peer) kind() zmq4.SocketType { return zmq4.SocketType(p.zmtp.Peer.Meta["Socket-Type"]) }

// read takes in what the peer says until it ends. It notices at once when the
// peer goes away.
func (p *peer) read() {
	r := bufio.NewReader(p.raw)
	for {
		m, err := readMessage(r, maxSaid)
		if err == nil {
			err = p.hear(m)
		}
		if errors.Is(err, io.EOF) {
			err = errLeft
		}
		if err != nil {
			p.end(err)
			return
		}
	}
}

func (p *peer) hear(m message) error {
	topic, on, ok := subscription(m)
	switch {
	case m.command == zmq4.CmdPing:
		// Bytes that are under way are a sign of life as good as the answer.
		if body := m.frames[0]; len(body) >= 2 && p.writing.TryLock() {
			defer p.writing.Unlock()
			return errors.Join(p.zmtp.SendCmd(zmq4.CmdPong, body[2:]), p.wire.out.Flush())
		}
	case m.command == zmq4.CmdPong:
		p.pong(string(m.frames[0]))
	case m.command == zmq4.CmdError:
		return fmt.Errorf("the peer refuses: %.100q", m.frames[0])
	case ok && (p.kind() == zmq4.Sub || p.kind() == zmq4.XSub):
		return p.subscribe(topic, on)
	case m.command == "" && p.kind() != zmq4.Sub && p.kind() != zmq4.XSub:
		select {
		case p.replies <- m.frames:
		default: // nobody asked
		}
	}
	return nil
}

func (p *peer) subscribe(topic string, on bool) error {
	defer p.changed()
	p.mu.Lock()
	defer p.mu.Unlock()
	if on {
		p.topics[topic]++
	} else if p.topics[topic]--; p.topics[topic] <= 0 {
		delete(p.topics, topic)
	}
	if len(p.topics) > maxSubscriptions {
		return fmt.Errorf("the peer has more than %d subscriptions", maxSubscriptions)
	}
	return nil
}

// wants reports whether the peer subscribes to messages with that first frame.
func (p *peer) wants(first []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for t := range p.topics {
		if len(t) <= len(first) && strings.HasPrefix(string(first[:len(t)]), t) {
			return true
		}
	}
	return false
}

// pong answers the ping with that context and those before it. Not all peers
// repeat the context.
func (p *peer) pong(context string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for i, q := range p.asked {
		if q.context == context || context == "" && i == 0 {
			n = i + 1
		}
	}
	for _, q := range p.asked[:n] {
		close(q.done)
	}
	p.asked = p.asked[n:]
}

// end is the end of the peer.
func (p *peer) end(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.why == nil {
		p.why = why
		close(p.over)
	}
	p.cut()
}

// giveUp ends the peer over the failure of one send. The others must not take
// that one's context for their own.
func (p *peer) giveUp(err error) { p.end(errors.New("another send gave it up: " + err.Error())) }

// alive reports whether the peer may still be of use.
func (p *peer) alive() bool { return p.cause() == nil }

// cut ends everything at once; the reader notices.
func (p *peer) cut() { _ = p.raw.Close() }

func (p *peer) cause() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.why
}

// leave hangs up and waits for the peer to do so, too: to close with something
// unread would undo what is still on its way.
func (p *peer) leave(ctx context.Context) {
	if half, ok := p.raw.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		timer := time.NewTimer(farewell)
		defer timer.Stop()
		select {
		case <-p.over:
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	p.end(net.ErrClosed)
}

// take waits for the turn to send.
func (p *peer) take(ctx context.Context) error {
	select {
	case p.turn <- struct{}{}:
		return nil
	case <-p.over:
		return p.cause()
	case <-ctx.Done():
		return fmt.Errorf("the peer takes nothing: %w", ctx.Err())
	}
}

// deliver sends messages and, with confirm, waits until the peer's ZeroMQ has
// taken them. After an error the peer is of no more use: what it took is not
// known.
func (p *peer) deliver(ctx context.Context, ms [][][]byte, confirm bool) (err error) {
	if err := p.take(ctx); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			p.giveUp(err)
		}
	}()
	taken, err := p.reserve(ctx, len(ms))
	defer func() {
		for range taken {
			<-p.room
		}
	}()
	var done <-chan struct{}
	if err == nil {
		done, err = p.write(ctx, ms, confirm)
	}
	<-p.turn
	if err != nil || !confirm {
		return err
	}
	return p.await(ctx, done)
}

// reserve waits until so many more messages may be under way.
func (p *peer) reserve(ctx context.Context, n int) (taken int, err error) {
	for ; taken < n; taken++ {
		select {
		case p.room <- struct{}{}:
		case <-p.over:
			return taken, p.cause()
		case <-ctx.Done():
			return taken, fmt.Errorf("the peer takes nothing: %w", ctx.Err())
		}
	}
	return taken, nil
}

// write writes messages, and a ping behind them. ZeroMQ answers pings in their
// place among the messages, and not before it has room for those.
func (p *peer) write(ctx context.Context, ms [][][]byte, ask bool) (done <-chan struct{}, err error) {
	err = link.Bounded(ctx, p.cut, func() error {
		p.writing.Lock()
		defer p.writing.Unlock()
		for _, frames := range ms {
			if err := p.zmtp.SendMsg(zmq4.NewMsgFrom(frames...)); err != nil {
				return err
			}
		}
		if ask {
			q := p.question()
			done = q.done
			// Two bytes of patience, of which "none" is said, and the context.
			if err := p.zmtp.SendCmd(zmq4.CmdPing, append([]byte{0, 0}, q.context...)); err != nil {
				return err
			}
		}
		return p.wire.out.Flush()
	})
	return done, err
}

func (p *peer) question() ping {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pings++
	q := ping{context: hex.EncodeToString(binary.BigEndian.AppendUint64(nil, p.pings)), done: make(chan struct{})}
	p.asked = append(p.asked, q)
	return q
}

func (p *peer) await(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	default:
	}
	select {
	case <-done:
		return nil
	case <-p.over:
		return p.cause()
	case <-ctx.Done():
		return fmt.Errorf("the peer does not confirm: %w", ctx.Err())
	}
}

// request sends a message and waits for the reply to it.
func (p *peer) request(ctx context.Context, frames [][]byte) (reply [][]byte, err error) {
	if err := p.take(ctx); err != nil {
		return nil, err
	}
	defer func() { <-p.turn }()
	defer func() {
		if err != nil {
			p.giveUp(err) // a reply that comes late must not be taken for the next one's
		}
	}()
	select {
	case <-p.replies: // nobody asked
	default:
	}
	// An empty frame divides the way back from the message.
	if _, err := p.write(ctx, [][][]byte{append([][]byte{{}}, frames...)}, false); err != nil {
		return nil, err
	}
	select {
	case reply = <-p.replies:
	case <-p.over:
		return nil, p.cause()
	case <-ctx.Done():
		return nil, fmt.Errorf("no reply: %w", ctx.Err())
	}
	if len(reply) < 2 || len(reply[0]) > 0 {
		return nil, errors.New("a reply without the empty frame before it")
	}
	return reply[1:], nil
}
