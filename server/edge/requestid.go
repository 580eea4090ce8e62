package edge

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"sync/atomic"
)

// requestIDHeader tells the caller the id that the log has.
const requestIDHeader = "X-Request-Id"

// requestIDs makes ids that are unique among all processes for practical
// purposes: 32 random bits of this one and a counter. They are not secret.
type requestIDs struct {
	prefix [8]byte
	count  *atomic.Uint32
}

func newRequestIDs() requestIDs {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	r := requestIDs{count: new(atomic.Uint32)}
	hex.Encode(r.prefix[:], b[:])
	return r
}

// next returns an id as the value of a header.
func (r *requestIDs) next() []string {
	var text [17]byte
	var n [4]byte
	binary.BigEndian.PutUint32(n[:], r.count.Add(1))
	copy(text[:], r.prefix[:])
	text[8] = '-'
	hex.Encode(text[9:], n[:])
	return []string{string(text[:])}
}
