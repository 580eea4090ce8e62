package modules

import (
	"fmt"
	"iter"
	"slices"
)

// Registry is an explicit, ordered set of modules. It is read-only after
// NewRegistry and safe for concurrent use.
type Registry struct {
	order []Module
	names map[string]Module
}

// NewRegistry collects modules in the order given. A name or alias that is
// taken twice is an error.
func NewRegistry(ms ...Module) (*Registry, error) {
	r := &Registry{names: make(map[string]Module)}
	for _, m := range ms {
		for _, n := range append([]string{m.Name()}, m.Aliases()...) {
			if _, taken := r.names[n]; taken {
				return nil, fmt.Errorf("two modules are named %q", n)
			}
			r.names[n] = m
		}
		r.order = append(r.order, m)
	}
	return r, nil
}

// Lookup finds a module by its name or an alias.
func (r *Registry) Lookup(name string) (Module, bool) {
	m, ok := r.names[name]
	return m, ok
}

// All yields the modules in their order.
func (r *Registry) All() iter.Seq[Module] { return slices.Values(r.order) }
