package spec

import (
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/hookd/hookd/internal/diag"
)

// byteOrderMark may stand at the start of a file. No editor counts it as a
// column.
const byteOrderMark = "\ufeff"

// source is the text of a file and where its lines begin.
type source struct {
	file  string
	text  string
	lines []int
}

func newSource(file string, b []byte) *source {
	s := &source{file: file, text: strings.TrimPrefix(string(b), byteOrderMark), lines: []int{0}}
	for i := range len(s.text) {
		if s.text[i] == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	return s
}

// pos is the place of a byte offset.
func (s *source) pos(off int) diag.Pos {
	off = min(max(off, 0), len(s.text))
	line := sort.SearchInts(s.lines, off+1)
	return diag.Pos{File: s.file, Line: line, Col: off - s.lines[line-1] + 1}
}

// offset finds the byte that a YAML parser, which counts characters, calls
// line:col.
func (s *source) offset(line, col int) int {
	if line < 1 || line > len(s.lines) {
		return len(s.text)
	}
	off := s.lines[line-1]
	for range col - 1 {
		if off >= len(s.text) || s.text[off] == '\n' {
			break
		}
		_, n := utf8.DecodeRuneInString(s.text[off:])
		off += n
	}
	return off
}

// invalid is the offset of the first byte that is not UTF-8, or -1.
func (s *source) invalid() int {
	for i, r := range s.text {
		if r == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(s.text[i:]); n == 1 {
				return i
			}
		}
	}
	return -1
}

func (s *source) problem(off, width int, code, message, hint string) diag.Problem {
	return diag.Problem{Pos: s.pos(off), Width: width, Code: code, Message: message, Hint: hint}
}
