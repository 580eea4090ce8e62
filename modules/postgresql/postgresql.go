// Package postgresql puts deliveries into tables of PostgreSQL.
package postgresql

import (
	"fmt"

	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/rows"
)

// Options describe one destination.
type Options struct{ rows.Options }

// Fields lists the options.
func (o *Options) Fields() spec.Fields { return o.Options.Fields() }

// Validate looks at the options together.
func (o *Options) Validate() []spec.Issue { return o.Options.Validate(dialect) }

// Module declares the module.
func Module() modules.Module {
	return modules.Define(modules.Definition[Connection, Options, *client]{
		Name:            "postgresql",
		Aliases:         []string{"postgres"},
		Title:           "PostgreSQL",
		Summary:         "Inserts each event into a table of PostgreSQL, as a JSON document, as columns, or as both, and never twice.",
		Doc:             doc,
		ConnectionTypes: []string{"postgresql", "postgres"},
		Guarantee:       modules.Once,
		Open:            open,
		New: func(env modules.Env, k *client, o *Options) (modules.Destination, error) {
			t, err := o.Compile(dialect)
			if err != nil {
				return nil, fmt.Errorf("postgresql: %w", err)
			}
			return &destination{env: env, client: k, o: o, table: t, looking: make(chan struct{}, 1)}, nil
		},
	})
}

var (
	_ modules.BatchDestination = (*destination)(nil)
	_ modules.Checker          = (*destination)(nil)
	_ modules.Conn             = (*client)(nil)
)
