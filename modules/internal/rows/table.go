package rows

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hookd/hookd/internal/spec"
)

// Column is a column of a row.
type Column struct {
	Name            string
	Type            Type
	NotNull, Unique bool
	Default         any // as Table.Row gives values; nil for none, or when DefaultNow is set
	HasDefault      bool
	DefaultNow      bool // the default is the time of receipt
}

// Index is a declared index. Its columns are in the table.
type Index struct {
	Name    string
	Columns []string
	Unique  bool

	at []string // where in the option "schema" it is
}

// Issue is one about the index.
func (x Index) Issue(message string) spec.Issue {
	return spec.Issue{Field: "schema", Below: x.at, Message: message}
}

// Table is where the rows go.
type Table struct {
	Dialect *Dialect
	Schema  string // "" is that of the connection
	Name    string
	Mode    Mode
	Columns []Column // what Row gives, in its order; the first is ID
	Indexes []Index
	// ID is the column of the delivery's id: "id", unless the schema has a field
	// of that column.
	ID string
	// Key is the column whose value an upsert looks for; "" for inserts.
	Key string
	// Search says that the payload of the mode json is indexed for searching.
	Search bool

	fields []field // those of the schema, in the order of their columns
	system []func(*source) (any, error)
}

// String is the name of the table for messages.
func (t *Table) String() string {
	if t.Schema != "" {
		return t.Schema + "." + t.Name
	}
	return t.Name
}

// Column finds a column by its name.
func (t *Table) Column(name string) (Column, bool) {
	i := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })
	if i < 0 {
		return Column{}, false
	}
	return t.Columns[i], true
}

// Issue is one about a column of the schema.
func (t *Table) Issue(column, message string) spec.Issue {
	i := spec.Issue{Field: "schema", Message: message}
	for _, f := range t.fields {
		if f.column.Name == column {
			i.Below = f.at
		}
	}
	return i
}

// The columns that are hookd's own. The original service had the same.
const (
	ColID       = "id"
	ColDelivery = "delivery_id" // instead of id where a field has that
	ColHook     = "webhook_id"
	ColReceived = "timestamp"
	ColPayload  = "payload"
	ColHeaders  = "headers"
	ColCreated  = "created_at"
)

