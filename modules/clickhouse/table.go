package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/rows"
)

// Columns of the original service's table that hookd writes.
const (
	colID        = "id" // of the delivery: the same on each attempt
	colHook      = "webhook_id"
	colTimestamp = "timestamp" // when the event was received
	colPayload   = "payload"
	colHeaders   = "headers"
)

var columns = []string{colID, colHook, colTimestamp, colPayload, colHeaders}

// shape is what hookd found of a table: those of its columns that it writes, in
// its order. An empty one is a table that is not there.
type shape []target

// target is a column that is written.
type target struct {
	name string
	typ  columnType
	from int         // place in the row of the schema, if there is one
	of   rows.Column // what the schema says of it
	take taker       // nil without a schema
}

func (s shape) names() []string {
	names := make([]string, len(s))
	for i, c := range s {
		names[i] = c.name
	}
	return names
}

// insert is the statement that begins a block of rows.
func (s shape) insert(table string) string {
	return "INSERT INTO `" + table + "` (`" + strings.Join(s.names(), "`, `") + "`)"
}

// existing is a column that the table has.
type existing struct {
	name, typ string
	computed  bool // it cannot be written
	sorts     bool // it is in the table's order
}

// describe looks at the table; it has no columns when it is not there.
func (k *client) describe(ctx context.Context, table string) (found []existing, err error) {
	err = k.do(ctx, func(db driver.Conn) error {
		rs, err := db.Query(ctx, "SELECT name, type, default_kind, is_in_sorting_key FROM system.columns WHERE database = currentDatabase() AND table = '"+table+"'")
		if err != nil {
			return err
		}
		for rs.Next() {
			var e existing
			var kind string
			var sorts uint8
			if err := rs.Scan(&e.name, &e.typ, &kind, &sorts); err != nil {
				return errors.Join(err, rs.Close())
			}
			e.computed, e.sorts = kind == "MATERIALIZED" || kind == "ALIAS", sorts != 0
			found = append(found, e)
		}
		return errors.Join(rs.Err(), rs.Close())
	})
	return found, err
}

func find(found []existing, name string) (existing, bool) {
	i := slices.IndexFunc(found, func(e existing) bool { return e.name == name })
	if i < 0 {
		return existing{}, false
	}
	return found[i], true
}

// suit says which columns of the table are written, and how, and which it lacks
// for the schema. Without one they are the original service's that it has.
func (d *destination) suit(found []existing) (shape, []rows.Column, error) {
	if d.rows != nil {
		return d.suitRows(found)
	}
	var s shape
	for _, name := range columns {
		if e, ok := find(found, name); ok && !e.computed {
			s = append(s, target{name: name})
		}
	}
	if !slices.Contains(s.names(), colPayload) {
		return nil, nil, d.unfit("has no column %q", colPayload)
	}
	return s, nil, nil
}

func (d *destination) unfit(format string, args ...any) error {
	return modules.Retry(codeTable, fmt.Errorf("clickhouse: %s: table %q %s", d.client.addr, d.o.Table, fmt.Sprintf(format, args...)))
}

// codeTable: the table is not one that hookd can write.
const codeTable = "clickhouse_table"

// createTable is the statement that creates the original service's table. Its
// sorting key ends with the id: that of the original, (webhook_id, timestamp),
// would make ReplacingMergeTree drop all but one event of a second.
func createTable(o *Options, known map[string]bool) string {
	return "CREATE TABLE IF NOT EXISTS `" + o.Table + "` (`id` String, `webhook_id` String, `timestamp` DateTime, " +
		"`payload` String, `headers` String, `created_at` DateTime DEFAULT now()) " + o.order(colID, known)
}

// order is the end of a statement that creates a table.
func (o *Options) order(id string, known map[string]bool) string {
	s := "ENGINE = " + string(o.Engine) + "() PARTITION BY toYYYYMM(`timestamp`) ORDER BY (`webhook_id`, `timestamp`, `" + id + "`)"
	if known[settingToken] {
		// Without it a table that is not replicated forgets the tokens.
		s += " SETTINGS non_replicated_deduplication_window = 1000"
	}
	return s
}

// table is the shape of the destination's table, which is created where it may
// be.
func (d *destination) table(ctx context.Context) (shape, error) {
	if s := d.shape.Load(); s != nil {
		return *s, nil
	}
	known, err := d.client.settings(ctx)
	if err != nil {
		return nil, err
	}
	found, err := d.client.describe(ctx, d.o.Table)
	if err == nil && len(found) == 0 && d.o.Create {
		err = d.client.do(ctx, func(db driver.Conn) error { return db.Exec(ctx, d.create(known)) })
		if err != nil {
			f := modules.FailureOf(err)
			f.Err = fmt.Errorf(`create table %q: %w; "create": false needs no such right`, d.o.Table, f.Err)
			return nil, &f
		}
		found, err = d.client.describe(ctx, d.o.Table)
	}
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, d.missing()
	}
	s, absent, err := d.suit(found)
	if err == nil && d.rows != nil && d.o.Create {
		if found, err = d.add(ctx, found, known); err == nil {
			s, absent, err = d.suit(found)
		}
	}
	switch {
	case err != nil:
		return nil, err
	case len(absent) > 0:
		return nil, d.lacks(absent, known)
	}
	d.warn(ctx, found)
	if left := without(d.own(found), s.names()); len(left) > 0 && d.news("columns", strings.Join(left, " ")) {
		d.env.Log.WarnContext(ctx, "the table has no such columns: they are not written", "table", d.o.Table, "columns", left)
	}
	d.shape.Store(&s)
	return s, nil
}

// news reports what the log has not been told of the table yet: it is looked at
// again and again.
func (d *destination) news(name, value string) bool {
	before, told := d.told[name]
	d.told[name] = value
	return !told || before != value
}

// own are the columns that a table may lack: what they hold is hookd's.
func (d *destination) own(found []existing) []string {
	if d.rows == nil {
		return columns
	}
	var names []string
	for _, c := range d.suited(found).Columns[:d.rows.Own()] {
		names = append(names, c.Name)
	}
	return names
}

func (d *destination) create(known map[string]bool) string {
	if d.rows != nil {
		return createRows(d.o, d.rows, known)
	}
	return createTable(d.o, known)
}

func (d *destination) missing() error {
	return modules.Retry(modules.CodeNotFound, fmt.Errorf("clickhouse: %s: database %q has no table %q", d.client.addr, d.client.config.Database, d.o.Table))
}

func without(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(c string) bool { return slices.Contains(some, c) })
}
