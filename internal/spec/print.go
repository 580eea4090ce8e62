package spec

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/hookd/hookd/internal/secret"
)

// Walk calls f for n and everything below it, in file order.
func (n *Node) Walk(path string, f func(path string, n *Node)) {
	f(path, n)
	for _, m := range n.Members {
		m.Value.Walk(JoinPath(path, m.Key), f)
	}
	for i, item := range n.Items {
		item.Walk(itemPath(path, i), f)
	}
}

// Print is the node as indented JSON, in the order in which it is written:
// references stay references, and literal secrets are masked.
func (n *Node) Print() []byte {
	var b, out bytes.Buffer
	n.write(&b, "", false, false)
	if err := json.Indent(&out, b.Bytes(), "", "  "); err != nil {
		return nil
	}
	out.WriteByte('\n')
	return out.Bytes()
}

func (n *Node) write(b *bytes.Buffer, key string, hide, known bool) {
	hide, known = n.hidden(key, hide, known)
	switch n.Kind {
	case NodeNull:
		b.WriteString("null")
	case NodeBool, NodeNumber:
		if hide {
			quoteJSON(b, secret.Redacted)
			return
		}
		b.WriteString(n.Text)
	case NodeString:
		quoteJSON(b, n.shown(hide))
	case NodeArray:
		b.WriteByte('[')
		for i, item := range n.Items {
			if i > 0 {
				b.WriteByte(',')
			}
			item.write(b, key, hide, known)
		}
		b.WriteByte(']')
	case NodeObject:
		b.WriteByte('{')
		for i, m := range n.Members {
			if i > 0 {
				b.WriteByte(',')
			}
			quoteJSON(b, m.Key)
			b.WriteByte(':')
			m.Value.write(b, m.Key, hide, known)
		}
		b.WriteByte('}')
	}
}

// shown is a string as written, without what is secret in it: all of it, or
// around its references, whose defaults count as literal.
func (n *Node) shown(hide bool) string {
	switch {
	case !n.FromReference && hide:
		return secret.Redacted
	case !n.FromReference:
		return n.Text
	case !hide:
		return n.Written
	}
	var b strings.Builder
	pieces, _ := splitReferences(n.Written)
	for _, p := range pieces {
		switch {
		case p.ref == nil:
			b.WriteString(secret.Redacted)
		case p.ref.hasDefault:
			b.WriteString("{$" + p.ref.prefix() + ":" + secret.Redacted + "}")
		default:
			b.WriteString("{$" + p.ref.prefix() + "}")
		}
	}
	return b.String()
}

func (r *reference) prefix() string {
	switch r.kind {
	case refFile:
		return "file:" + r.name
	case refVault:
		return "vault:" + r.name
	case refVariable:
	}
	return r.name
}

func quoteJSON(b *bytes.Buffer, s string) {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string can be encoded, into memory
	b.Truncate(b.Len() - 1)
}
