package mqtt

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

const (
	// writeStall is how long a connection may take nothing of what is written.
	writeStall = 20 * time.Second
	// writeChunk is what must get through in that time, in bytes.
	writeChunk = 64 << 10
)

var (
	errStranger = errors.New("the answer is not MQTT: does an MQTT broker listen there, and without TLS?")
	errGivenUp  = errors.New("given up: no answer to a ping, or one that is not MQTT")
	errEnded    = errors.New("the connection has ended")
)

// wire is the connection below the client. The library hides when a packet is on
// its way and when the connection is lost; the wire knows both.
type wire struct {
	net.Conn
	raw net.Conn // below TLS

	writing sync.Mutex
	turn    chan struct{}          // held from before a publish until its packet is written
	written atomic.Pointer[func()] // gives the turn back

	greeting []byte // the first bytes of the other side

	gone     chan struct{} // closed when the connection is lost or closed
	once     sync.Once
	why      error // of the loss, once gone is closed
	farewell atomic.Bool
}

func newWire(raw, conn net.Conn) *wire {
	return &wire{Conn: conn, raw: raw, turn: make(chan struct{}, 1), gone: make(chan struct{})}
}

// end notes why the connection is over and ends it. The first reason counts.
func (w *wire) end(why error) {
	w.once.Do(func() {
		w.why = why
		close(w.gone)
	})
	_ = w.raw.Close()
}

// over reports whether the connection is over.
func (w *wire) over() bool {
	select {
	case <-w.gone:
		return true
	default:
		return false
	}
}

// Read never returns net.ErrClosed: the library takes that for its own doing and
// goes on as if it were connected.
func (w *wire) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	if err == nil {
		err = w.greet(b[:n])
	}
	switch {
	case errors.Is(err, net.ErrClosed):
		err = errEnded
	case err == nil:
		return n, nil
	}
	w.end(err)
	return n, err
}

// greet looks at the first packet, which is a CONNACK of two bytes with a return
// code that MQTT 3.1.1 knows (section 3.2). The library takes any other code for
// a yes, and waits for the rest of a packet where there is none.
func (w *wire) greet(b []byte) error {
	if len(w.greeting) == 4 {
		return nil
	}
	w.greeting = append(w.greeting, b[:min(len(b), 4-len(w.greeting))]...)
	for i, most := range []byte{packets.Connack << 4, 2, 1, packets.ErrRefusedNotAuthorised} {
		if i < len(w.greeting) && (w.greeting[i] > most || i < 2 && w.greeting[i] != most) {
			return errStranger
		}
	}
	return nil
}

// Write writes one packet. It has as much time as it needs, as long as some of
// it gets through.
func (w *wire) Write(b []byte) (n int, err error) {
	w.writing.Lock()
	defer w.writing.Unlock()
	if free := w.written.Load(); free != nil && b[0]>>4 == packets.Publish {
		defer (*free)()
	}
	for n < len(b) && err == nil {
		if err = w.Conn.SetWriteDeadline(time.Now().Add(writeStall)); err != nil {
			break
		}
		var m int
		m, err = w.Conn.Write(b[n:min(len(b), n+writeChunk)])
		n += m
	}
	if err != nil {
		w.end(w.alert(err))
	}
	return n, err
}

// alert is why a broker that has not even answered closed the connection: it
// says so by TLS, before the write fails.
func (w *wire) alert(err error) error {
	if len(w.greeting) > 0 || w.raw == w.Conn {
		return err
	}
	if _, e := w.Conn.Read(make([]byte, 1)); e != nil && !errors.Is(e, io.EOF) {
		return e
	}
	return err
}

// SetWriteDeadline does nothing: Write has its own.
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

// Close says farewell where there is TLS. The library closes a connection whose
// pings are not answered or whose packets it cannot read, and those that hookd
// closes.
func (w *wire) Close() error {
	if w.farewell.Load() {
		_ = w.Conn.Close()
	}
	w.end(errGivenUp)
	return nil
}
