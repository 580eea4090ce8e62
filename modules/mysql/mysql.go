// Package mysql writes deliveries to tables of MySQL or MariaDB.
package mysql

import "github.com/hookd/hookd/modules"

// Module declares the module.
func Module() modules.Module {
	return modules.Define(modules.Definition[Connection, Options, *client]{
		Name:            "mysql",
		Aliases:         []string{"mariadb"},
		Title:           "MySQL and MariaDB",
		Summary:         "Stores each event as a row of a MySQL or MariaDB table, and waits for the commit.",
		Doc:             doc,
		ConnectionTypes: []string{"mysql", "mariadb"},
		Guarantee:       modules.Once,
		Open:            open,
		New: func(_ modules.Env, k *client, o *Options) (modules.Destination, error) {
			return newDestination(k, o)
		},
	})
}

var (
	_ modules.BatchDestination = (*destination)(nil)
	_ modules.Checker          = (*destination)(nil)
	_ modules.Conn             = (*client)(nil)
)
