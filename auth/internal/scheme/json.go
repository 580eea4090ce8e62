package scheme

import (
	"encoding/json"
	"errors"
	"math/bits"
	"strconv"
	"strings"
)

// jsonPath is the members and indexes from the top to a value.
type jsonPath []jsonStep

type jsonStep struct {
	name  string
	index int // -1 where name is no index
}

func parsePath(text string) jsonPath {
	var p jsonPath
	for name := range strings.SplitSeq(text, ".") {
		index, err := strconv.Atoi(name)
		if err != nil || index < 0 {
			index = -1
		}
		p = append(p, jsonStep{name, index})
	}
	return p
}

var (
	errJSON = errors.New("the body is not JSON")
	// ErrDuplicate is returned for a member on the way to a value that is there
	// twice: parsers differ in which of them they take, so none is right.
	ErrDuplicate = errors.New("a JSON member that is read comes twice")
)

// findJSON reads the scalars at paths (at most 32) in one pass, without a tree:
// strings unescaped, numbers and booleans as they are written; null, objects
// and arrays are as if absent. What lies beside the paths is skipped, not
// checked. out may be nil to look for duplicates only.
func findJSON(body []byte, paths []jsonPath, out []string) error {
	if len(paths) == 0 {
		return nil
	}
	s := scanner{b: body, paths: paths, out: out}
	return s.value(1<<len(paths)-1, 0)
}

// span is where a value is: from the first byte to the one after the last. The
// zero value is nowhere.
type span struct{ from, to int }

// locateJSON finds the value at path, of whichever type. A member on the way
// whose name differs in case only is an ErrDuplicate, too: parsers differ in
// whether they take it.
func locateJSON(body []byte, path jsonPath) (span, error) {
	var at [1]span
	s := scanner{b: body, paths: []jsonPath{path}, spans: at[:], fold: true}
	err := s.value(1, 0)
	return at[0], err
}

type scanner struct {
	b     []byte
	i     int
	paths []jsonPath
	out   []string
	spans []span
	fold  bool
}

// value reads one value. active are the paths whose first level steps led here.
// The recursion is as deep as the longest path: what no path leads to is
// skipped, and skip does not recurse.
func (s *scanner) value(active uint32, level int) error {
	c := s.peek()
	start := s.i
	switch {
	case active == 0:
		return s.skip()
	case c == '{':
		err := s.object(active, level)
		s.located(active, level, start)
		return err
	case c == '[':
		err := s.array(active, level)
		s.located(active, level, start)
		return err
	}
	if err := s.skip(); err != nil {
		return err
	}
	s.located(active, level, start)
	for m := active; m != 0; m &= m - 1 {
		i := bits.TrailingZeros32(m)
		if len(s.paths[i]) != level || s.out == nil {
			continue
		}
		text, err := scalar(s.b[start:s.i])
		if err != nil {
			return err
		}
		s.out[i] = text
	}
	return nil
}

// located notes where the value that was just read is, for the paths that end
// there.
func (s *scanner) located(active uint32, level, start int) {
	if s.spans == nil {
		return
	}
	for m := active; m != 0; m &= m - 1 {
		if i := bits.TrailingZeros32(m); len(s.paths[i]) == level {
			s.spans[i] = span{start, s.i}
		}
	}
}

func (s *scanner) object(active uint32, level int) error {
	s.i++
	var seen uint32
	for first := true; ; first = false {
		c := s.peek()
		if c == '}' && first {
			s.i++
			return nil
		}
		if c != '"' {
			return errJSON
		}
		start := s.i
		if err := s.skipString(); err != nil {
			return err
		}
		match, like := s.member(active, level, s.b[start:s.i])
		if match&seen != 0 || like != 0 {
			return ErrDuplicate
		}
		seen |= match
		if s.peek() != ':' {
			return errJSON
		}
		s.i++
		if err := s.value(match, level+1); err != nil {
			return err
		}
		if end, err := s.separator('}'); end || err != nil {
			return err
		}
	}
}

// member returns the active paths that go on with the quoted name; like are
// those that would if case did not matter.
func (s *scanner) member(active uint32, level int, quoted []byte) (match, like uint32) {
	name := quoted[1 : len(quoted)-1]
	for _, c := range name {
		if c == '\\' {
			text, err := scalar(quoted)
			if err != nil {
				return 0, 0
			}
			name = []byte(text)
			break
		}
	}
	for m := active; m != 0; m &= m - 1 {
		i := bits.TrailingZeros32(m)
		if p := s.paths[i]; len(p) > level {
			switch {
			case p[level].name == string(name):
				match |= 1 << i
			case s.fold && strings.EqualFold(p[level].name, string(name)):
				like |= 1 << i
			}
		}
	}
	return match, like
}

func (s *scanner) array(active uint32, level int) error {
	s.i++
	for n := 0; ; n++ {
		if s.peek() == ']' && n == 0 {
			s.i++
			return nil
		}
		var match uint32
		for m := active; m != 0; m &= m - 1 {
			i := bits.TrailingZeros32(m)
			if p := s.paths[i]; len(p) > level && p[level].index == n {
				match |= 1 << i
			}
		}
		if err := s.value(match, level+1); err != nil {
			return err
		}
		if end, err := s.separator(']'); end || err != nil {
			return err
		}
	}
}

// separator reads a comma, or the bracket that ends.
func (s *scanner) separator(end byte) (bool, error) {
	switch s.peek() {
	case end:
		s.i++
		return true, nil
	case ',':
		s.i++
		return false, nil
	}
	return false, errJSON
}

// peek skips blanks and returns the next byte, or 0 at the end.
func (s *scanner) peek() byte {
	for s.i < len(s.b) {
		switch c := s.b[s.i]; c {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return c
		}
	}
	return 0
}

// skip passes over one value, by its brackets and quotes only.
func (s *scanner) skip() error {
	open := 0
	for {
		switch s.peek() {
		case 0:
			return errJSON
		case '"':
			if err := s.skipString(); err != nil {
				return err
			}
		case '{', '[':
			open++
			s.i++
			continue
		case '}', ']':
			open--
			s.i++
		case ',', ':':
			if open == 0 {
				return errJSON
			}
			s.i++
			continue
		default:
			s.skipWord()
		}
		if open <= 0 {
			if open < 0 {
				return errJSON
			}
			return nil
		}
	}
}

func (s *scanner) skipString() error {
	for i := s.i + 1; i < len(s.b); i++ {
		switch s.b[i] {
		case '"':
			s.i = i + 1
			return nil
		case '\\':
			i++
		}
	}
	return errJSON
}

func (s *scanner) skipWord() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ',', ':', '}', ']', '{', '[', '"', ' ', '\t', '\n', '\r':
			return
		}
		s.i++
	}
}

// scalar is the text of a string, number or boolean.
func scalar(raw []byte) (string, error) {
	if inner := raw[1:]; raw[0] == '"' && len(inner) > 0 && plain(inner[:len(inner)-1]) {
		return string(inner[:len(inner)-1]), nil
	}
	if !json.Valid(raw) {
		return "", errJSON
	}
	switch raw[0] {
	case '"':
		var text string
		err := json.Unmarshal(raw, &text)
		return text, err
	case 'n':
		return "", nil
	}
	return string(raw), nil
}

// plain reports whether the inside of a JSON string stands for itself.
func plain(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c >= 0x7f || c == '\\' {
			return false
		}
	}
	return true
}
