package activemq

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/go-stomp/stomp/v3/frame"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

const (
	// maxFrame bounds what a broker may say at once, in bytes.
	maxFrame = 1 << 20
	// afterError is how long a session stays open after an ERROR: receipts for
	// what the broker did take may still come.
	afterError = 500 * time.Millisecond
	// afterHead is how long a large body waits for a broker that refuses it.
	afterHead   = 500 * time.Millisecond
	writeBuffer = 64 << 10
)

// session is one STOMP connection. One send has it for itself, so that an ERROR
// on it belongs to that send. It never heals. The frames are go-stomp's; its
// connection is not used, for it waits for one receipt at a time, and hangs
// after an ERROR.
type session struct {
	raw  net.Conn // below TLS
	in   *input
	out  *bufio.Writer
	over chan struct{} // closed at its end

	writing sync.Mutex
	frames  *frame.Writer

	mu      sync.Mutex
	last    int // number of the last receipt that was asked for
	waiting map[string]*receipt
	fault   *fault // the first ERROR
	why     error  // of its end
}

// receipt is one that was asked for.
type receipt struct {
	id   string
	done chan struct{}
	err  error // after done: nil, the *fault that names it, or why the session ended
}

// openSession connects and logs in.
func (k *client) openSession(ctx context.Context) (*session, error) {
	cfg, err := k.config.TLS.Client(k.config.host())
	if err != nil {
		return nil, k.openFailure(ctx, modules.Retry(modules.CodeTLS, err))
	}
	raw, conn, err := link.Dial(ctx, k.env, k.addr, cfg)
	if err != nil {
		return nil, k.openFailure(ctx, err)
	}
	s := &session{raw: raw, in: &input{conn: conn}, out: bufio.NewWriterSize(conn, writeBuffer), over: make(chan struct{}), waiting: make(map[string]*receipt)}
	// The library flushes after each frame; many shall go out at once.
	s.frames = frame.NewWriter(struct{ io.Writer }{s.out})
	reader := frame.NewReader(s.in)
	var beat time.Duration
	err = link.Bounded(ctx, s.cut, func() error {
		if err := s.write(k.greeting()); err != nil {
			return err
		}
		answer, err := s.in.next(reader)
		if err != nil {
			return err
		}
		beat, err = k.greeted(s, answer)
		return err
	})
	if err != nil {
		s.cut()
		return nil, k.openFailure(ctx, err)
	}
	k.work.Go(func() { s.read(reader) })
	if beat > 0 {
		k.work.Go(func() { s.beat(beat) })
	}
	return s, nil
}

// greeting is the CONNECT frame. Version 1.2 is the one that can carry every
// header value; brokers have it since 2013.
func (k *client) greeting() *frame.Frame {
	beat := strconv.FormatInt(k.config.Heartbeat.Milliseconds(), 10)
	f := frame.New(frame.CONNECT,
		frame.AcceptVersion, "1.2",
		frame.Host, k.config.vhost(),
		frame.HeartBeat, beat+","+beat,
	)
	if k.config.User != "" {
		f.Header.Add(frame.Login, k.config.User)
	}
	if !k.config.Password.IsZero() {
		f.Header.Add(frame.Passcode, k.config.Password.Reveal())
	}
	return f
}

var errStranger = errors.New("it does not answer as a broker with STOMP 1.2 does: does one listen there, and with the same setting of tls?")

// greeted looks at the answer to the greeting, and returns how often to give a
// sign of life; 0 is never.
func (k *client) greeted(s *session, answer *frame.Frame) (time.Duration, error) {
	switch {
	case answer == nil:
		return 0, errStranger
	case answer.Command == frame.ERROR:
		return 0, newFault(answer)
	case answer.Command != frame.CONNECTED:
		return 0, errStranger
	case answer.Header.Get(frame.Version) != "1.2":
		return 0, fmt.Errorf("%w (it speaks version %q)", errStranger, clip(answer.Header.Get(frame.Version)))
	}
	gives, wants := time.Duration(0), time.Duration(0)
	if text, ok := answer.Header.Contains(frame.HeartBeat); ok {
		var err error
		if gives, wants, err = frame.ParseHeartBeat(text); err != nil {
			return 0, errStranger
		}
	}
	if gives > 0 {
		s.in.patience = max(gives, k.config.Heartbeat) * 5 / 2
	}
	if wants > 0 {
		wants = max(wants, k.config.Heartbeat)
	}
	return wants, nil
}

