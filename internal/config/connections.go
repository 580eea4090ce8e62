package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hookd/hookd/internal/diag"
	"github.com/hookd/hookd/internal/spec"
)

// connection is an entry of connections.json before it is known which modules
// use it.
type connection struct {
	name    string
	pos     diag.Pos
	path    string
	typ     string
	node    *spec.Node    // without "type"
	accepts []*ModuleSpec // nil when the entry is wrong and was reported
	uses    []*ModuleSpec
	hook    string
}

func (l *loader) readConnections(entries []spec.Member) {
	for _, m := range entries {
		c := &connection{name: m.Key, pos: m.Pos, path: spec.JoinPath("connections", m.Key)}
		l.conns[c.name] = c
		l.order = append(l.order, c)
		if strings.HasPrefix(m.Key, "/") || m.Key == "" {
			l.key(diag.Error, m, c.path, "bad_name", `a connection's name is not empty and does not begin with "/"`, "")
			continue
		}
		if m.Value.Kind != spec.NodeObject {
			l.at(m.Value, c.path, "bad_type", "must be an object, not "+m.Value.Kind.String(), `a key that starts with "_" is a comment`)
			continue
		}
		l.connectionType(c, m.Value)
	}
}

func (l *loader) connectionType(c *connection, n *spec.Node) {
	t, path := n.Get("type"), spec.JoinPath(c.path, "type")
	switch {
	case t == nil:
		l.out.Add(diag.Problem{
			Pos: n.Pos, Width: 1, Path: path, Code: "required", Message: "is required",
			Hint: "one of " + strings.Join(l.names.known.types, ", "),
		})
		return
	case t.Kind != spec.NodeString:
		l.at(t, path, "bad_type", "must be a string, not "+t.Kind.String(), "")
		return
	case t.Unresolved:
		return
	}
	c.typ, c.accepts = t.Text, l.names.types[t.Text]
	if c.accepts == nil {
		hint := diag.Suggest(t.Text, l.names.known.types)
		if hint == "" {
			hint = "one of " + strings.Join(l.names.known.types, ", ")
		}
		l.at(t, path, "unknown_type", fmt.Sprintf("there is no connection type %s", t.Quote()), hint)
		return
	}
	c.node = n.With(func(key string) bool { return key != "type" })
}

func (c *connection) use(m *ModuleSpec) {
	if !slices.Contains(c.uses, m) {
		c.uses = append(c.uses, m)
	}
}

// connections decodes each entry for every module that uses it; for the first
// that accepts its type where none does, so that a mistake is found before it
// is used.
func (l *loader) connections() []Connection {
	var out []Connection
	for _, c := range l.order {
		if c.accepts == nil {
			continue
		}
		uses := c.uses
		if len(uses) == 0 {
			uses = c.accepts[:1]
		}
		for _, m := range uses {
			options := m.Connection()
			l.out = append(l.out, spec.Decode(c.node, options, c.path)...)
			out = append(out, Connection{Name: c.name, Pos: c.pos, Type: c.typ, Module: m.Name, Options: options, Hook: c.hook})
		}
	}
	return out
}

// connect finds the connection of a step. n is where it is named, nil where it
// is not; inherited says that the hook names it for all its steps.
func (l *loader) connect(m *ModuleSpec, n *spec.Node, path string, inherited bool) string {
	switch {
	case n.Kind != spec.NodeString:
		l.at(n, path, "bad_type", "must be the name of a connection, not "+n.Kind.String(), "")
		return ""
	case n.Unresolved:
		return ""
	case len(m.ConnectionTypes) == 0:
		if !inherited {
			l.warn(n, path, "unused_connection", fmt.Sprintf("does nothing: the module %s needs no connection", m.Name), "remove it")
		}
		return ""
	}
	c := l.conns[n.Text]
	switch {
	case c == nil || strings.HasPrefix(n.Text, "/"):
		l.at(n, path, "unknown_connection", fmt.Sprintf("there is no connection %s", n.Quote()), l.connectionHint(n.Text, m))
		return ""
	case c.accepts == nil: // wrong itself, and reported where it is written
		return ""
	case !slices.Contains(c.accepts, m):
		if !inherited {
			l.at(n, path, "wrong_connection", fmt.Sprintf("the connection %s is of type %q, which the module %s does not take", n.Quote(), c.typ, m.Name),
				"it takes "+strings.Join(m.ConnectionTypes, ", "))
		}
		return ""
	}
	c.use(m)
	return c.name
}

func (l *loader) connectionHint(name string, m *ModuleSpec) string {
	var all, fitting []string
	for _, c := range l.order {
		if strings.HasPrefix(c.name, "/") {
			continue
		}
		all = append(all, c.name)
		if slices.Contains(c.accepts, m) {
			fitting = append(fitting, c.name)
		}
	}
	if hint := diag.Suggest(name, fitting); hint != "" {
		return hint
	}
	if hint := diag.Suggest(name, all); hint != "" {
		return hint
	}
	if len(fitting) > 0 {
		return "fitting ones: " + strings.Join(fitting, ", ")
	}
	if l.o.Connections == "" {
		return "no file of connections is named"
	}
	return "add it to " + l.o.Connections
}

// implicit is the connection of a step that names none: its description with
// defaults only, or with what the hook itself says (the "redis" object of the
// original service).
func (l *loader) implicit(m *ModuleSpec, name, path string, n *spec.Node, hook string) string {
	c := l.conns[name]
	if c == nil {
		c = &connection{name: name, pos: n.Pos, path: path, typ: m.ConnectionTypes[0], node: n, accepts: []*ModuleSpec{m}, hook: hook}
		l.conns[name] = c
		l.order = append(l.order, c)
	}
	c.use(m)
	return name
}
