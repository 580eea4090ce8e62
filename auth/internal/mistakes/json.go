package mistakes

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonStyle is how a library writes JSON.
type jsonStyle struct {
	text         string
	comma, colon string
	indent       string // "" is one line
	sorted       bool
	ascii        bool // \u00e9 for é
	html         bool // \u003c for <, > and &
	slash        bool // \/ for /
	end          bool // a newline at the end
}

// jsonStyles are those of common libraries.
var jsonStyles = []jsonStyle{
	{text: "the JSON is written without blanks", comma: ",", colon: ":"},
	{text: "the JSON is written with a blank behind commas and colons, as Python does", comma: ", ", colon: ": "},
	{text: "the JSON is written with a blank behind commas and colons, and other letters than ASCII escaped, as Python does", comma: ", ", colon: ": ", ascii: true},
	{text: "the JSON is written without blanks and with sorted keys", comma: ",", colon: ":", sorted: true},
	{text: "the JSON is written without blanks, and other letters than ASCII escaped", comma: ",", colon: ":", ascii: true},
	{text: "the JSON is written without blanks, and <, > and & escaped, as Go does", comma: ",", colon: ":", html: true},
	{text: "the JSON is written without blanks and with sorted keys, and <, > and & escaped, as Go does with maps", comma: ",", colon: ":", html: true, sorted: true},
	{text: "the JSON is written without blanks, and slashes and other letters than ASCII escaped, as PHP does", comma: ",", colon: ":", slash: true, ascii: true},
	{text: "the JSON is written without blanks, and slashes escaped", comma: ",", colon: ":", slash: true},
	{text: "the JSON is indented by 2 blanks", comma: ",", colon: ": ", indent: "  "},
	{text: "the JSON is indented by 4 blanks", comma: ",", colon: ": ", indent: "    "},
	{text: "the JSON is indented by 2 blanks, with sorted keys", comma: ",", colon: ": ", indent: "  ", sorted: true},
	{text: "the JSON is written without blanks, <, > and & escaped, and a newline at its end, as Go's encoder does", comma: ",", colon: ":", html: true, end: true},
	{text: "the JSON is indented by 2 blanks, with a newline at its end", comma: ",", colon: ": ", indent: "  ", end: true},
	{text: "the JSON is written with a blank behind commas and colons, and sorted keys", comma: ", ", colon: ": ", sorted: true},
}

// maxDepth bounds nesting; deeper documents are not rewritten.
const maxDepth = 200

// node is a JSON value that keeps the order of its members and the text of its
// numbers.
type node struct {
	open    byte // '{', '[' or 0
	keys    []string
	values  []node
	text    string // of a number, true, false, null
	str     string
	literal bool // text is used
}

func parseJSON(b []byte) (node, bool) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	n, err := parseValue(d, 0)
	if err != nil || !utf8.Valid(b) {
		return node{}, false
	}
	_, err = d.Token()
	return n, errors.Is(err, io.EOF) && n.open != 0
}

var errDeep = errors.New("nested too deeply")

func parseValue(d *json.Decoder, depth int) (node, error) {
	tok, err := d.Token()
	if err != nil {
		return node{}, err
	}
	switch v := tok.(type) {
	case json.Delim:
		if depth == maxDepth {
			return node{}, errDeep
		}
		return parseContainer(d, byte(v), depth+1)
	case string:
		return node{str: v}, nil
	case json.Number:
		return node{text: v.String(), literal: true}, nil
	case bool:
		return node{text: strconv.FormatBool(v), literal: true}, nil
	}
	return node{text: "null", literal: true}, nil
}

func parseContainer(d *json.Decoder, open byte, depth int) (node, error) {
	n := node{open: open}
	for d.More() {
		if open == '{' {
			key, err := d.Token()
			if err != nil {
				return n, err
			}
			name, ok := key.(string)
			if !ok {
				return n, errors.New("a key that is no string")
			}
			n.keys = append(n.keys, name)
		}
		v, err := parseValue(d, depth)
		if err != nil {
			return n, err
		}
		n.values = append(n.values, v)
	}
	_, err := d.Token()
	return n, err
}

func (n node) write(s jsonStyle) []byte {
	var b bytes.Buffer
	n.append(&b, &s, "")
	if s.end {
		b.WriteByte('\n')
	}
	return b.Bytes()
}

func (n node) append(b *bytes.Buffer, s *jsonStyle, margin string) {
	switch {
	case n.literal:
		b.WriteString(n.text)
		return
	case n.open == 0:
		s.quote(b, n.str)
		return
	}
	b.WriteByte(n.open)
	inner := margin + s.indent
	for i, at := range n.order(s) {
		if i > 0 {
			b.WriteString(s.comma)
		}
		if s.indent != "" {
			b.WriteString("\n" + inner)
		}
		if n.open == '{' {
			s.quote(b, n.keys[at])
			b.WriteString(s.colon)
		}
		n.values[at].append(b, s, inner)
	}
	if s.indent != "" && len(n.values) > 0 {
		b.WriteString("\n" + margin)
	}
	b.WriteByte(n.open + 2) // '}' and ']' are two behind '{' and '['
}

func (n node) order(s *jsonStyle) []int {
	at := make([]int, len(n.values))
	for i := range at {
		at[i] = i
	}
	if s.sorted && n.open == '{' {
		slices.SortStableFunc(at, func(i, j int) int { return strings.Compare(n.keys[i], n.keys[j]) })
	}
	return at
}

func (s *jsonStyle) quote(b *bytes.Buffer, text string) {
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\' || r == '/' && s.slash:
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\b':
			b.WriteString(`\b`)
		case r == '\f':
			b.WriteString(`\f`)
		case r < ' ', s.html && (r == '<' || r == '>' || r == '&' || r == '\u2028' || r == '\u2029'):
			escape(b, r)
		case r > 0xffff && s.ascii:
			hi, lo := utf16.EncodeRune(r)
			escape(b, hi)
			escape(b, lo)
		case r > '~' && s.ascii:
			escape(b, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
}

func escape(b *bytes.Buffer, r rune) {
	const digits = "0123456789abcdef"
	b.WriteString(`\u`)
	for shift := 12; shift >= 0; shift -= 4 {
		b.WriteByte(digits[r>>shift&0xf])
	}
}
