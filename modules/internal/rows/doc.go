// Package rows turns deliveries into rows: what the modules of relational
// databases have in common. It knows options, schemas, types and values, and no
// SQL: a module brings a Dialect and makes the statements.
//
// A module embeds Options in its own, calls Options.Fields and Options.Validate
// with its Dialect, compiles a Table when a destination is made, and asks it for
// the Row of each delivery. One with options of its own has the schema alone, by
// CompileSchema. Everything of a Table is read-only and safe for concurrent use.
//
// # What a value becomes
//
// A field finds its value in the body. One that is not there is the field's
// default, or else NULL. A JSON null is NULL, and never the default; a null that
// a jq program yields counts as not there, because jq does not tell the two
// apart. A column that is NOT NULL refuses NULL. Types are checked here and not
// left to the database, some of which store something else than was given.
package rows

// Dialect is what differs between the databases and is not SQL.
type Dialect struct {
	Module   string          // name of the module: prefix of its codes
	Title    string          // of the database, for messages
	MaxName  int             // length of a name in bytes
	NUL      bool            // texts and JSON may hold U+0000
	Reserved map[string]bool // words that cannot name a table, in lower case
}

// CodeValue is the slug of a row that the schema refuses.
func (d *Dialect) CodeValue() string { return d.Module + "_value" }
