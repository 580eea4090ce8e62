package clickhouse

import (
	"fmt"
	"strings"

	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules/internal/rows"
)

// dialect is what ClickHouse allows. A column is a file: its name has the room
// that a table's has.
var dialect = &rows.Dialect{Module: "clickhouse", Title: "ClickHouse", MaxName: maxTable, NUL: true}

// maxDigits is how many digits a Decimal of any server has.
const maxDigits = 38

// unsized is a numeric without a size: 20 digits before the point, and 18 behind.
var unsized = rows.Type{Kind: rows.Decimal, Size: maxDigits, Scale: 18}

// Validate looks at the schema.
func (o *Options) Validate() []spec.Issue {
	if o.Schema == nil {
		return nil
	}
	t, issues := rows.CompileSchema(dialect, o.Table, o.Schema)
	add := func(warning bool, format string, args ...any) {
		issues = append(issues, spec.Issue{Field: "schema", Message: fmt.Sprintf(format, args...), Warning: warning})
	}
	for _, c := range t.Columns[t.Own():] {
		if c.Type.Kind == rows.Decimal && c.Type.Size > maxDigits {
			add(false, "the column %q is %s; ClickHouse has %d digits", c.Name, c.Type, maxDigits)
		}
		if c.Unique {
			add(true, "the column %q is not kept unique: ClickHouse cannot", c.Name)
		}
	}
	if len(t.Indexes) > 0 {
		add(true, "the indexes are not made: the order of a table is ClickHouse's index")
	}
	return issues
}

// compile is the table of the schema; nil without one.
func (o *Options) compile() (*rows.Table, error) {
	if o.Schema == nil {
		return nil, nil //nolint:nilnil // there is none
	}
	t, issues := rows.CompileSchema(dialect, o.Table, o.Schema)
	if err := rows.Wrong(issues); err != nil {
		return nil, fmt.Errorf("clickhouse: %w", err)
	}
	return t, nil
}

// Types that only newer servers know.
const (
	typeStamp64 = "DateTime64"
	typeDate32  = "Date32"
)

// created is the type of a column that is created, on a server that knows some
// of the newer types.
func created(t rows.Type, known map[string]bool) string {
	switch t.Kind {
	case rows.Integer:
		return "Int64"
	case rows.Float:
		return "Float64"
	case rows.Decimal:
		if t.Size == 0 {
			t = unsized
		}
		return fmt.Sprintf("Decimal(%d, %d)", t.Size, t.Scale)
	case rows.Boolean:
		return "UInt8"
	case rows.Timestamp:
		if known[typeStamp64] {
			return typeStamp64 + "(6)"
		}
		return "DateTime"
	case rows.Date:
		if known[typeDate32] {
			return typeDate32
		}
		return "Date"
	case rows.UUID:
		return "UUID"
	default: // JSON and the time of a day have no type that every server knows
		return "String"
	}
}

// createRows is the statement that creates the table of a schema: hookd's
// columns as in the table without one, then those of the schema. The delivery's
// id is last in the order, so that repeats are the same row and nothing else is.
func createRows(o *Options, t *rows.Table, known map[string]bool) string {
	var s strings.Builder
	s.WriteString("CREATE TABLE IF NOT EXISTS `" + o.Table + "` (")
	for i, c := range t.Columns {
		typ := created(c.Type, known)
		switch {
		case c.Name == t.ID:
			typ = "String"
		case i < t.Own() && c.Type.Kind == rows.Timestamp:
			typ = "DateTime"
		case !c.NotNull:
			typ = "Nullable(" + typ + ")"
		}
		s.WriteString("`" + c.Name + "` " + typ + ", ")
	}
	if _, taken := t.Column(rows.ColCreated); !taken {
		s.WriteString("`" + rows.ColCreated + "` DateTime DEFAULT now(), ")
	}
	return strings.TrimSuffix(s.String(), ", ") + ") " + o.order(t.ID, known)
}