// write writes a frame, nil for a sign of life, and flushes.
func (s *session) write(fs ...*frame.Frame) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	for _, f := range fs {
		if err := s.frames.Write(f); err != nil {
			return err
		}
	}
	return s.out.Flush()
}

// writeSlowly writes a frame, with a pause before a large body in which the
// broker may refuse it.
func (s *session) writeSlowly(ctx context.Context, f *frame.Frame, r *receipt) error {
	if len(f.Body) <= largeBody {
		return s.write(f)
	}
	head, body := *f, f.Body
	head.Body = nil
	s.writing.Lock()
	defer s.writing.Unlock()
	var buf bytes.Buffer
	if err := frame.NewWriter(&buf).Write(&head); err != nil {
		return err
	}
	end := buf.Len() - 1 // the byte that ends a frame
	if _, err := s.out.Write(buf.Bytes()[:end]); err != nil {
		return err
	}
	if err := s.out.Flush(); err != nil {
		return err
	}
	pause := time.NewTimer(afterHead)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-r.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
	if _, err := s.out.Write(body); err != nil {
		return err
	}
	if _, err := s.out.Write(buf.Bytes()[end:]); err != nil {
		return err
	}
	return s.out.Flush()
}

// failing is called when a write failed. It may be that the broker has said why,
// and the reader is about to.
func (s *session) failing(err error) {
	time.AfterFunc(afterError, func() { s.end(err) })
}

// beat gives signs of life. A write that hangs ends with the session.
func (s *session) beat(every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := s.write(nil); err != nil {
				s.end(err)
			}
		case <-s.over:
			return
		}
	}
}

// read takes in what the broker says until the session ends.
func (s *session) read(r *frame.Reader) {
	for {
		f, err := s.in.next(r)
		switch {
		case err != nil:
			s.end(err)
			return
		case f == nil: // a sign of life
		case f.Command == frame.RECEIPT:
			s.settle(f.Header.Get(frame.ReceiptId), nil)
		case f.Command == frame.ERROR:
			s.refused(newFault(f))
		}
	}
}

// ask asks for a receipt.
func (s *session) ask(f *frame.Frame) *receipt {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	r := &receipt{id: strconv.Itoa(s.last), done: make(chan struct{})}
	f.Header.Add(frame.Receipt, r.id)
	if s.why != nil {
		r.err = s.why
		close(r.done)
		return r
	}
	s.waiting[r.id] = r
	return r
}

func (s *session) settle(id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.waiting[id]; r != nil {
		delete(s.waiting, id)
		r.err = err
		close(r.done)
	}
}

func (s *session) refused(f *fault) {
	s.mu.Lock()
	if s.fault == nil {
		s.fault = f
		time.AfterFunc(afterError, func() { s.end(f) })
	}
	id := f.receipt
	if len(s.waiting) == 1 {
		for id = range s.waiting { // it can be about nothing else
		}
	}
	s.mu.Unlock()
	s.settle(id, f)
}

// end is the end of the session; what was asked for and did not come has why.
func (s *session) end(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.why == nil {
		s.why = why
		close(s.over)
		for _, r := range s.waiting {
			r.err = why
			close(r.done)
		}
		clear(s.waiting)
	}
	s.cut()
}

// cut ends everything at once; the reader notices.
func (s *session) cut() { _ = s.raw.Close() }

// state is the ERROR, if one came, and why the session is of no more use; nil
// while it is.
func (s *session) state() (f *fault, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.fault != nil:
		return s.fault, s.fault
	case s.why != nil:
		return nil, s.why
	case len(s.waiting) > 0:
		return nil, errors.New("receipts are owed")
	}
	return nil, nil
}

// input reads from a broker that may be silent, or say too much.
type input struct {
	conn     net.Conn
	patience time.Duration // with silence; 0 is endless
	left     int           // bytes of this frame
}

func (i *input) next(r *frame.Reader) (*frame.Frame, error) {
	i.left = maxFrame
	f, err := r.Read()
	if errors.Is(err, io.EOF) {
		err = errors.New("the broker closed the connection")
	}
	return f, err
}

func (i *input) Read(b []byte) (int, error) {
	if i.patience > 0 {
		_ = i.conn.SetReadDeadline(time.Now().Add(i.patience))
	}
	if i.left <= 0 {
		return 0, fmt.Errorf("it sent a frame of more than %d bytes", maxFrame)
	}
	n, err := i.conn.Read(b[:min(len(b), i.left)])
	i.left -= n
	return n, err
}