var name = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_$]*$`)

// compiler checks options and makes the table of them.
type compiler struct {
	o      *Options
	d      *Dialect
	mode   Mode
	alone  bool // there is a schema and no other option
	issues []spec.Issue
}

func (c *compiler) fail(field, message, hint string, below ...string) {
	c.issues = append(c.issues, spec.Issue{Field: field, Below: below, Message: message, Hint: hint})
}

func (c *compiler) warn(field, message, hint string) {
	c.issues = append(c.issues, spec.Issue{Field: field, Message: message, Hint: hint, Warning: true})
}

func (c *compiler) compile() *Table {
	o := c.o
	c.mode = o.Mode()
	t := &Table{Dialect: c.d, Mode: c.mode, Name: o.TableName}
	if before, after, found := strings.Cut(o.TableName, "."); found {
		t.Schema, t.Name = before, after
		c.named("table", t.Schema)
	}
	c.named("table", t.Name)
	if c.d.Reserved[strings.ToLower(t.Name)] {
		c.fail("table", fmt.Sprintf("%q is a word of SQL", t.Name), "")
	}
	s, wrong := c.schema()
	if c.mode == JSONMode {
		if len(s.fields) > 0 {
			c.warn("schema", "does nothing in the mode json", `"storage_mode": "hybrid" keeps the body and fills the columns`)
		}
		s.fields, s.indexes = nil, nil
	} else if len(s.fields) == 0 && c.mode == RelationalMode && o.Schema == nil {
		c.fail("storage_mode", "is relational, which without schema keeps nothing of an event", `"storage_mode": "json" keeps the body`)
	} else if len(s.fields) == 0 && c.mode == RelationalMode && !wrong {
		c.fail("schema", noFields, "")
	}
	c.columns(t, s.fields)
	c.indexes(t, s.indexes)
	c.key(t)
	return t
}

// schema reads the option of that name, and reports whether it is wrong.
func (c *compiler) schema() (s schema, wrong bool) {
	s.read(c.o.Schema)
	c.issues = append(c.issues, s.issues...)
	return s, slices.ContainsFunc(s.issues, func(i spec.Issue) bool { return !i.Warning })
}

// CompileSchema makes the table of a schema alone, for a module whose other
// options are its own: the delivery's id, the hook, the time of receipt, and the
// fields. The name of the table is the module's to check. The issues are of the
// option schema; without an error among them the table is whole.
func CompileSchema(d *Dialect, name string, option any) (*Table, []spec.Issue) {
	c := compiler{o: &Options{Schema: option}, d: d, mode: RelationalMode, alone: true}
	t := &Table{Dialect: d, Mode: c.mode, Name: name}
	s, wrong := c.schema()
	if len(s.fields) == 0 && !wrong {
		c.fail("schema", noFields, "")
	}
	c.columns(t, s.fields)
	c.indexes(t, s.indexes)
	return t, c.issues
}

const noFields = "has no fields: nothing of an event would be kept"

// named checks a name. It is quoted in statements: what is refused here would be
// cut off or could not be typed without quotes.
func (c *compiler) named(field, s string, below ...string) {
	switch {
	case !name.MatchString(s):
		c.fail(field, fmt.Sprintf("%q is no name: want letters, digits and _, and no digit first", clip(s)), "", below...)
	case len(s) > c.d.MaxName:
		c.fail(field, fmt.Sprintf("%q has %d characters; %s takes %d", clip(s), len(s), c.d.Title, c.d.MaxName), "", below...)
	}
}

// columns puts hookd's own columns before those of the schema. A field may take
// the place of one that says nothing of the event itself.
func (c *compiler) columns(t *Table, fields []field) {
	taken := make(map[string]string) // column in lower case → field
	for _, f := range fields {
		key := strings.ToLower(f.column.Name)
		c.named("schema", f.column.Name, f.at...)
		if other, twice := taken[key]; twice {
			c.fail("schema", fmt.Sprintf("the fields %q and %q have one column, %q", other, f.name, f.column.Name), `set "column" of one of them`, f.at...)
		}
		taken[key] = f.name
	}
	free := func(column string) bool { _, is := taken[column]; return !is }
	t.ID = ColID
	for _, next := range []string{ColDelivery, "hookd_" + ColDelivery} {
		if !free(t.ID) {
			t.ID = next
		}
	}
	add := func(column string, typ Type, notNull bool, value func(*source) (any, error)) {
		t.Columns = append(t.Columns, Column{Name: column, Type: typ, NotNull: notNull, Unique: column == t.ID})
		t.system = append(t.system, value)
	}
	own := func(column string, typ Type, notNull bool, value func(*source) (any, error)) {
		if !free(column) {
			i := slices.IndexFunc(fields, func(f field) bool { return f.name == taken[column] })
			c.fail("schema", fmt.Sprintf("the field %q has the column %q, which is hookd's own", taken[column], column), `set another "column"`, fields[i].at...)
		}
		add(column, typ, notNull, value)
	}
	document, text, stamp := Type{Kind: JSON, Written: "json"}, Type{Kind: Text, Written: "text"}, Type{Kind: Timestamp, Written: "timestamp"}
	add(t.ID, Type{Kind: UUID, Written: "uuid"}, true, (*source).id)
	own(ColHook, text, true, (*source).hook)
	switch {
	case c.alone:
		own(ColReceived, stamp, true, (*source).received)
	case t.Mode == JSONMode:
		add(ColReceived, stamp, false, (*source).received)
	}
	if t.Mode != RelationalMode {
		own(ColPayload, document, true, (*source).payload)
		if c.o.Headers {
			own(ColHeaders, document, false, (*source).headers)
		}
	}
	if free(ColCreated) && !c.alone {
		add(ColCreated, stamp, false, (*source).received)
	}
	for _, f := range fields {
		t.Columns = append(t.Columns, f.column)
	}
	t.fields = fields
}

func (c *compiler) indexes(t *Table, all []Index) {
	for _, x := range all {
		c.named("schema", x.Name, x.at...)
		for i, column := range x.Columns {
			if found, ok := t.find(column); ok {
				x.Columns[i] = found
			} else {
				c.fail("schema", fmt.Sprintf("the index %q is on %q, which is no field or column", clip(x.Name), clip(column)), "", x.at...)
			}
		}
		t.Indexes = append(t.Indexes, x)
	}
}

// find finds a column by the name of its field, or by its own.
func (t *Table) find(s string) (string, bool) {
	for _, f := range t.fields {
		if f.name == s {
			return f.column.Name, true
		}
	}
	_, ok := t.Column(s)
	return s, ok
}

// key finds the column of an upsert.
func (c *compiler) key(t *Table) {
	if !c.o.Upsert {
		return
	}
	if t.Mode == JSONMode {
		t.Search = true
		c.warn("upsert", "does nothing in the mode json: every delivery is a row", `"storage_mode": "hybrid" and a field for upsert_key`)
		return
	}
	column, ok := t.find(c.o.UpsertKey)
	switch {
	case !ok:
		c.fail("upsert_key", fmt.Sprintf("%q is no field of schema", clip(c.o.UpsertKey)), "")
	case column == t.ID:
		c.warn("upsert_key", "is the id of the delivery, which no other has: nothing is ever updated", "name a field of schema")
	case !slices.ContainsFunc(t.fields, func(f field) bool { return f.column.Name == column }):
		c.fail("upsert_key", fmt.Sprintf("%q is a column of hookd's own", column), "name a field of schema")
	default:
		t.Key = column
		for i := range t.Columns {
			if t.Columns[i].Name == column {
				t.Columns[i].Unique, t.Columns[i].NotNull = true, true
			}
		}
		for i := range t.fields {
			if t.fields[i].column.Name == column {
				t.fields[i].column.Unique, t.fields[i].column.NotNull = true, true
			}
		}
	}
}

func clip(s string) string {
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:80], "") + "..."
	}
	return s
}

// Own is how many of the columns are hookd's own; those of the schema follow.
func (t *Table) Own() int { return len(t.system) }
