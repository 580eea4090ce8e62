package spec

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hookd/hookd/internal/diag"
)

// Decode fills d from n, and reports every problem, not only the first. path is
// where n is, for the messages. A nil n is an empty object. What is refused
// keeps the value that it had; absent fields get their defaults.
func Decode(n *Node, d Described, path string) diag.List {
	var out diag.List
	if n == nil {
		n = &Node{Kind: NodeObject}
	}
	decodeInto(n, d, scope{path, &out})
	return out
}

// defaults gives the fields of an absent object their defaults.
func defaults(d Described) {
	var none diag.List
	for _, f := range d.Fields() {
		f.decode(nil, scope{"", &none})
	}
}

func decodeInto(n *Node, d Described, at scope) {
	before := at.errors()
	fields := d.Fields()
	members := map[string]*Member{} // by the field's own name
	inline := ""
	if n.Kind == NodeObject {
		members = match(n, fields, at)
	} else {
		in, ok := d.(Inline)
		if !ok || n.Kind == NodeNull {
			if slices.ContainsFunc(d.Fields(), isSecret) {
				n.Secret = true // most likely a secret without its key
			}
			at.wrongType(n, "an object")
			return
		}
		inline = in.Inline().Info().Name
	}
	for _, f := range fields {
		info := f.Info()
		if m := members[info.Name]; m != nil {
			if info.Deprecated != "" {
				deprecated(m, info, at)
			}
			f.decode(m.Value, at.key(m.Key))
			continue
		}
		f.decode(nil, at.key(info.Name))
		if info.Required && info.Name != inline {
			p := n.problem(JoinPath(at.path, info.Name), "required", "is required", "")
			if n.Kind == NodeObject {
				p.Width = 1
			}
			at.add(p)
		}
	}
	if inline != "" {
		in, _ := d.(Inline)
		in.Inline().decode(n, at)
	}
	if v, ok := d.(Validator); ok && at.errors() == before && !n.unresolved() {
		for _, i := range v.Validate() {
			issue(i, n, members, at)
		}
	}
}

// match finds the field of each member and reports those that have none.
func match(n *Node, fields Fields, at scope) map[string]*Member {
	owner, known := map[string]string{}, []string{}
	for _, f := range fields {
		info := f.Info()
		for _, name := range append([]string{info.Name}, info.Aliases...) {
			owner[name] = info.Name
			known = append(known, name)
		}
	}
	members := map[string]*Member{}
	for i := range n.Members {
		m := &n.Members[i]
		name, ok := owner[m.Key]
		switch first := members[name]; {
		case !ok && IsComment(m.Key):
		case !ok:
			if mistypedSecret(m.Key, fields) {
				m.Value.Secret = true
			}
			at.add(diag.Problem{
				Pos: m.Pos, Width: m.Width, Path: JoinPath(at.path, m.Key), Code: "unknown_key",
				Message: "unknown key", Hint: unknownHint(m.Key, known),
			})
		case m.Value.Kind == NodeNull:
		case first != nil:
			p := diag.Problem{
				Pos: m.Pos, Width: m.Width, Path: JoinPath(at.path, m.Key), Code: "set_twice",
				Message: fmt.Sprintf("%q and %q are the same setting, with different values", m.Key, first.Key), Hint: "keep one of them",
			}
			if same(m.Value, first.Value) {
				p.Severity = diag.Warning
				p.Message = fmt.Sprintf("%q and %q are the same setting", m.Key, first.Key)
			}
			at.add(p)
		default:
			members[name] = m
		}
	}
	return members
}

func isSecret(f Field) bool { return f.Info().Secret }

// mistypedSecret reports whether key looks like a misspelt name of a secret
// field, or like a secret's by itself.
func mistypedSecret(key string, fields Fields) bool {
	return diag.LooksSecret(key) || slices.ContainsFunc(fields, func(f Field) bool {
		info := f.Info()
		return info.Secret && diag.Suggest(key, append([]string{info.Name}, info.Aliases...)) != ""
	})
}

func unknownHint(key string, known []string) string {
	if hint := diag.Suggest(key, known); hint != "" {
		return hint
	}
	if len(known) == 0 {
		return "no keys are known here"
	}
	if len(known) <= 12 {
		names := slices.Clone(known)
		slices.Sort(names)
		return "known keys: " + strings.Join(names, ", ")
	}
	return ""
}

func deprecated(m *Member, info Info, at scope) {
	at.add(diag.Problem{
		Severity: diag.Warning, Pos: m.Pos, Width: m.Width, Path: JoinPath(at.path, m.Key), Code: "deprecated_key",
		Message: "is deprecated", Hint: "use " + strings.TrimPrefix(info.Deprecated, "use "),
	})
}

// issue places what a Validator found.
func issue(i Issue, n *Node, members map[string]*Member, at scope) {
	p := n.problem(at.path, "bad_value", i.Message, i.Hint)
	if n.Kind == NodeObject {
		p.Width = 1
	}
	if i.Field != "" {
		p.Path = JoinPath(at.path, i.Field)
		var value *Node
		for name, m := range members {
			if name == i.Field || m.Key == i.Field {
				p.Pos, p.Width, p.Path = m.Value.Pos, m.Value.Width, JoinPath(at.path, m.Key)
				value = m.Value
			}
		}
		for _, key := range i.Below {
			p.Path = JoinPath(p.Path, key)
			if value = value.Get(key); value != nil {
				p.Pos, p.Width = value.Pos, value.Width
			}
		}
	}
	if i.Warning {
		p.Severity = diag.Warning
	}
	at.add(p)
}

func same(a, b *Node) bool {
	if a.Kind != b.Kind || a.Text != b.Text || len(a.Items) != len(b.Items) || len(a.Members) != len(b.Members) {
		return false
	}
	for i := range a.Items {
		if !same(a.Items[i], b.Items[i]) {
			return false
		}
	}
	for i := range a.Members {
		if a.Members[i].Key != b.Members[i].Key || !same(a.Members[i].Value, b.Members[i].Value) {
			return false
		}
	}
	return true
}
