package rows

import (
	"fmt"
	"strings"

	"github.com/hookd/hookd/internal/spec"
)

// Mode says what of a delivery becomes a column.
type Mode string

// The modes.
const (
	JSONMode       Mode = "json"       // the whole body in one column
	RelationalMode Mode = "relational" // the fields of the schema
	HybridMode     Mode = "hybrid"     // both
)

// Options are those that all relational modules have.
type Options struct {
	TableName string
	Storage   string
	Upsert    bool
	UpsertKey string
	Headers   bool
	Create    bool
	Schema    any
}

// Fields lists the options.
func (o *Options) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&o.TableName, "table").Default("webhook_events").Example("github_events").
			Doc("Table to insert into, `schema.table` where it is not in the schema of the connection."),
		spec.String(&o.Storage, "storage_mode").Default(string(JSONMode)).
			Doc("`json`: the whole body in one column. `relational`: the fields of `schema`, a column each, and nothing else of the body. `hybrid`: both."),
		spec.Any(&o.Schema, "schema").Example(map[string]any{"fields": map[string]any{
			"amount": map[string]any{"column": "amount", "type": "numeric(12,2)", "path": "data.amount", "constraints": []any{NotNull}},
		}}).
			Doc("The columns of the modes `relational` and `hybrid`: `{\"column\": \"type\"}`, or `fields` and `indexes` as described above."),
		spec.Bool(&o.Upsert, "upsert").Default(false).
			Doc("Update the row that has the same `upsert_key` instead of adding one. Not in the mode `json`."),
		spec.String(&o.UpsertKey, "upsert_key").Default("id").
			Doc("Field or column of `schema` that names a row for `upsert`."),
		spec.Bool(&o.Headers, "include_headers").Default(true).
			Doc("Keep the headers, all but credentials, in the column `headers` (modes `json` and `hybrid`)."),
		spec.Bool(&o.Create, "create").Default(true).
			Doc("Create the table, columns and indexes that are missing. What is there is never changed or dropped."),
		spec.Ignored("include_timestamp", "the time of receipt is always stored"),
	}
}

// Mode is the mode of storage. As in the original service, what is neither json
// nor relational is hybrid.
func (o *Options) Mode() Mode {
	switch m := Mode(strings.ToLower(strings.TrimSpace(o.Storage))); m {
	case JSONMode, RelationalMode:
		return m
	default:
		return HybridMode
	}
}

// Validate looks at the options together.
func (o *Options) Validate(d *Dialect) []spec.Issue {
	c := compiler{o: o, d: d}
	c.compile()
	if m := strings.ToLower(strings.TrimSpace(o.Storage)); c.mode == HybridMode && m != string(HybridMode) {
		c.warn("storage_mode", fmt.Sprintf("%q is not known and means hybrid", o.Storage), "write json, relational or hybrid")
	}
	return c.issues
}

// Compile makes the table of options that passed Validate.
func (o *Options) Compile(d *Dialect) (*Table, error) {
	c := compiler{o: o, d: d}
	t := c.compile()
	if err := Wrong(c.issues); err != nil {
		return nil, err
	}
	return t, nil
}

// Wrong is the first of the issues that is no warning, with its place; nil for
// none.
func Wrong(issues []spec.Issue) error {
	for _, i := range issues {
		if !i.Warning {
			return fmt.Errorf("%s %s", strings.Join(append([]string{i.Field}, i.Below...), "."), i.Message)
		}
	}
	return nil
}
