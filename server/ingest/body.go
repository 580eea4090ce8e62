package ingest

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/hookd/hookd/auth"
)

const (
	startBuffer = 8 << 10   // what a call keeps at least
	keepBuffer  = 128 << 10 // larger buffers are not pooled
	trustLength = 64 << 10  // a declared length is allocated at once up to here; beyond it counts what came
)

// call is one request on its way. Calls are pooled with their buffers, so that
// a flood of refused requests leaves no garbage behind.
type call struct {
	gate    *Gate
	req     *Request
	hook    *Hook  // nil until it is found
	release func() // of the hook
	proof   auth.Request

	raw      []byte // the pooled buffer that the request is read into
	body     []byte // what is checked and stored: raw, or decoded from it
	decoded  bool   // body is not raw
	given    bool   // raw became the event's
	reserved int64  // of Gate.buffered
	typ      string // of the event, for the record

	kept    bool      // a proof refused it: it goes to the quarantine
	again   bool      // it was refused before; see Retry
	how     Again     // of a retry
	started time.Time // of a retry
}

var calls = sync.Pool{New: func() any { return &call{raw: make([]byte, 0, startBuffer)} }}

// end gives everything back.
func (c *call) end() {
	if c.release != nil {
		c.release()
	}
	if c.reserved != 0 {
		c.gate.buffered.Add(-c.reserved)
	}
	raw := c.raw
	if c.given || cap(raw) > keepBuffer {
		raw = make([]byte, 0, startBuffer)
	}
	*c = call{raw: raw[:0]}
	calls.Put(c)
}

func (c *call) maxBody() int64 {
	if c.hook.Body.Max > 0 {
		return c.hook.Body.Max
	}
	return DefaultMaxBody
}

// readBody reads the body whole, and never more than one byte over the limit.
// A declared length over it is refused without a read.
func (c *call) readBody() error {
	limit, size := c.maxBody(), c.req.Length
	if size > limit {
		return tooLarge
	}
	if size >= int64(cap(c.raw)) { // one to spare, to see the end
		if err := c.grow(min(size, trustLength) + 1); err != nil {
			return err
		}
	}
	for c.req.Body != nil {
		if len(c.raw) == cap(c.raw) {
			n := min(2*int64(cap(c.raw)), limit+1)
			if size >= int64(cap(c.raw)) {
				n = min(n, size+1)
			}
			if err := c.grow(n); err != nil {
				return err
			}
		}
		n, err := c.req.Body.Read(c.raw[len(c.raw):cap(c.raw)])
		c.raw = c.raw[:len(c.raw)+n]
		if int64(len(c.raw)) > limit {
			return tooLarge
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return unreadable(err)
		}
	}
	c.body, c.proof.Body = c.raw, c.raw
	return nil
}

// grow moves raw to a buffer of n bytes, which count against what all requests
// may hold together.
func (c *call) grow(n int64) error {
	if err := c.reserve(n - int64(cap(c.raw))); err != nil {
		return err
	}
	c.raw = append(make([]byte, 0, n), c.raw...)
	return nil
}

func (c *call) reserve(n int64) error {
	limit := c.gate.MaxBuffered
	if limit == 0 {
		limit = DefaultMaxBuffered
	}
	c.reserved += n
	if c.gate.buffered.Add(n) > limit {
		return overloaded
	}
	return nil
}

// keepBody returns the body for the event to keep. A large buffer is handed
// over; a small one is copied unless the queue gives it back, and goes to the
// pool again.
func (c *call) keepBody() []byte {
	if c.decoded {
		return c.body
	}
	if q, ok := c.gate.Queue.(bodyReturner); ok && q.ReturnsBody() {
		return c.body
	}
	if cap(c.raw) > keepBuffer && cap(c.raw)-len(c.raw) < len(c.raw)/2 {
		c.given = true
		return c.body
	}
	return append(make([]byte, 0, len(c.body)), c.body...)
}

// unreadable tells a sender that was too slow from one that broke off or sent
// no valid chunks.
func unreadable(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &Refusal{Status: http.StatusRequestTimeout, Code: "body_timeout", Public: "Request body did not arrive in time", Err: err}
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return tooLarge
	}
	return &Refusal{Status: http.StatusBadRequest, Code: "unreadable_body", Public: "Request body could not be read", Err: err}
}

// first is Header.Get for a canonical name.
func first(h http.Header, name string) string {
	if v := h[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

var overloaded = &Refusal{
	Status: http.StatusServiceUnavailable, Code: "overloaded",
	Public: "Service is busy", RetryAfter: time.Second,
}
