package payload

import (
	"encoding/binary"
	"math/bits"
	"strconv"
	"unicode/utf8"

	"github.com/hookd/hookd/server/ingest"
)

var (
	malformed = bad("malformed_json", "Malformed JSON payload")
	notUTF8   = bad("invalid_utf8", "Payload is not valid UTF-8")
)

// limits are those of one hook's bodies; zero fields are the constants.
type limits struct{ depth, text int }

func (l limits) tooDeep() *ingest.Refusal {
	return bad("too_deep", "JSON is nested deeper than "+strconv.Itoa(l.depth)+" levels")
}

func (l limits) tooLong() *ingest.Refusal {
	return bad("string_too_long", "A JSON string or key is longer than "+strconv.Itoa(l.text)+" characters")
}

// CheckJSON reports what is wrong with b as one JSON text (RFC 8259), as an
// *ingest.Refusal: nesting over MaxDepth, strings over MaxString, invalid
// UTF-8, and whatever encoding/json.Valid refuses. It reads b once and builds
// nothing.
//
// Where the RFC leaves a choice: a byte order mark is refused, as by the
// original service and by most of those who read the body later; duplicate
// keys, lone surrogate escapes and numbers of any size are accepted, for they
// are delivered as they came.
//
// The vector code of bytedance/sonic is not used here: Valid of v1.15.5 accepts
// raw control characters and unknown escapes in strings, and a pass that makes
// up for it is this one.
func CheckJSON(b []byte) error { return checkJSON(b, limits{MaxDepth, MaxString}) }

func checkJSON(b []byte, l limits) error {
	s := scanner{b: b, limits: l}
	s.space()
	if r := s.value(0); r != nil {
		return r
	}
	if s.space(); s.i != len(b) {
		return malformed
	}
	if s.high != 0 && !utf8.Valid(b) {
		return notUTF8
	}
	return nil
}

// scanner stands at b[i]. Its methods read one thing and stop behind it.
type scanner struct {
	b    []byte
	i    int
	high uint64 // or of what is in strings: tells whether there is non-ASCII
	limits
}

// space is small enough to be inlined: most tokens have no space before them.
func (s *scanner) space() {
	if s.i < len(s.b) && s.b[s.i] <= ' ' {
		s.spaces()
	}
}

func (s *scanner) spaces() {
	i := s.i
	for i < len(s.b) && (s.b[i] == ' ' || s.b[i] == '\n' || s.b[i] == '\r' || s.b[i] == '\t') {
		i++
	}
	s.i = i
}

// peek returns the byte at hand, or 0, which is never part of JSON, at the end.
func (s *scanner) peek() byte {
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

func (s *scanner) value(depth int) *ingest.Refusal {
	switch c := s.peek(); {
	case c == '"':
		return s.str()
	case c == '{':
		return s.object(depth + 1)
	case c == '[':
		return s.array(depth + 1)
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	case c == 't':
		return s.word("true")
	case c == 'f':
		return s.word("false")
	case c == 'n':
		return s.word("null")
	}
	return malformed
}

func (s *scanner) object(depth int) *ingest.Refusal {
	if depth > s.depth {
		return s.tooDeep()
	}
	s.i++
	if s.space(); s.peek() == '}' {
		s.i++
		return nil
	}
	for {
		if s.peek() != '"' {
			return malformed
		}
		if r := s.str(); r != nil {
			return r
		}
		if s.space(); s.peek() != ':' {
			return malformed
		}
		s.i++
		s.space()
		if r := s.value(depth); r != nil {
			return r
		}
		s.space()
		switch s.peek() {
		case ',':
			s.i++
			s.space()
		case '}':
			s.i++
			return nil
		default:
			return malformed
		}
	}
}

func (s *scanner) array(depth int) *ingest.Refusal {
	if depth > s.depth {
		return s.tooDeep()
	}
	s.i++
	if s.space(); s.peek() == ']' {
		s.i++
		return nil
	}
	for {
		if r := s.value(depth); r != nil {
			return r
		}
		s.space()
		switch s.peek() {
		case ',':
			s.i++
			s.space()
		case ']':
			s.i++
			return nil
		default:
			return malformed
		}
	}
}

func (s *scanner) word(w string) *ingest.Refusal {
	if len(s.b)-s.i < len(w) || string(s.b[s.i:s.i+len(w)]) != w {
		return malformed
	}
	s.i += len(w)
	return nil
}

func (s *scanner) number() *ingest.Refusal {
	if s.b[s.i] == '-' {
		s.i++
	}
	if s.peek() == '0' {
		s.i++
	} else if !s.digits() {
		return malformed
	}
	if s.peek() == '.' {
		if s.i++; !s.digits() {
			return malformed
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.i++
		if c := s.peek(); c == '+' || c == '-' {
			s.i++
		}
		if !s.digits() {
			return malformed
		}
	}
	return nil
}

func (s *scanner) digits() bool {
	i := s.i
	for i < len(s.b) && s.b[i]-'0' <= 9 {
		i++
	}
	some := i > s.i
	s.i = i
	return some
}

const (
	each  = 0x0101010101010101
	highs = 0x8080808080808080
)

// str reads a string, eight bytes at a time where none of them ends it, starts
// an escape or is a control character.
func (s *scanner) str() *ingest.Refusal {
	b, i := s.b, s.i+1
	for {
		for len(b)-i >= 8 {
			x := binary.LittleEndian.Uint64(b[i:])
			s.high |= x
			quote, slash := x^(each*'"'), x^(each*'\\')
			// A byte that is zero, or for the third less than a space, gets its
			// high bit set; the lowest such bit is never wrong.
			stop := ((quote-each)&^quote | (slash-each)&^slash | (x-each*' ')&^x) & highs
			if stop != 0 {
				i += bits.TrailingZeros64(stop) / 8
				break
			}
			i += 8
		}
		if i >= len(b) {
			return malformed
		}
		switch c := b[i]; {
		case c == '"':
			start := s.i + 1
			s.i = i + 1
			if i-start > s.text && characters(b[start:i]) > s.text {
				return s.tooLong()
			}
			return nil
		case c == '\\':
			n := escape(b[i+1:])
			if n == 0 {
				return malformed
			}
			i += 1 + n
		case c < ' ':
			return malformed
		default:
			s.high |= uint64(c)
			i++
		}
	}
}

// escape returns the length of the escape behind a backslash, 0 if it is none.
func escape(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	switch b[0] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 1
	case 'u':
		if len(b) >= 5 && isHex(b[1]) && isHex(b[2]) && isHex(b[3]) && isHex(b[4]) {
			return 5
		}
	}
	return 0
}

func isHex(c byte) bool { return c-'0' <= 9 || c|0x20-'a' <= 5 }

// characters counts the code points of a JSON string that is well formed: an
// escape is one, a surrogate pair too.
func characters(s []byte) int {
	n := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && s[i+1] == 'u':
			if s[i+2]|0x20 != 'd' || s[i+3]|0x20 < 'c' { // the second of a pair is not counted
				n++
			}
			i += 5
		case c == '\\':
			n++
			i++
		case utf8.RuneStart(c):
			n++
		}
	}
	return n
}
