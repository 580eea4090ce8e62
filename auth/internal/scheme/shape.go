package scheme

import (
	"fmt"
	"strings"
)

// Shape is the form of a text that looks like a signature.
type Shape struct {
	Prefix string // "sha256="; at most 12 bytes
	Enc    Encoding
	Hash   Hash
}

// ReadShape reads the form of a text that ends in a digest of one of the
// hashes. Hex wins over base64, of which it is a special case.
func ReadShape(v string) (s Shape, ok bool) {
	for _, enc := range []Encoding{Hex, Base64, Base64URL} {
		for _, h := range []Hash{SHA256, SHA1, SHA512} {
			for _, n := range lengths(enc, h.Size()) {
				if len(v) < n {
					continue
				}
				s = Shape{Prefix: v[:len(v)-n], Enc: enc, Hash: h}
				sum := make([]byte, h.Size())
				if got, ok := enc.decode(sum, v[len(v)-n:]); ok && got == h.Size() && s.plainPrefix() {
					return s, true
				}
			}
		}
	}
	return Shape{}, false
}

// lengths are those of the text of size bytes.
func lengths(enc Encoding, size int) []int {
	switch enc {
	case Hex:
		return []int{2 * size}
	case Base64:
		return []int{stdB64.EncodedLen(size)}
	case Base64URL:
		return []int{urlB64.EncodedLen(size), rawURLB64.EncodedLen(size)}
	case Plain:
	}
	return nil
}

// plainPrefix: nothing, or a short word with what separates it from a value.
// Anything else could be the rest of a longer credential.
func (s Shape) plainPrefix() bool {
	if s.Prefix == "" {
		return true
	}
	word := strings.TrimRight(s.Prefix, "=:, ")
	if len(s.Prefix) > 12 || word == s.Prefix || word == "" {
		return false
	}
	return !strings.ContainsFunc(word, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	})
}

// String is "hex of 32 bytes (as SHA256 has) behind \"sha256=\"".
func (s Shape) String() string {
	text := fmt.Sprintf("%s of %d bytes (as %s has)", s.Enc.name(), s.Hash.Size(), strings.ToUpper(s.Hash.Name()))
	if s.Prefix != "" {
		text += fmt.Sprintf(" behind %q", s.Prefix)
	}
	return text
}
