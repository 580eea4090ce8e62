package spec

import (
	"strings"

	"github.com/hookd/hookd/internal/diag"
)

// SecretSpans are the parts of the file below n that must not be shown: the
// values of secret fields and, where no description reached, of keys whose
// names sound like it. A string that consists of references without defaults
// hides nothing.
func (n *Node) SecretSpans() []diag.Span {
	if n == nil {
		return nil
	}
	var out []diag.Span
	n.spans("", false, false, &out)
	return out
}

func (n *Node) spans(key string, hide, known bool, out *[]diag.Span) {
	hide, known = n.hidden(key, hide, known)
	switch n.Kind {
	case NodeArray:
		for _, item := range n.Items {
			item.spans(key, hide, known, out)
		}
	case NodeObject:
		for _, m := range n.Members {
			m.Value.spans(m.Key, hide, known, out)
		}
	case NodeString, NodeNumber:
		if hide {
			*out = append(*out, n.secretParts()...)
		}
	case NodeNull, NodeBool:
	}
}

// hidden decides from what is above n and from n itself whether its text is a
// secret, and whether a description knows about it.
func (n *Node) hidden(key string, hide, known bool) (bool, bool) {
	known = known || n.known
	scalar := n.Kind != NodeObject
	return hide || n.Secret || !known && scalar && diag.LooksSecret(key), known
}

// secretParts are the scalar without its references. A reference with a default
// counts as literal.
func (n *Node) secretParts() []diag.Span {
	whole := n.span()
	if !n.FromReference || n.src == nil {
		return []diag.Span{whole}
	}
	pieces, _ := splitReferences(n.Written)
	var out []diag.Span
	from, literal := 0, false
	for _, p := range pieces {
		if p.ref == nil || p.ref.def != "" {
			literal = true
			continue
		}
		out = append(out, n.written(from, p.ref.start))
		from = p.ref.end
	}
	out = append(out, n.written(from, len(n.Written)))
	switch {
	case !literal:
		return nil
	case n.src.text[n.off] != '"': // the place of its parts is not exact
		return []diag.Span{whole}
	}
	return out
}

// written is a part of a double-quoted string in the file.
func (n *Node) written(from, to int) diag.Span {
	raw := n.src.text[min(n.off+1, len(n.src.text)):]
	return diag.Span{Start: n.off + 1 + escaped(raw, from), End: n.off + 1 + escaped(raw, to)}
}

// span is the scalar in its file. Where a YAML scalar goes on over more lines,
// all lines that are indented deeper than its first belong to it.
func (n *Node) span() diag.Span {
	if n.src == nil {
		return diag.Span{}
	}
	if n.Width > 0 {
		if n.Kind == NodeString && n.Width >= 2 && strings.IndexByte(`"'`, n.src.text[n.off]) >= 0 {
			return diag.Span{Start: n.off + 1, End: n.off + n.Width - 1}
		}
		return diag.Span{Start: n.off, End: n.off + n.Width}
	}
	text := n.src.text
	own := indentation(text[n.src.lines[n.Pos.Line-1]:])
	end := len(text)
	for line := n.Pos.Line; line < len(n.src.lines); line++ {
		start := n.src.lines[line]
		first, _, _ := strings.Cut(text[start:], "\n")
		if strings.TrimSpace(first) != "" && indentation(first) <= own {
			end = start - 1
			break
		}
	}
	return diag.Span{Start: n.off, End: end}
}

func indentation(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }
