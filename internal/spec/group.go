package spec

import "fmt"

type described[T any] interface {
	*T
	Described
}

// Group is a field with fields of its own.
type Group struct {
	info Info
	set  *bool
	dec  func(n *Node, at scope)
	// now is the present content: a Described, or a []Described, or a
	// map[string]Described.
	now func() any
	new func() Described
}

// Doc says what the group is for.
func (g *Group) Doc(s string) *Group { g.info.Doc = s; return g }

// Required refuses an absent group.
func (g *Group) Required() *Group { g.info.Required = true; return g }

// Alias adds other names for the group.
func (g *Group) Alias(names ...string) *Group {
	g.info.Aliases = append(g.info.Aliases, names...)
	return g
}

// Advanced moves the group to the end of its page.
func (g *Group) Advanced() *Group { g.info.Advanced = true; return g }

// Set tells p whether the group was written.
func (g *Group) Set(p *bool) *Group { g.set = p; return g }

// Info is the description.
func (g *Group) Info() Info { return g.info }

func (g *Group) decode(n *Node, at scope) {
	if g.set != nil {
		*g.set = n != nil
	}
	g.dec(n, at)
}

func (g *Group) plain() any { return g.now() }

func group(name string, kind Kind, d Described) *Group {
	g := &Group{info: Info{Name: name, Kind: kind, Children: d.Fields()}}
	if in, ok := d.(Inline); ok {
		info := in.Inline().Info()
		g.info.Inline = &info
	}
	return g
}

// Object is an object with the fields of *p. The fields of an absent object get
// their defaults.
func Object[T any, P described[T]](p P, name string) *Group {
	g := group(name, KindObject, p)
	g.dec = func(n *Node, at scope) {
		if n == nil {
			defaults(p)
			return
		}
		decodeInto(n, p, at)
	}
	g.now = func() any { return Described(p) }
	g.new = func() Described { return P(new(T)) }
	return g
}

// List is a list of objects.
func List[T any, P described[T]](p *[]T, name string) *Group {
	g := group(name, KindList, P(new(T)))
	g.dec = func(n *Node, at scope) {
		switch {
		case n == nil:
			return
		case n.Kind != NodeArray:
			at.wrongType(n, "a list")
			return
		}
		items := make([]T, len(n.Items))
		for i, item := range n.Items {
			decodeInto(item, P(&items[i]), at.item(i))
		}
		*p = items
	}
	g.now = func() any {
		out := make([]Described, len(*p))
		for i := range *p {
			out[i] = P(&(*p)[i])
		}
		return out
	}
	g.new = func() Described { return P(new(T)) }
	return g
}

// Map is an object of objects, with names of the user's choice.
func Map[T any, P described[T]](p *map[string]T, name string) *Group {
	g := group(name, KindMap, P(new(T)))
	g.dec = func(n *Node, at scope) {
		switch {
		case n == nil:
			return
		case n.Kind != NodeObject:
			at.wrongType(n, "an object")
			return
		}
		m := make(map[string]T, len(n.Members))
		for _, e := range n.Members {
			if IsComment(e.Key) || e.Value.Kind == NodeNull {
				continue
			}
			var v T
			decodeInto(e.Value, P(&v), at.key(e.Key))
			m[e.Key] = v
		}
		*p = m
	}
	g.now = func() any {
		out := make(map[string]Described, len(*p))
		for k, v := range *p {
			out[k] = P(&v)
		}
		return out
	}
	g.new = func() Described { return P(new(T)) }
	return g
}

func (g *Group) verify() []error {
	if err := Verify(g.new()); err != nil {
		return []error{fmt.Errorf("%s: %w", g.info.Name, err)}
	}
	return nil
}
