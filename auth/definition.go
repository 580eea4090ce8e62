package auth

import (
	"fmt"
	"iter"
	"slices"

	"github.com/hookd/hookd/internal/spec"
)

// Definition declares a method: O is what it is configured with.
type Definition[O any] struct {
	// Name is the key in a hook: "hmac", "basic_auth".
	Name    string
	Title   string
	Summary string // one sentence
	Doc     string // Markdown below the summary
	New     func(env Env, o *O) (Verifier, error)
}

type described[T any] interface {
	*T
	spec.Described
}

// Method is a declared method.
type Method interface {
	Name() string
	Title() string
	Summary() string
	Doc() string
	Options() spec.Described // fresh zero value to decode into
	New(env Env, o spec.Described) (Verifier, error)
}

// Define erases the type of d.
func Define[O any, P described[O]](d Definition[O]) Method { return method[O, P]{d} }

type method[O any, P described[O]] struct{ d Definition[O] }

func (m method[O, P]) Name() string            { return m.d.Name }
func (m method[O, P]) Title() string           { return m.d.Title }
func (m method[O, P]) Summary() string         { return m.d.Summary }
func (m method[O, P]) Doc() string             { return m.d.Doc }
func (m method[O, P]) Options() spec.Described { return P(new(O)) }

func (m method[O, P]) New(env Env, o spec.Described) (Verifier, error) {
	typed, ok := o.(P)
	if !ok {
		return nil, fmt.Errorf("auth %s: options are a %T", m.d.Name, o)
	}
	return m.d.New(env, (*O)(typed))
}

// Registry is an explicit, ordered set of methods. It is read-only after
// NewRegistry and safe for concurrent use.
type Registry struct {
	order []Method
	names map[string]Method
}

// NewRegistry collects methods in the order given. A name that is taken twice
// is an error.
func NewRegistry(ms ...Method) (*Registry, error) {
	r := &Registry{names: make(map[string]Method)}
	for _, m := range ms {
		if _, taken := r.names[m.Name()]; taken {
			return nil, fmt.Errorf("two auth methods are named %q", m.Name())
		}
		r.names[m.Name()] = m
		r.order = append(r.order, m)
	}
	return r, nil
}

// Lookup finds a method by its key.
func (r *Registry) Lookup(name string) (Method, bool) {
	m, ok := r.names[name]
	return m, ok
}

// All yields the methods in their order.
func (r *Registry) All() iter.Seq[Method] { return slices.Values(r.order) }
