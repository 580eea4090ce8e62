// Package s3 stores deliveries as objects of Amazon S3, or of a server that
// speaks its protocol.
package s3

import "github.com/hookd/hookd/modules"

const doc = `TODO`

// Module declares the module.
func Module() modules.Module {
	return modules.Define(modules.Definition[Connection, Options, *client]{
		Name:            "s3",
		Title:           "Amazon S3",
		Summary:         "Stores each event as an object in S3 or a compatible store, or many as lines of one.",
		Doc:             doc,
		ConnectionTypes: []string{"s3"},
		// A repeat overwrites the object of its delivery. Lines of an object of
		// many can come again in another, and carry the delivery's id.
		Guarantee: modules.Keyed,
		Open:      open,
		New:       newDestination,
	})
}

var (
	_ modules.Destination      = (*destination)(nil)
	_ modules.BatchDestination = (*batches)(nil)
	_ modules.Checker          = (*destination)(nil)
	_ modules.Conn             = (*client)(nil)
	_ modules.Egress           = (*Connection)(nil)
)
