package pebble

import (
	"encoding/binary"
	"fmt"
	"time"
)

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendTime(b []byte, t time.Time) []byte {
	b = binary.AppendVarint(b, t.Unix())
	return binary.AppendUvarint(b, uint64(t.Nanosecond())) // #nosec G115 -- 0 to 999999999
}

// reader takes a value apart. It never panics and never allocates more than
// the value is long; what is damaged turns up once, at the end.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.bad = true
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *reader) version() {
	if r.byte() != version {
		r.bad = true
	}
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

// count reads a number of at most limit.
func (r *reader) count(limit int) int {
	v := r.uvarint()
	if v > uint64(max(limit, 0)) {
		r.bad, r.b = true, nil
		return 0
	}
	return int(v) // #nosec G115 -- at most limit
}

func (r *reader) bytes() []byte {
	n := r.count(len(r.b))
	if n > len(r.b) { // the length itself took some
		r.bad, r.b = true, nil
		return nil
	}
	p := r.b[:n]
	r.b = r.b[n:]
	return p
}

func (r *reader) text() string { return string(r.bytes()) }

func (r *reader) time() time.Time {
	s, n := binary.Varint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return time.Time{}
	}
	r.b = r.b[n:]
	return time.Unix(s, int64(r.count(999_999_999))).UTC()
}

func (r *reader) err(what string) error {
	if r.bad {
		return fmt.Errorf("%s: %w", what, errRecord)
	}
	return nil
}

// end is err, and refuses what is left over.
func (r *reader) end(what string) error {
	r.bad = r.bad || len(r.b) > 0
	return r.err(what)
}
