package modules

import (
	"context"
	"fmt"

	"github.com/hookd/hookd/internal/spec"
)

// Guarantee says what a repeat of one delivery does at the far end.
type Guarantee uint8

// The guarantees, weakest first. hookd itself always delivers at least once.
const (
	Duplicates Guarantee = iota // a repeat may be seen twice
	Keyed                       // a repeat carries the same key; the reader can drop it
	Once                        // the far end drops the repeat
)

// String is the word printed by `hookd modules`.
func (g Guarantee) String() string { return [...]string{"duplicates", "keyed", "once"}[g] }

// Definition declares a module: what a connection is made from (C), the open
// connection (K), and what one destination is made from (O).
type Definition[C, O any, K Conn] struct {
	Name    string   // "kafka": the name in configuration and the folder's name
	Aliases []string // other names that the original service accepted
	Title   string
	Summary string // one sentence
	Doc     string // Markdown below the summary: behaviour a user must know
	// ConnectionTypes are the values of "type" in connections.json that this
	// module accepts; empty when it needs no connection.
	ConnectionTypes []string
	Guarantee       Guarantee

	// Open connects. ctx bounds the opening, not the connection's life.
	Open func(ctx context.Context, env Env, c *C) (K, error)
	// New makes a destination. It is fast and does no I/O over the network.
	New func(env Env, k K, o *O) (Destination, error)
}

type described[T any] interface {
	*T
	spec.Described
}

// Module is a declared module.
type Module interface {
	Name() string
	Aliases() []string
	Title() string
	Summary() string
	Doc() string
	ConnectionTypes() []string
	Guarantee() Guarantee
	// Connection and Options return fresh zero values to decode into.
	// Connection is nil when the module needs none.
	Connection() spec.Described
	Options() spec.Described
	Open(ctx context.Context, env Env, c spec.Described) (Conn, error)
	New(env Env, k Conn, o spec.Described) (Destination, error)
}

// Define erases the types of d.
func Define[C, O any, K Conn, PC described[C], PO described[O]](d Definition[C, O, K]) Module {
	return module[C, O, K, PC, PO]{d}
}

type module[C, O any, K Conn, PC described[C], PO described[O]] struct{ d Definition[C, O, K] }

func (m module[C, O, K, PC, PO]) Name() string              { return m.d.Name }
func (m module[C, O, K, PC, PO]) Aliases() []string         { return m.d.Aliases }
func (m module[C, O, K, PC, PO]) Title() string             { return m.d.Title }
func (m module[C, O, K, PC, PO]) Summary() string           { return m.d.Summary }
func (m module[C, O, K, PC, PO]) Doc() string               { return m.d.Doc }
func (m module[C, O, K, PC, PO]) ConnectionTypes() []string { return m.d.ConnectionTypes }
func (m module[C, O, K, PC, PO]) Guarantee() Guarantee      { return m.d.Guarantee }
func (m module[C, O, K, PC, PO]) Options() spec.Described   { return PO(new(O)) }

func (m module[C, O, K, PC, PO]) Connection() spec.Described {
	if len(m.d.ConnectionTypes) == 0 {
		return nil
	}
	return PC(new(C))
}

func (m module[C, O, K, PC, PO]) Open(ctx context.Context, env Env, c spec.Described) (Conn, error) {
	if c == nil {
		c = PC(new(C))
	}
	typed, ok := c.(PC)
	if !ok {
		return nil, fmt.Errorf("module %s: connection is a %T", m.d.Name, c)
	}
	return m.d.Open(ctx, env, (*C)(typed))
}

func (m module[C, O, K, PC, PO]) New(env Env, k Conn, o spec.Described) (Destination, error) {
	conn, ok := k.(K)
	if !ok {
		return nil, fmt.Errorf("module %s: open connection is a %T", m.d.Name, k)
	}
	typed, ok := o.(PO)
	if !ok {
		return nil, fmt.Errorf("module %s: options are a %T", m.d.Name, o)
	}
	return m.d.New(env, conn, (*O)(typed))
}

// None stands in for the connection of a module that needs none.
type None struct{}

// Fields of None are none.
func (*None) Fields() spec.Fields { return nil }

// Close does nothing.
func (*None) Close(context.Context) error { return nil }

// OpenNone is the Open of a module that needs no connection.
func OpenNone(context.Context, Env, *None) (*None, error) { return &None{}, nil }
