package spec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/hookd/hookd/internal/diag"
)

// ParseJSON reads one JSON value (RFC 8259) with the place of everything in it.
// The node is nil when the text cannot be read as a whole; a key that is there
// twice is a problem, but the rest can still be used.
func ParseJSON(file string, b []byte) (*Node, diag.List) {
	src := newSource(file, b)
	if off := src.invalid(); off >= 0 {
		return nil, diag.List{src.problem(off, 1, "syntax", "this byte is not UTF-8", "save the file as UTF-8")}
	}
	text := []byte(src.text)
	var whole json.RawMessage
	if err := json.Unmarshal(text, &whole); err != nil {
		return nil, diag.List{syntaxProblem(src, err)}
	}
	p := &jsonParser{src: src, dec: json.NewDecoder(bytes.NewReader(text))}
	p.dec.UseNumber()
	n := p.value(0)
	if p.failed {
		return nil, p.problems
	}
	return n, p.problems
}

// jsonParser builds the tree from the decoder's tokens. The text is known to be
// valid JSON.
type jsonParser struct {
	src      *source
	dec      *json.Decoder
	problems diag.List
	nodes    int
	failed   bool
}

// next is the offset of the next token: the decoder stands behind the last one,
// before spaces and punctuation.
func (p *jsonParser) next() int {
	off := int(p.dec.InputOffset())
	for off < len(p.src.text) && strings.IndexByte(" \t\r\n,:", p.src.text[off]) >= 0 {
		off++
	}
	return off
}

func (p *jsonParser) token() json.Token {
	t, err := p.dec.Token()
	if err != nil && !p.failed {
		p.fail(int(p.dec.InputOffset()), "syntax", err.Error())
	}
	return t
}

func (p *jsonParser) fail(off int, code, message string) {
	p.failed = true
	p.problems.Add(p.src.problem(off, 1, code, message, ""))
}

func (p *jsonParser) value(depth int) *Node {
	start := p.next()
	n := &Node{Pos: p.src.pos(start), src: p.src, off: start}
	p.nodes++
	switch {
	case depth > MaxDepth:
		p.fail(start, "too_deep", fmt.Sprintf("nested deeper than %d levels", MaxDepth))
		return n
	case p.nodes > MaxNodes:
		p.fail(start, "too_large", fmt.Sprintf("more than %d values in one file", MaxNodes))
		return n
	}
	switch t := p.token().(type) {
	case json.Delim:
		n.Width = 1
		if t == '{' {
			p.object(n, depth)
		} else {
			p.array(n, depth)
		}
		return n
	case string:
		n.Kind, n.Text = NodeString, t
	case json.Number:
		n.Kind, n.Text = NodeNumber, t.String()
	case bool:
		n.Kind, n.Text = NodeBool, fmt.Sprint(t)
	}
	n.Width = int(p.dec.InputOffset()) - start
	return n
}

func (p *jsonParser) array(n *Node, depth int) {
	n.Kind = NodeArray
	for !p.failed && p.dec.More() {
		n.Items = append(n.Items, p.value(depth+1))
	}
	if !p.failed {
		p.token()
	}
}

func (p *jsonParser) object(n *Node, depth int) {
	n.Kind = NodeObject
	seen := map[string]diag.Pos{}
	for !p.failed && p.dec.More() {
		start := p.next()
		key, _ := p.token().(string)
		m := Member{Key: key, Pos: p.src.pos(start), Width: int(p.dec.InputOffset()) - start}
		m.Value = p.value(depth + 1)
		if first, twice := seen[key]; twice {
			p.problems.Add(duplicateKey(m, first))
			continue
		}
		seen[key] = m.Pos
		n.Members = append(n.Members, m)
	}
	if !p.failed {
		p.token()
	}
}

func duplicateKey(m Member, first diag.Pos) diag.Problem {
	return diag.Problem{
		Pos: m.Pos, Width: m.Width, Code: "duplicate_key",
		Message: fmt.Sprintf("the key %q is here twice", m.Key),
		Hint:    fmt.Sprintf("it is first on line %d; keep one", first.Line),
	}
}

// syntaxProblem says where the text stops being JSON, and what people usually
// mean when they write that.
func syntaxProblem(src *source, err error) diag.Problem {
	var se *json.SyntaxError
	if !errors.As(err, &se) {
		return src.problem(0, 0, "syntax", "not JSON: "+err.Error(), "")
	}
	off := int(se.Offset) - 1 // Offset counts the byte that was refused
	message, hint := "not JSON: "+se.Error(), ""
	if strings.TrimSpace(src.text) == "" {
		return src.problem(0, 0, "syntax", "the file is empty", "an empty configuration is {}")
	}
	if strings.Contains(message, "unexpected end") {
		return src.problem(len(strings.TrimRight(src.text, " \t\r\n")), 0, "syntax",
			"the file ends in the middle of a value", "a closing bracket or quote is missing")
	}
	if off < 0 || off >= len(src.text) {
		return src.problem(off, 0, "syntax", message, "")
	}
	if strings.Contains(message, "exceeded max depth") {
		return src.problem(off, 1, "too_deep", fmt.Sprintf("nested deeper than %d levels", MaxDepth), "")
	}
	before := strings.TrimRight(src.text[:off], " \t\r\n")
	switch c := src.text[off]; {
	case (c == '}' || c == ']') && strings.HasSuffix(before, ","):
		off, hint = len(before)-1, "remove the comma before the closing bracket"
	case c == '\'':
		hint = "strings are written in double quotes"
	case c == '/' || c == '#':
		hint = `JSON has no comments; a key that starts with "_" is one here`
	case c == '"' && (strings.Contains(message, "after object key:value pair") || strings.Contains(message, "after array element")):
		off, hint = len(before), "a comma is missing"
	case strings.Contains(message, "after top-level value"):
		message, hint = "there is more text after the end of the JSON value", ""
	case strings.Contains(message, "in string literal"):
		hint = `write a line break as \n, a tab as \t, and a backslash as \\`
	case strings.Contains(message, "in string escape code"):
		hint = `write a backslash as \\`
	case strings.Contains(message, "object key string"):
		hint = "keys are written in double quotes"
	}
	return src.problem(off, 1, "syntax", message, hint)
}
