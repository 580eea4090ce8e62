package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	lib "github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/rows"
)

// suited is the table of the schema as it fits the one that is there: where that
// has an id of its own, a number for instance, the delivery's has another column.
func (d *destination) suited(found []existing) *rows.Table {
	id, there := find(found, rows.ColID)
	_, taken := d.rows.Column(rows.ColDelivery)
	if !there || d.rows.ID != rows.ColID || taken || !id.computed && parseType(id.typ).holdsID() {
		return d.rows
	}
	t := *d.rows
	t.Columns = slices.Clone(t.Columns)
	t.ID, t.Columns[0].Name = rows.ColDelivery, rows.ColDelivery
	return &t
}

// lacking are the columns of the schema that the table has not.
func lacking(t *rows.Table, found []existing) (cs []rows.Column) {
	for _, c := range t.Columns {
		if _, ok := find(found, c.Name); !ok {
			cs = append(cs, c)
		}
	}
	return cs
}

// suitRows says how the rows of the schema go into the table.
func (d *destination) suitRows(found []existing) (s shape, absent []rows.Column, err error) {
	t := d.suited(found)
	for i, c := range t.Columns {
		e, ok := find(found, c.Name)
		switch {
		case !ok && i < t.Own(): // left out, as without a schema
			continue
		case !ok:
			absent = append(absent, c)
			continue
		case e.computed:
			return nil, nil, d.unfit("computes the column %q itself: the schema cannot fill it", c.Name)
		}
		col := target{name: c.Name, typ: parseType(e.typ), from: i, of: c}
		if col.take = col.typ.taker(c.Type.Kind); col.take == nil {
			return nil, nil, d.unfit("has the column %q as %s, which takes no %s", c.Name, e.typ, c.Type)
		}
		s = append(s, col)
	}
	return s, absent, nil
}

func (d *destination) lacks(absent []rows.Column, known map[string]bool) error {
	return modules.Retry(modules.CodeNotFound, fmt.Errorf(`clickhouse: %s: table %q lacks columns, and "create" is false; to add them by hand: %s`,
		d.client.addr, d.o.Table, addColumns(d.o.Table, absent, d.rows, known)))
}

// add adds to the table what it lacks, and says so in the log. Nothing that is
// there is changed.
func (d *destination) add(ctx context.Context, found []existing, known map[string]bool) ([]existing, error) {
	t := d.suited(found)
	absent := lacking(t, found)
	if len(absent) == 0 {
		return found, nil
	}
	statement := addColumns(d.o.Table, absent, t, known)
	failed := d.client.do(ctx, func(db driver.Conn) error { return db.Exec(ctx, statement) })
	found, err := d.client.describe(ctx, d.o.Table)
	switch {
	case err != nil:
		return nil, err
	case failed != nil && len(lacking(t, found)) == 0: // another hookd was faster
		return found, nil
	case failed != nil:
		f := modules.FailureOf(failed)
		if f.Kind == modules.Rejected {
			f.Kind = modules.Retryable // no row is to blame
		}
		f.Err = fmt.Errorf("table %q lacks columns: %s: %w", d.o.Table, statement, f.Err)
		if f.Code == modules.CodeAuthFailed {
			f.Err = fmt.Errorf(`%w; done by hand, "create": false needs no such right`, f.Err)
		}
		return nil, &f
	}
	d.env.Log.WarnContext(ctx, "added to the table", "table", d.o.Table, "statement", statement)
	return found, nil
}

// warn tells of a table that merges rows which are equal in its order, if that
// is without the delivery's id: who made it may want that, or not know.
func (d *destination) warn(ctx context.Context, found []existing) {
	if d.rows == nil {
		return
	}
	if id, ok := find(found, d.suited(found).ID); ok && id.sorts {
		return
	}
	var engine string
	err := d.client.do(ctx, func(db driver.Conn) error {
		return db.QueryRow(ctx, "SELECT engine FROM system.tables WHERE database = currentDatabase() AND name = '"+d.o.Table+"'").Scan(&engine)
	})
	if err != nil {
		return // it is told when rows go in
	}
	merges := slices.ContainsFunc([]string{"Replacing", "Collapsing", "Summing", "Aggregating"}, func(kind string) bool { return strings.Contains(engine, kind) })
	if merges && d.news("engine", engine) {
		d.env.Log.WarnContext(ctx, "the delivery's id is not in the table's order: of rows that are equal in it, the server keeps one", "table", d.o.Table, "engine", engine)
	}
}

// row makes what goes into the table of the values of the schema.
func (s shape) row(t *rows.Table, values []any) ([]any, error) {
	out := make([]any, len(s))
	for i, c := range s {
		var err error
		switch v := values[c.from]; {
		case v != nil:
			out[i], err = c.take(v)
		case !c.typ.nullable: // the library would write 0, or an empty text
			err = errors.New("has no value, and the table's column cannot be null")
		}
		if err != nil {
			return nil, modules.Reject(dialect.CodeValue(), fmt.Errorf("clickhouse: table %s, column %s (%s, in the table %s): %w", t, c.name, c.of.Type, c.typ.text, err))
		}
	}
	return out, nil
}

// stands reports whether the columns are still those that rows were made for.
func (s shape) stands(now []lib.Interface) bool {
	return slices.EqualFunc(s, now, func(c target, n lib.Interface) bool {
		return c.name == n.Name() && (c.take == nil || c.typ.same(parseType(string(n.Type()))))
	})
}

// addColumns is the statement that adds columns to a table. The rows that are
// there have no value for them.
func addColumns(table string, cs []rows.Column, t *rows.Table, known map[string]bool) string {
	parts := make([]string, len(cs))
	for i, c := range cs {
		typ := created(c.Type, known)
		if c.Name == t.ID {
			typ = "String"
		}
		parts[i] = "ADD COLUMN `" + c.Name + "` Nullable(" + typ + ")"
	}
	return "ALTER TABLE `" + table + "` " + strings.Join(parts, ", ")
}
