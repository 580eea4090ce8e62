package mysql

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hookd/hookd/modules/internal/rows"
)

// maxPlaceholders is how many values one statement may have.
const maxPlaceholders = 65535

// insert is the statement that stores n rows. update adds what an upsert does
// with a row that is there. VALUES() is what MySQL and MariaDB both have;
// MySQL 8 calls it deprecated and knows it.
func insert(t *rows.Table, n int, update bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "INSERT INTO %s (%s) VALUES ", tableName(t), quoteAll(columnNames(t)))
	row := "(?" + strings.Repeat(", ?", len(t.Columns)-1) + ")"
	b.Grow(n * (len(row) + 1))
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(row)
	}
	if !update {
		return b.String()
	}
	b.WriteString(" ON DUPLICATE KEY UPDATE ")
	b.WriteString(assign(t, func(name string) string { return "VALUES(" + quote(name) + ")" }, "VALUES("+quote(rows.ColCreated)+")"))
	return b.String()
}

// assign is what an upsert does with a row that is there. An event that was
// received before the one that the row has changes nothing: every column looks at
// the time, and the time itself comes last, because the assignments are done one
// after the other.
func assign(t *rows.Table, value func(name string) string, received string) string {
	var sets []string
	for _, name := range updated(t) {
		v := value(name)
		if timed(t) {
			v = fmt.Sprintf("IF(%[1]s IS NULL OR %[1]s <= %[2]s, %[3]s, %[4]s)", quote(rows.ColCreated), received, v, quote(name))
		}
		sets = append(sets, quote(name)+" = "+v)
	}
	if len(sets) == 0 { // nothing but the key
		sets = []string{quote(t.Key) + " = " + quote(t.Key)}
	}
	return strings.Join(sets, ", ")
}

// timed reports a table whose rows say when their event was received.
func timed(t *rows.Table) bool {
	return slices.ContainsFunc(t.Columns[:t.Own()], func(c rows.Column) bool { return c.Name == rows.ColCreated })
}

// replace is the statement that updates the row of the upsert's key. Its values
// are those of replaceArgs. precision is that of the column created_at: what is
// compared must be rounded as what was stored.
func replace(t *rows.Table, precision int) string {
	received := fmt.Sprintf("CAST(? AS DATETIME(%d))", precision)
	return fmt.Sprintf("UPDATE %s SET %s WHERE %s = ?", tableName(t), assign(t, func(string) string { return "?" }, received), quote(t.Key))
}

func replaceArgs(t *rows.Table, values []any) (args []any) {
	at := func(name string) any {
		return values[slices.IndexFunc(t.Columns, func(c rows.Column) bool { return c.Name == name })]
	}
	for _, name := range updated(t) {
		if timed(t) {
			args = append(args, at(rows.ColCreated))
		}
		args = append(args, at(name))
	}
	return append(args, at(t.Key))
}

func columnNames(t *rows.Table) []string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return names
}

// updated are the columns that an upsert writes to a row that is there: all but
// the key and those that say how the row came to be. The time comes last.
func updated(t *rows.Table) []string {
	var names []string
	for _, c := range t.Columns {
		if c.Name != t.ID && c.Name != rows.ColHook && c.Name != t.Key && (c.Name != rows.ColCreated || !timed(t)) {
			names = append(names, c.Name)
		}
	}
	if timed(t) {
		names = append(names, rows.ColCreated)
	}
	return names
}

// create is the statement that makes the table. Texts are compared as they are,
// by code points and with their trailing spaces, where the server has a
// collation for that.
func create(t *rows.Table, collation string) string {
	var parts []string
	for i, c := range t.Columns {
		text := quote(c.Name) + " " + sqlType(c, keyed(t, c))
		if i < t.Own() && c.Type.Kind == rows.Timestamp {
			text += " DEFAULT CURRENT_TIMESTAMP(6)"
		}
		if c.NotNull {
			text += " NOT NULL"
		}
		if c.Name == t.ID {
			text += " PRIMARY KEY"
		}
		parts = append(parts, text)
	}
	for _, x := range indexes(t) {
		parts = append(parts, x.clause(t))
	}
	return fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s (\n  %s\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=%s",
		tableName(t), strings.Join(parts, ",\n  "), collation)
}

// keyed reports a column with an index.
func keyed(t *rows.Table, c rows.Column) bool {
	return c.Unique || slices.ContainsFunc(t.Indexes, func(x rows.Index) bool { return x.Unique && slices.Contains(x.Columns, c.Name) })
}

// index is one that the table must or should have.
type index struct{ rows.Index }

// indexes are those of the table but that of its ID.
func indexes(t *rows.Table) []index {
	var all []index
	for _, c := range t.Columns {
		if c.Unique && c.Name != t.ID {
			name := c.Name
			if slices.ContainsFunc(t.Indexes, func(x rows.Index) bool { return strings.EqualFold(x.Name, name) }) {
				name = "hookd_" + name
			}
			all = append(all, index{rows.Index{Name: name[:min(len(name), maxIdentifier)], Columns: []string{c.Name}, Unique: true}})
		}
	}
	for _, x := range t.Indexes {
		all = append(all, index{x})
	}
	return all
}

// clause is the index as CREATE TABLE and ALTER TABLE ... ADD have it. An index
// that is not unique holds the beginning of a long text.
func (x index) clause(t *rows.Table) string {
	kind := "INDEX"
	if x.Unique {
		kind = "UNIQUE INDEX"
	}
	var parts []string
	for _, name := range x.Columns {
		part := quote(name)
		if c, _ := t.Column(name); !x.Unique && c.Type.Kind == rows.Text && (c.Type.Size == 0 || c.Type.Size*len(x.Columns) > maxKeyed) && !c.Unique {
			part += fmt.Sprintf("(%d)", maxKeyed/len(x.Columns)-36)
		}
		parts = append(parts, part)
	}
	return fmt.Sprintf("%s %s (%s)", kind, quote(x.Name), strings.Join(parts, ", "))
}
