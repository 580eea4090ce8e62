package spec

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hookd/hookd/internal/diag"
)

// Limits of a configuration file, so that no file can exhaust the process.
const (
	MaxDepth = 100     // nested objects and lists
	MaxNodes = 500_000 // values, after YAML aliases are expanded
)

// Node is a parsed value that knows where it was written.
type Node struct {
	Pos   diag.Pos
	Width int // bytes of the source that it spans on its first line; 0 where unknown
	Kind  NodeKind
	// Text is a string's content, a number as written, or "true" or "false".
	// After Resolve, references in a string are replaced.
	Text    string
	Members []Member // of an object, in file order
	Items   []*Node  // of a list

	// FromReference says that a reference took part in Text; Written is the
	// string before that. WholeReference says that there was nothing else, so
	// that Text may also be read as a number or a boolean.
	FromReference  bool
	WholeReference bool
	Written        string
	// Unresolved says that the reference was deliberately not looked up.
	Unresolved bool
	// Secret is set by Decode on the values of secret fields.
	Secret bool

	known bool // a description says what it is
	src   *source
	off   int
}

// Member is one key of an object with its value.
type Member struct {
	Key   string
	Pos   diag.Pos // of the key
	Width int
	Value *Node
}

// NodeKind is what was written.
type NodeKind uint8

// The kinds of node.
const (
	NodeNull NodeKind = iota
	NodeBool
	NodeNumber
	NodeString
	NodeArray
	NodeObject
)

// String is the kind with its article, for messages.
func (k NodeKind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "a list", "an object"}[k]
}

// Get is the value of the first of the keys that is there and not null, or nil.
func (n *Node) Get(keys ...string) *Node {
	if m := n.Member(keys...); m != nil {
		return m.Value
	}
	return nil
}

// Member is Get with the place of the key.
func (n *Node) Member(keys ...string) *Member {
	if n == nil {
		return nil
	}
	for _, k := range keys {
		for i := range n.Members {
			if n.Members[i].Key == k && n.Members[i].Value.Kind != NodeNull {
				return &n.Members[i]
			}
		}
	}
	return nil
}

// Empty reports an object without keys other than comments, or an empty list.
func (n *Node) Empty() bool {
	switch n.Kind {
	case NodeArray:
		return len(n.Items) == 0
	case NodeObject:
		for _, m := range n.Members {
			if !IsComment(m.Key) {
				return false
			}
		}
		return true
	case NodeNull, NodeBool, NodeNumber, NodeString:
		return false
	}
	return false
}

// With is a copy of an object that has the members that keep accepts, followed
// by more. The values are shared.
func (n *Node) With(keep func(key string) bool, more ...Member) *Node {
	out := *n
	out.Kind, out.Members = NodeObject, nil
	for _, m := range n.Members {
		if keep(m.Key) {
			out.Members = append(out.Members, m)
		}
	}
	out.Members = append(out.Members, more...)
	return &out
}

// IsComment reports whether a key is for people only.
func IsComment(key string) bool { return strings.HasPrefix(key, "_") || key == "$schema" }

// Quote is the value as a message may show it: as it was written, never what a
// reference stands for, and never a secret.
func (n *Node) Quote() string {
	switch {
	case n.Secret:
		return "the value"
	case n.FromReference:
		return shorten(n.Written)
	case n.Kind == NodeString:
		return strconv.Quote(shorten(n.Text))
	case n.Kind == NodeBool || n.Kind == NodeNumber:
		return shorten(n.Text)
	}
	return n.Kind.String()
}

func shorten(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}

// problem is an error at the node.
func (n *Node) problem(path, code, message, hint string) diag.Problem {
	return diag.Problem{Pos: n.Pos, Width: n.Width, Path: path, Code: code, Message: message, Hint: hint}
}

// unresolved reports whether anything below n was left without a value.
func (n *Node) unresolved() bool {
	if n == nil {
		return false
	}
	if n.Unresolved {
		return true
	}
	for _, m := range n.Members {
		if m.Value.unresolved() {
			return true
		}
	}
	for _, i := range n.Items {
		if i.unresolved() {
			return true
		}
	}
	return false
}

// JoinPath appends a key to a path: hooks.github, or hooks["a.b"] where the key
// is no plain word.
func JoinPath(path, key string) string {
	plain := key != "" && strings.IndexFunc(key, func(r rune) bool {
		return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) < 0
	switch {
	case !plain:
		return path + "[" + strconv.Quote(key) + "]"
	case path == "":
		return key
	}
	return path + "." + key
}

func itemPath(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }
