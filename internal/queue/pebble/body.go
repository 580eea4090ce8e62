package pebble

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/klauspost/compress/s2"
)

// The first byte of a b value says how the rest is packed.
const (
	bodyRaw = 'r'
	bodyS2  = 's'
)

// packFrom is the length from which a body is worth the try.
const packFrom = 128

// maxBody bounds what a damaged length can make unpackBody allocate.
const maxBody = 1 << 30

// appendBody packs a body into dst[:0]. What S2 does not make an eighth
// shorter is stored as it is: reading it back then costs nothing.
func appendBody(dst, body []byte) []byte {
	if len(body) >= packFrom {
		dst = slices.Grow(dst[:0], 1+s2.MaxEncodedLen(len(body)))
		dst = append(dst, bodyS2)
		packed := s2.Encode(dst[1:cap(dst)], body)
		if len(packed) < len(body)-len(body)/8 {
			return dst[:1+len(packed)]
		}
	}
	return append(append(dst[:0], bodyRaw), body...)
}

// unpackBody returns a copy of the body, which must be size bytes long.
func unpackBody(v []byte, size int) ([]byte, error) {
	if len(v) == 0 {
		return nil, fmt.Errorf("body: %w", errRecord)
	}
	switch v[0] {
	case bodyRaw:
		if len(v)-1 == size {
			return bytes.Clone(v[1:]), nil
		}
	case bodyS2:
		if n, err := s2.DecodedLen(v[1:]); err == nil && n == size && n <= maxBody {
			if body, err := s2.Decode(make([]byte, size), v[1:]); err == nil {
				return body, nil
			}
		}
	}
	return nil, fmt.Errorf("body: %w", errRecord)
}
