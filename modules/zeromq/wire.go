package zeromq

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/go-zeromq/zmq4"
)

// ZMTP 3.0 (rfc.zeromq.org/spec/23). zmq4 has the greeting and writes frames.
// Reading is here: zmq4 makes room for whatever length a peer announces, and a
// stranger may be the peer of a socket that is bound.
const (
	flagMore    = 1
	flagLong    = 2
	flagCommand = 4

	maxReady  = 4 << 10 // bytes of the handshake's frame
	maxFrames = 64      // of a message from a peer
)

var errProtocol = errors.New("the peer does not speak ZMTP 3: does a ZeroMQ socket without encryption listen there?")

// message is what a peer says at once: a command, or frames.
type message struct {
	command string
	frames  [][]byte // of a command, one: its body
}

// readMessage reads one of at most limit bytes.
func readMessage(r io.Reader, limit int) (message, error) {
	var m message
	for {
		flags, body, err := readFrame(r, limit)
		if err != nil {
			return m, err
		}
		if flags&flagCommand != 0 {
			if len(m.frames) > 0 || flags&flagMore != 0 || len(body) == 0 || len(body) <= int(body[0]) {
				return m, errProtocol
			}
			n := int(body[0])
			return message{command: string(body[1 : 1+n]), frames: [][]byte{body[1+n:]}}, nil
		}
		m.frames = append(m.frames, body)
		if limit -= len(body); flags&flagMore == 0 {
			return m, nil
		}
		if len(m.frames) == maxFrames {
			return m, fmt.Errorf("the peer sent a message of more than %d frames", maxFrames)
		}
	}
}

func readFrame(r io.Reader, limit int) (flags byte, body []byte, err error) {
	var head [9]byte
	if _, err := io.ReadFull(r, head[:2]); err != nil {
		return 0, nil, err
	}
	flags = head[0]
	size := uint64(head[1])
	if flags&flagLong != 0 {
		if _, err := io.ReadFull(r, head[2:]); err != nil {
			return 0, nil, err
		}
		size = binary.BigEndian.Uint64(head[1:])
	}
	switch {
	case flags&^(flagMore|flagLong|flagCommand) != 0:
		return 0, nil, errProtocol
	case size > uint64(limit):
		return 0, nil, fmt.Errorf("the peer sent a message of more than %d bytes", limit)
	}
	body = make([]byte, size)
	_, err = io.ReadFull(r, body)
	return flags, body, err
}

// null is the NULL mechanism: no authentication and no encryption. It is here
// and not zmq4's because that one trusts the lengths in what the peer says.
type null struct{}

func (null) Type() zmq4.SecurityType                       { return zmq4.NullSecurity }
func (null) Encrypt(w io.Writer, data []byte) (int, error) { return w.Write(data) }
func (null) Decrypt(w io.Writer, data []byte) (int, error) { return w.Write(data) }

// Handshake tells the peer the type of this socket and hears that of its own.
func (null) Handshake(c *zmq4.Conn, _ bool) error {
	ours, err := c.Meta.MarshalZMTP()
	if err != nil {
		return err
	}
	if err := c.SendCmd(zmq4.CmdReady, ours); err != nil {
		return err
	}
	m, err := readMessage(readerOf{c}, maxReady)
	switch {
	case err != nil:
		return err
	case m.command == zmq4.CmdError:
		return fmt.Errorf("the peer refuses: %.100q", m.frames[0])
	case m.command != zmq4.CmdReady:
		return errProtocol
	}
	theirs, err := properties(m.frames[0])
	if err != nil {
		return err
	}
	kind := zmq4.SocketType(theirs["socket-type"])
	switch kind {
	case zmq4.Sub, zmq4.XSub, zmq4.Pull, zmq4.Rep, zmq4.Router, zmq4.Dealer, zmq4.Pub, zmq4.XPub, zmq4.Push, zmq4.Req, zmq4.Pair:
	default: // zmq4 panics at one that it does not know
		return fmt.Errorf("the peer's socket is of a type that is none: %.20q", string(kind))
	}
	c.Peer.Meta["Socket-Type"] = string(kind)
	return nil
}

// readerOf reads exactly what is asked for, which zmq4's Read does anyway.
type readerOf struct{ c *zmq4.Conn }

func (r readerOf) Read(p []byte) (int, error) { return r.c.Read(p) }

// properties are the metadata of a READY command, names in lower case.
func properties(b []byte) (map[string]string, error) {
	all := make(map[string]string)
	for len(b) > 0 {
		n := int(b[0])
		if len(b) < 1+n+4 {
			return nil, errProtocol
		}
		name, rest := strings.ToLower(string(b[1:1+n])), b[1+n:]
		size := binary.BigEndian.Uint32(rest)
		if rest = rest[4:]; uint64(len(rest)) < uint64(size) {
			return nil, errProtocol
		}
		all[name], b = string(rest[:size]), rest[size:]
	}
	return all, nil
}

// wire is a connection whose writes are gathered until they are flushed; while
// hands are shaken, until the peer's turn.
type wire struct {
	net.Conn
	out    *bufio.Writer
	shaken bool
}

func (w *wire) Write(b []byte) (int, error) { return w.out.Write(b) }

func (w *wire) Read(b []byte) (int, error) {
	if !w.shaken {
		if err := w.out.Flush(); err != nil {
			return 0, err
		}
	}
	return w.Conn.Read(b)
}

// shake greets the peer.
func shake(raw net.Conn, kind Kind, server bool) (*wire, *zmq4.Conn, error) {
	w := &wire{Conn: raw, out: bufio.NewWriterSize(raw, 64<<10)}
	c, err := zmq4.Open(w, null{}, zmq4.SocketType(kind), nil, server, nil)
	if err != nil {
		return nil, nil, err
	}
	w.shaken = true
	return w, c, nil
}

// subscription is what a subscriber asks for: ZMTP 3.0 has a frame for it, 3.1 a
// command.
func subscription(m message) (topic string, on, ok bool) {
	switch {
	case m.command == zmq4.CmdSubscribe:
		return string(m.frames[0]), true, true
	case m.command == zmq4.CmdCancel:
		return string(m.frames[0]), false, true
	case m.command != "" || len(m.frames) != 1 || len(m.frames[0]) == 0 || m.frames[0][0] > 1:
		return "", false, false
	}
	return string(m.frames[0][1:]), bytes.HasPrefix(m.frames[0], []byte{1}), true
}
