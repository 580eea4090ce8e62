package pebble

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
)

// version is the first byte of every value but the format record's.
const version = 1

var errRecord = errors.New("damaged record")

// meta is the value of an e key: the event without its body.
type meta struct {
	event event.Event // Header is nil where it was not asked for
	size  int         // of the body
	lanes []uint32    // of the Put
}

// appendMeta writes: size, received (seconds, nanoseconds), hook, type,
// remote, subject, query, lanes, headers. Numbers are varints, texts have
// their length before them; the count of headers is one more, 0 being nil.
func appendMeta(b []byte, e *event.Event, lanes []uint32) []byte {
	b = append(b, version)
	b = binary.AppendUvarint(b, uint64(len(e.Body)))
	b = appendTime(b, e.Received)
	b = appendText(b, e.Hook)
	b = appendText(b, e.Type)
	remote, err := e.Remote.AppendBinary(nil)
	if err != nil {
		remote = nil
	}
	b = appendText(b, string(remote))
	b = appendText(b, e.Subject)
	b = appendText(b, e.Query)
	b = binary.AppendUvarint(b, uint64(len(lanes)))
	for _, l := range lanes {
		b = binary.AppendUvarint(b, uint64(l))
	}
	if e.Header == nil {
		return append(b, 0)
	}
	b = binary.AppendUvarint(b, uint64(len(e.Header))+1)
	for k, vs := range e.Header {
		b = appendText(b, k)
		b = binary.AppendUvarint(b, uint64(len(vs)))
		for _, v := range vs {
			b = appendText(b, v)
		}
	}
	return b
}

func decodeMeta(b []byte, headers bool) (m meta, err error) {
	r := reader{b: b}
	r.version()
	m.size = r.count(1 << 40)
	m.event.Received = r.time()
	m.event.Hook, m.event.Type = r.text(), r.text()
	if remote := r.bytes(); len(remote) > 0 {
		var a netip.Addr
		if a.UnmarshalBinary(remote) != nil {
			r.bad = true
		}
		m.event.Remote = a
	}
	m.event.Subject, m.event.Query = r.text(), r.text()
	m.lanes = make([]uint32, 0, r.count(len(r.b)))
	for range cap(m.lanes) {
		m.lanes = append(m.lanes, uint32(r.count(1<<32-1))) // #nosec G115 -- bounded
	}
	if !headers || r.bad {
		return m, r.err("event")
	}
	if n := r.count(len(r.b) + 1); n > 0 {
		m.event.Header = make(http.Header, min(n-1, 64))
		for range n - 1 {
			k := r.text()
			vs := make([]string, r.count(len(r.b)))
			for i := range vs {
				vs[i] = r.text()
			}
			m.event.Header[k] = vs
		}
	}
	return m, r.end("event")
}

// state is the value of an h key: what became of a delivery after its Put.
type state struct {
	status   queue.Status // pending stands for owed by a d key
	purged   bool         // dead, and no longer in the dead letters
	attempts int
	updated  time.Time
	due      uint64 // of the d key, while it is owed
	code     string
	note     string
}

var statusCode = [...]queue.Status{1: queue.StatusPending, 2: queue.StatusDelivered, 3: queue.StatusFiltered, 4: queue.StatusDead}

func (s state) owed() bool { return s.status == queue.StatusPending }
func (s state) dead() bool { return s.status == queue.StatusDead && !s.purged }

func encodeState(s state) []byte {
	code := byte(0)
	for i, st := range statusCode {
		if st == s.status {
			code = byte(i)
		}
	}
	if s.purged {
		code |= 0x80
	}
	b := append(make([]byte, 0, 32+len(s.code)+len(s.note)), version, code)
	b = binary.AppendUvarint(b, uint64(max(s.attempts, 0)))
	b = appendTime(b, s.updated)
	b = binary.AppendUvarint(b, s.due)
	b = appendText(b, s.code)
	return appendText(b, s.note)
}

func decodeState(b []byte) (s state, err error) {
	r := reader{b: b}
	r.version()
	code := r.byte()
	s.purged = code&0x80 != 0
	if code &= 0x7f; code == 0 || int(code) >= len(statusCode) {
		r.bad = true
	} else {
		s.status = statusCode[code]
	}
	s.attempts = r.count(1 << 31)
	s.updated = r.time()
	s.due = r.uvarint()
	s.code, s.note = r.text(), r.text()
	return s, r.end("delivery")
}

// dupe is the value of a k key.
type dupe struct {
	id      event.ID
	expires uint64
}

func appendDupe(b []byte, d dupe) []byte {
	b = append(b, version)
	b = append(b, d.id[:]...)
	return binary.BigEndian.AppendUint64(b, d.expires)
}

func decodeDupe(b []byte) (d dupe, err error) {
	if len(b) != 1+idLen+8 || b[0] != version {
		return d, fmt.Errorf("dedupe key: %w", errRecord)
	}
	copy(d.id[:], b[1:])
	d.expires = binary.BigEndian.Uint64(b[1+idLen:])
	return d, nil
}

// decodeAttempts reads the value of a d key.
func decodeAttempts(b []byte) (int, error) {
	r := reader{b: b}
	r.version()
	n := r.count(1 << 31)
	return n, r.end("retry")
}

func encodeAttempts(n int) []byte {
	return binary.AppendUvarint([]byte{version}, uint64(max(n, 0)))
}
