package config

import (
	"strings"

	"github.com/hookd/hookd/internal/spec"
)

// names finds the entries of a Catalog.
type names struct {
	catalog Catalog
	modules map[string]*ModuleSpec // by name and alias
	types   map[string][]*ModuleSpec
	known   struct{ modules, types []string } // for hints
}

func newNames(c Catalog) names {
	n := names{catalog: c, modules: map[string]*ModuleSpec{}, types: map[string][]*ModuleSpec{}}
	for i := range c.Modules {
		m := &c.Modules[i]
		for _, name := range append([]string{m.Name}, m.Aliases...) {
			n.modules[name] = m
			n.known.modules = append(n.known.modules, name)
		}
		for _, t := range m.ConnectionTypes {
			if n.types[t] == nil {
				n.known.types = append(n.known.types, t)
			}
			n.types[t] = append(n.types[t], m)
		}
	}
	return n
}

// canonical maps every name and alias of d's fields to the field's name.
func canonical(d spec.Described) map[string]string {
	out := map[string]string{}
	for _, f := range d.Fields() {
		info := f.Info()
		for _, n := range append([]string{info.Name}, info.Aliases...) {
			out[n] = info.Name
		}
	}
	return out
}

// takesRedis reports whether the original service's "redis" object in a hook
// can be meant for m.
func takesRedis(m *ModuleSpec) bool {
	for _, t := range m.ConnectionTypes {
		if strings.HasPrefix(t, "redis") {
			return true
		}
	}
	return false
}
