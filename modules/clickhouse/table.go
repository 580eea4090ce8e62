package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/hookd/hookd/modules"
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

// shape is what hookd found of a table: those of its columns that hookd writes,
// in hookd's order. An empty one is a table that is not there.
type shape []string

// describe looks at the table.
func (k *client) describe(ctx context.Context, table string) (shape, error) {
	var found []string
	err := k.do(ctx, func(db driver.Conn) error {
		rows, err := db.Query(ctx, "SELECT name, default_kind FROM system.columns WHERE database = currentDatabase() AND table = '"+table+"'")
		if err != nil {
			return err
		}
		for rows.Next() {
			var name, kind string
			if err := rows.Scan(&name, &kind); err != nil {
				return errors.Join(err, rows.Close())
			}
			if kind != "MATERIALIZED" && kind != "ALIAS" {
				found = append(found, name)
			}
		}
		return errors.Join(rows.Err(), rows.Close())
	})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	var s shape
	for _, c := range columns {
		if slices.Contains(found, c) {
			s = append(s, c)
		}
	}
	if !slices.Contains(s, colPayload) {
		return nil, modules.Retry(codeTable, fmt.Errorf("clickhouse: %s: table %q has no column %q", k.addr, table, colPayload))
	}
	return s, nil
}

// codeTable: the table is not one that hookd can write.
const codeTable = "clickhouse_table"

// createTable is the statement that creates the original service's table. Its
// sorting key ends with the id: that of the original, (webhook_id, timestamp),
// would make ReplacingMergeTree drop all but one event of a second.
func createTable(o *Options, tokens bool) string {
	var s strings.Builder
	s.WriteString("CREATE TABLE IF NOT EXISTS `" + o.Table + "` (`id` String, `webhook_id` String, `timestamp` DateTime, " +
		"`payload` String, `headers` String, `created_at` DateTime DEFAULT now()) ENGINE = " + string(o.Engine) + "() " +
		"PARTITION BY toYYYYMM(`timestamp`) ORDER BY (`webhook_id`, `timestamp`, `id`)")
	if tokens {
		// Without it a table that is not replicated forgets the tokens.
		s.WriteString(" SETTINGS non_replicated_deduplication_window = 1000")
	}
	return s.String()
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
	s, err := d.client.describe(ctx, d.o.Table)
	if err == nil && len(s) == 0 && d.o.Create {
		err = d.client.do(ctx, func(db driver.Conn) error { return db.Exec(ctx, createTable(d.o, known[settingToken])) })
		if err != nil {
			f := modules.FailureOf(err)
			f.Err = fmt.Errorf(`create table %q: %w; "create": false needs no such right`, d.o.Table, f.Err)
			return nil, &f
		}
		s, err = d.client.describe(ctx, d.o.Table)
	}
	switch {
	case err != nil:
		return nil, err
	case len(s) == 0:
		return nil, d.missing()
	}
	if left := without(columns, s); len(left) > 0 {
		d.env.Log.WarnContext(ctx, "the table has no such columns: they are not written", "table", d.o.Table, "columns", left)
	}
	d.shape.Store(&s)
	return s, nil
}

func (d *destination) missing() error {
	return modules.Retry(modules.CodeNotFound, fmt.Errorf("clickhouse: %s: database %q has no table %q", d.client.addr, d.client.config.Database, d.o.Table))
}

func without(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(c string) bool { return slices.Contains(some, c) })
}
