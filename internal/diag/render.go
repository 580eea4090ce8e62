package diag

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// RenderOptions say how problems are shown.
type RenderOptions struct {
	// Masks are the parts of a file that must not be shown. exact says that
	// they are all; else, and where Masks is nil, what looks like a secret is
	// masked too.
	Masks func(file string) (spans []Span, exact bool)
	// Columns is the longest excerpt; 0 is 110.
	Columns int
	// Color marks places and severities with ANSI sequences.
	Color bool
}

// Render writes the problems for a person, in the order of the list:
//
//	webhooks.json:12:15: hooks.github.hmac.algorithm: "md5" is not one of sha256, sha1, sha512
//	 12 |     "algorithm": "md5"
//	    |                  ^^^^^
//	    = did you mean "sha256"?
//
// Errors have no word for their severity, the others have. A file for which
// sources returns nil is shown without an excerpt.
func Render(w io.Writer, sources func(file string) []byte, list List, o RenderOptions) error {
	if o.Columns <= 0 {
		o.Columns = 110
	}
	b := bufio.NewWriter(w)
	for _, p := range list {
		o.problem(b, sources, p)
	}
	return b.Flush()
}

func (o RenderOptions) problem(b *bufio.Writer, sources func(string) []byte, p Problem) {
	place := p.Pos.String()
	if place != "" {
		b.WriteString(o.paint("1", Printable(place)) + ": ")
	}
	switch p.Severity {
	case Error:
	case Warning:
		b.WriteString(o.paint("33", p.Severity.String()) + ": ")
	case Note:
		b.WriteString(o.paint("36", p.Severity.String()) + ": ")
	}
	if p.Path != "" {
		b.WriteString(Printable(p.Path) + ": ")
	}
	b.WriteString(Printable(p.Message) + "\n")
	gutter := "  "
	if line, offset, ok := lineOf(sources, p.Pos); ok {
		e := newExcerpt(line, p.Pos.Col, p.Width, o.hidden(p.Pos.File, line, offset), o.Columns)
		number := fmt.Sprintf(" %d ", p.Pos.Line)
		gutter = strings.Repeat(" ", len(number))
		fmt.Fprintf(b, "%s| %s\n%s| %s\n", number, e.line, gutter, o.paint("31;1", e.marks))
	}
	if p.Hint != "" {
		fmt.Fprintf(b, "%s= %s\n", gutter, Printable(p.Hint))
	}
}

func (o RenderOptions) paint(code, s string) string {
	if !o.Color {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// hidden are the spans of a line, which starts at offset in its file, that are
// not shown.
func (o RenderOptions) hidden(file, line string, offset int) []Span {
	out := alwaysMasked(line)
	exact := false
	if o.Masks != nil {
		var spans []Span
		spans, exact = o.Masks(file)
		for _, s := range spans {
			s.Start, s.End = max(s.Start-offset, 0), min(s.End-offset, len(line))
			if s.Start < s.End {
				out = append(out, s)
			}
		}
	}
	if !exact {
		out = append(out, guessed(line)...)
	}
	return out
}

// lineOf finds the line of a place and where in the file it starts.
func lineOf(sources func(string) []byte, pos Pos) (line string, offset int, ok bool) {
	if sources == nil || pos.Line < 1 {
		return "", 0, false
	}
	text := bytes.TrimPrefix(sources(pos.File), []byte("\ufeff"))
	if text == nil {
		return "", 0, false
	}
	for range pos.Line - 1 {
		i := bytes.IndexByte(text[offset:], '\n')
		if i < 0 {
			return "", 0, false
		}
		offset += i + 1
	}
	rest, _, _ := bytes.Cut(text[offset:], []byte("\n"))
	return strings.TrimSuffix(string(rest), "\r"), offset, true
}

// Printable replaces what a terminal would obey instead of show.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '�'
	}, s)
}
