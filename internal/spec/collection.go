package spec

import (
	"encoding/json"
	"strings"

	"github.com/hookd/hookd/internal/diag"
)

// Strings is a list of texts. A single text is a list of one.
func Strings[T ~string](p *[]T, name string) *Value[[]T] {
	return &Value[[]T]{
		p: p, info: Info{Name: name, Kind: KindList, Item: KindString},
		dec: func(n *Node, at scope) ([]T, bool) {
			if n.Kind == NodeString {
				return []T{T(n.Text)}, true
			}
			if n.Kind != NodeArray {
				at.wrongType(n, "a list of strings")
				return nil, false
			}
			all, out := true, make([]T, len(n.Items))
			for i, item := range n.Items {
				s, ok := text(item, at.item(i))
				out[i], all = T(s), all && ok
			}
			return out, all
		},
		flat: func(v []T) any {
			out := make([]string, len(v))
			for i, s := range v {
				out[i] = string(s)
			}
			return out
		},
	}
}

// StringMap is an object of texts. Numbers and booleans are taken as their text.
func StringMap(p *map[string]string, name string) *Value[map[string]string] {
	return &Value[map[string]string]{
		p: p, info: Info{Name: name, Kind: KindMap, Item: KindString},
		dec: func(n *Node, at scope) (map[string]string, bool) {
			return mapOf(n, at, func(n *Node, at scope) (string, bool) {
				if n.Kind == NodeBool {
					return n.Text, true
				}
				return text(n, at)
			})
		},
		flat: func(v map[string]string) any { return v },
	}
}

// Headers is a StringMap whose names know no case (RFC 9110, section 5.1): the
// same name written twice is a mistake.
func Headers(p *map[string]string, name string) *Value[map[string]string] {
	return noCase(StringMap(p, name))
}

func noCase[T any](v *Value[map[string]T]) *Value[map[string]T] {
	dec := v.dec
	v.dec = func(n *Node, at scope) (map[string]T, bool) {
		out, ok := dec(n, at)
		seen := make(map[string]diag.Pos, len(n.Members))
		for _, m := range n.Members {
			if IsComment(m.Key) || m.Value.Kind == NodeNull {
				continue
			}
			lower := strings.ToLower(m.Key)
			first, twice := seen[lower]
			if !twice {
				seen[lower] = m.Pos
				continue
			}
			p := duplicateKey(m, first)
			p.Path = at.key(m.Key).path
			p.Hint += ": upper and lower case are the same here"
			at.add(p)
			ok = false
		}
		return out, ok
	}
	return v
}

func mapOf[T any](n *Node, at scope, dec func(*Node, scope) (T, bool)) (map[string]T, bool) {
	if n.Kind != NodeObject {
		at.wrongType(n, "an object")
		return nil, false
	}
	all, out := true, make(map[string]T, len(n.Members))
	for _, m := range n.Members {
		if IsComment(m.Key) || m.Value.Kind == NodeNull {
			continue
		}
		v, ok := dec(m.Value, at.key(m.Key))
		out[m.Key], all = v, all && ok
	}
	return out, all
}

// Any is a value of any shape, as encoding/json would give it with UseNumber: a
// JSON Schema, a template's data. Keys that start with "_" are kept.
func Any(p *any, name string) *Value[any] {
	return &Value[any]{
		p: p, info: Info{Name: name, Kind: KindAny},
		dec:  func(n *Node, _ scope) (any, bool) { return n.Any(), true },
		flat: func(v any) any { return v },
	}
}

// Any is the node as encoding/json would give it with UseNumber.
func (n *Node) Any() any {
	switch n.Kind {
	case NodeNull:
		return nil
	case NodeBool:
		return n.Text == "true"
	case NodeNumber:
		return json.Number(n.Text)
	case NodeString:
		return n.Text
	case NodeArray:
		out := make([]any, len(n.Items))
		for i, item := range n.Items {
			out[i] = item.Any()
		}
		return out
	case NodeObject:
		out := make(map[string]any, len(n.Members))
		for _, m := range n.Members {
			out[m.Key] = m.Value.Any()
		}
		return out
	}
	return nil
}

// Raw keeps the node itself, for a value whose description is known only after
// the rest is read. It has no place in fingerprints or redacted views.
func Raw(p **Node, name string) *Value[*Node] {
	return &Value[*Node]{
		p: p, info: Info{Name: name, Kind: KindAny},
		dec: func(n *Node, _ scope) (*Node, bool) { return n, true },
	}
}

// Ignored is a key that the original service documented or tolerated and that
// does nothing; why is shown as a warning.
func Ignored(name, why string) *Value[any] {
	var nowhere any
	v := Any(&nowhere, name).Doc("Does nothing: " + why)
	v.info.Ignored = why
	v.flat = nil
	v.dec = func(n *Node, at scope) (any, bool) {
		p := n.problem(at.path, "ignored_key", "does nothing: "+why, "remove it")
		p.Severity = diag.Warning
		at.add(p)
		return nil, true
	}
	return v
}
