package spec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/hookd/hookd/internal/diag"
)

// ParseYAML reads one YAML document with the place of everything in it. Aliases
// and merge keys are expanded, within MaxNodes and MaxDepth. It is for files
// that are named .yaml or .yml: the YAML library refuses some valid JSON.
func ParseYAML(file string, b []byte) (*Node, diag.List) {
	src := newSource(file, b)
	if off := src.invalid(); off >= 0 {
		return nil, diag.List{src.problem(off, 1, "syntax", "this byte is not UTF-8", "save the file as UTF-8")}
	}
	doc, err := yamlDocument(src.text)
	if err != nil {
		return nil, diag.List{yamlProblem(src, err)}
	}
	if len(doc.Content) == 0 {
		return nil, diag.List{src.problem(0, 0, "syntax", "the file is empty", "an empty configuration is {}")}
	}
	p := &yamlParser{src: src}
	n := p.value(doc.Content[0], 0)
	if p.failed {
		return nil, p.problems
	}
	return n, p.problems
}

var errSecondDocument = errors.New("yaml: a file holds one document only")

// yamlDocument turns the library's panics, of which it has some on broken
// input, into errors.
func yamlDocument(text string) (doc *yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			doc, err = nil, fmt.Errorf("yaml: cannot be read: %v", r)
		}
	}()
	dec := yaml.NewDecoder(bytes.NewReader([]byte(text)))
	var first, second yaml.Node
	switch err := dec.Decode(&first); {
	case errors.Is(err, io.EOF):
		return &first, nil
	case err != nil:
		return nil, err
	}
	switch err := dec.Decode(&second); {
	case errors.Is(err, io.EOF):
		return &first, nil
	case err != nil:
		return nil, err
	}
	return nil, errSecondDocument
}

var yamlLine = regexp.MustCompile(`line (\d+)`)

func yamlProblem(src *source, err error) diag.Problem {
	message := "not YAML: " + strings.TrimPrefix(err.Error(), "yaml: ")
	off := 0
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		line, _ := strconv.Atoi(m[1])
		off = src.offset(line, 1)
		message = strings.Replace(message, m[0]+": ", "", 1)
	}
	hint := ""
	if strings.Contains(message, "cannot start any token") && strings.Contains(src.text, "\t") {
		hint = "YAML is indented with spaces, not tabs"
	}
	return src.problem(off, 0, "syntax", message, hint)
}

// jsonNumber is a number that keeps its spelling, so that a version like 1.10
// stays what it is where a text is asked for.
var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

type yamlParser struct {
	src      *source
	problems diag.List
	nodes    int
	failed   bool
}

func (p *yamlParser) fail(off int, code, message string) {
	if !p.failed {
		p.problems.Add(p.src.problem(off, 0, code, message, ""))
	}
	p.failed = true
}

func (p *yamlParser) value(y *yaml.Node, depth int) *Node {
	off := p.src.offset(y.Line, y.Column)
	n := &Node{Pos: p.src.pos(off), src: p.src, off: off}
	p.nodes++
	switch {
	case p.failed:
		return n
	case depth > MaxDepth:
		p.fail(off, "too_deep", fmt.Sprintf("nested deeper than %d levels, or an alias holds itself", MaxDepth))
		return n
	case p.nodes > MaxNodes:
		p.fail(off, "too_large", fmt.Sprintf("more than %d values, aliases expanded", MaxNodes))
		return n
	}
	switch y.Kind {
	case yaml.AliasNode:
		return p.value(y.Alias, depth+1)
	case yaml.MappingNode:
		n.Kind, n.Width = NodeObject, 1
		p.object(n, y, depth)
	case yaml.SequenceNode:
		n.Kind, n.Width = NodeArray, 1
		for _, c := range y.Content {
			n.Items = append(n.Items, p.value(c, depth+1))
		}
	case yaml.ScalarNode:
		n.Width = p.width(y, off)
		p.scalar(n, y)
	default:
		p.fail(off, "syntax", "not a value")
	}
	return n
}

func (p *yamlParser) object(n *Node, y *yaml.Node, depth int) {
	seen := map[string]diag.Pos{}
	var merged []*Node
	for i := 0; i+1 < len(y.Content) && !p.failed; i += 2 {
		k, off := y.Content[i], p.src.offset(y.Content[i].Line, y.Content[i].Column)
		v := p.value(y.Content[i+1], depth+1)
		if k.Kind == yaml.AliasNode {
			k = k.Alias
		}
		if k.Kind != yaml.ScalarNode {
			p.problems.Add(p.src.problem(off, 0, "syntax", "a key must be a plain text", ""))
			continue
		}
		if k.Tag == "!!merge" {
			merged = append(merged, v)
			continue
		}
		m := Member{Key: k.Value, Pos: p.src.pos(off), Width: p.width(y.Content[i], off), Value: v}
		if first, twice := seen[m.Key]; twice {
			p.problems.Add(duplicateKey(m, first))
			continue
		}
		seen[m.Key] = m.Pos
		n.Members = append(n.Members, m)
	}
	for _, from := range merged {
		p.merge(n, from, seen)
	}
}

// merge adds what "<<" brings and the object does not say itself.
func (p *yamlParser) merge(n, from *Node, seen map[string]diag.Pos) {
	switch from.Kind {
	case NodeArray:
		for _, i := range from.Items {
			p.merge(n, i, seen)
		}
	case NodeObject:
		for _, m := range from.Members {
			if _, there := seen[m.Key]; !there {
				seen[m.Key] = m.Pos
				n.Members = append(n.Members, m)
			}
		}
	case NodeNull, NodeBool, NodeNumber, NodeString:
		p.problems.Add(from.problem("", "syntax", `"<<" merges objects only`, ""))
	}
}

func (p *yamlParser) scalar(n *Node, y *yaml.Node) {
	n.Kind, n.Text = NodeString, y.Value
	switch y.ShortTag() {
	case "!!str", "!!timestamp":
	case "!!null":
		n.Kind, n.Text = NodeNull, ""
	case "!!bool":
		n.Kind, n.Text = NodeBool, strings.ToLower(y.Value)
	case "!!int":
		n.Kind = NodeNumber
		var i int64
		var u uint64
		switch {
		case jsonNumber.MatchString(y.Value):
		case y.Decode(&i) == nil: // 0x1F, 0o17, 1_000
			n.Text = strconv.FormatInt(i, 10)
		case y.Decode(&u) == nil:
			n.Text = strconv.FormatUint(u, 10)
		default:
			p.problems.Add(n.problem("", "syntax", "not a number that fits 64 bits", "quote it to keep it as text"))
			n.Text = "0"
		}
	case "!!float":
		n.Kind = NodeNumber
		var f float64
		if y.Decode(&f) != nil || math.IsInf(f, 0) || math.IsNaN(f) {
			p.problems.Add(n.problem("", "syntax", "not a finite number", "quote it to keep it as text"))
			n.Text = "0"
			return
		}
		if !jsonNumber.MatchString(y.Value) {
			n.Text = strconv.FormatFloat(f, 'g', -1, 64)
		}
	default:
		p.problems.Add(n.problem("", "syntax", fmt.Sprintf("the tag %s is not supported", shorten(y.Tag)), ""))
	}
}

// width is what a scalar spans on its first line.
func (p *yamlParser) width(y *yaml.Node, off int) int {
	rest := p.src.text[off:]
	line, _, _ := strings.Cut(rest, "\n")
	if y.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 && line != "" && (line[0] == '"' || line[0] == '\'') {
		for i := 1; i < len(line); i++ {
			switch {
			case line[i] == '\\' && line[0] == '"':
				i++
			case line[i] == line[0] && line[0] == '\'' && i+1 < len(line) && line[i+1] == '\'':
				i++
			case line[i] == line[0]:
				return i + 1
			}
		}
		return 0
	}
	if strings.HasPrefix(line, y.Value) {
		return len(y.Value)
	}
	return 0
}
