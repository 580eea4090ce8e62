package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
	"github.com/hookd/hookd/modules/internal/rows"
)

// shape is what the server has of a table.
type shape struct {
	engine  string
	columns map[string]column // by name in lower case
	unique  map[string][]string
	names   map[string]bool // of all indexes, in lower case
}

// column is one of the server's.
type column struct {
	name, kind string // kind is its data type in lower case
	scale      int    // digits behind the point, or of a second
}

// exact reports a column whose numbers have no more digits than its scale says.
func (c column) exact() bool {
	return slices.Contains([]string{"decimal", "tinyint", "smallint", "mediumint", "int", "bigint"}, c.kind)
}

// there reports a table that exists.
func (s *shape) there() bool { return len(s.columns) > 0 }

// uniqueOn are the unique indexes on one column and no other.
func (s *shape) uniqueOn(name string) (found []string) {
	for index, columns := range s.unique {
		if len(columns) == 1 && strings.EqualFold(columns[0], name) {
			found = append(found, index)
		}
	}
	return found
}

// inspect asks the server what it has.
func (d *destination) inspect(ctx context.Context) (*shape, error) {
	s := &shape{columns: make(map[string]column), unique: make(map[string][]string), names: make(map[string]bool)}
	schema := d.t.Schema
	if schema == "" {
		schema = d.client.target.database
	}
	db := d.client.db
	rs, err := db.QueryContext(ctx, `SELECT c.COLUMN_NAME, LOWER(c.DATA_TYPE), COALESCE(c.NUMERIC_SCALE, c.DATETIME_PRECISION, 0), COALESCE(t.ENGINE, '')
		FROM information_schema.COLUMNS c JOIN information_schema.TABLES t ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME
		WHERE c.TABLE_SCHEMA = ? AND c.TABLE_NAME = ?`, schema, d.t.Name)
	if err != nil {
		return nil, err
	}
	defer rs.Close()
	for rs.Next() {
		var c column
		if err := rs.Scan(&c.name, &c.kind, &c.scale, &s.engine); err != nil {
			return nil, err
		}
		s.columns[strings.ToLower(c.name)] = c
	}
	if err := errors.Join(rs.Err(), rs.Close()); err != nil {
		return nil, err
	}
	is, err := db.QueryContext(ctx, `SELECT INDEX_NAME, NON_UNIQUE, COLUMN_NAME, SUB_PART IS NOT NULL FROM information_schema.STATISTICS
		WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY INDEX_NAME, SEQ_IN_INDEX`, schema, d.t.Name)
	if err != nil {
		return nil, err
	}
	defer is.Close()
	for is.Next() {
		var (
			name          string
			column        *string // nil is an expression
			plain, prefix bool
		)
		if err := is.Scan(&name, &plain, &column, &prefix); err != nil {
			return nil, err
		}
		s.names[strings.ToLower(name)] = true
		switch {
		case plain:
		case column == nil || prefix:
			s.unique[name] = append(s.unique[name], "", "") // on something else than a column
		default:
			s.unique[name] = append(s.unique[name], *column)
		}
	}
	return s, is.Err()
}

// ready sees to it, once, that the table is there and as it must be.
func (d *destination) ready(ctx context.Context) (*plan, error) {
	if p := d.plan.Load(); p != nil {
		return p, nil
	}
	select {
	case d.making <- struct{}{}:
		defer func() { <-d.making }()
	case <-ctx.Done():
		return nil, link.Ended(ctx, fmt.Errorf("mysql: %s: the table was not looked at", d.client.target.addr()))
	}
	if p := d.plan.Load(); p != nil {
		return p, nil
	}
	s, err := d.inspect(ctx)
	if err == nil && d.o.Create {
		s, err = d.make(ctx, s, d.suit(s))
	}
	if err != nil {
		f := modules.FailureOf(d.client.failure(ctx, err, d.t.String()))
		if f.Kind == modules.Rejected {
			f.Kind = modules.Retryable // no row is to blame
		}
		return nil, &f
	}
	p, err := fit(s, d.suit(s))
	if err != nil {
		return nil, d.client.failure(ctx, err, d.t.String())
	}
	d.plan.Store(p)
	return p, nil
}

// suit is the table as it is to be used: where its id is something else than a
// text, a number for instance, the delivery's id has a column of its own.
func (d *destination) suit(s *shape) *rows.Table {
	id, there := s.columns[rows.ColID]
	_, taken := d.t.Column(rows.ColDelivery)
	if !there || d.t.ID != rows.ColID || taken || holdsID(id) {
		return d.t
	}
	t := *d.t
	t.Columns = slices.Clone(t.Columns)
	t.ID, t.Columns[0].Name = rows.ColDelivery, rows.ColDelivery
	return &t
}

// holdsID reports a column that can have a delivery's id, a text of 36
// characters.
func holdsID(c column) bool {
	return slices.Contains([]string{"char", "varchar", "text", "uuid"}, c.kind)
}

// make adds to the server's table what t has and it has not. Nothing that is
// there is changed.
func (d *destination) make(ctx context.Context, s *shape, t *rows.Table) (*shape, error) {
	did := false
	exec := func(what, statement string) error {
		if _, err := d.client.db.ExecContext(ctx, statement); err != nil {
			return err
		}
		did = true
		if d.client.env.Log != nil {
			d.client.env.Log.InfoContext(ctx, "mysql: changed a table", "table", t.String(), "change", what, "statement", statement)
		}
		return nil
	}
	if !s.there() {
		if err := exec("created a table", create(t, d.client.collation(ctx))); err != nil {
			return nil, err
		}
		return d.inspect(ctx)
	}
	for _, c := range t.Columns {
		if _, ok := s.columns[strings.ToLower(c.Name)]; ok {
			continue
		}
		// The rows that are there have no value for it: it cannot be NOT NULL.
		err := exec("added a column", fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s %s NULL", tableName(t), quote(c.Name), sqlType(c, keyed(t, c))))
		if err != nil && !isNumber(err, 1060) { // somebody else has added it
			return nil, err
		}
	}
	want := indexes(t)
	if len(s.uniqueOn(t.ID)) == 0 {
		want = append(want, index{rows.Index{Name: "hookd_" + t.ID, Columns: []string{t.ID}, Unique: true}})
	}
	for _, x := range want {
		if s.names[strings.ToLower(x.Name)] || x.Unique && len(x.Columns) == 1 && len(s.uniqueOn(x.Columns[0])) > 0 {
			continue
		}
		err := exec("added an index", fmt.Sprintf("ALTER TABLE %s ADD %s", tableName(t), x.clause(t)))
		switch c, _ := classOf(err); {
		case err == nil, isNumber(err, 1061):
		case c == gone || c == busy || c == rights || c == other && ctx.Err() != nil:
			return nil, err
		case x.Columns[0] != t.ID && x.Columns[0] != t.Key && ctx.Err() == nil:
			// The rows go in without it; fit asks for what they need.
			if d.client.env.Log != nil {
				d.client.env.Log.WarnContext(ctx, "mysql: cannot add an index", "table", t.String(), "index", x.Name, "error", d.client.failure(ctx, err, ""))
			}
		default:
			return nil, err
		}
	}
	if !did {
		return s, nil
	}
	return d.inspect(ctx)
}

// plan is how rows are written to the table as it is.
type plan struct {
	t      *rows.Table
	idKeys []string // the unique indexes on the delivery's id
	// columns are the server's, by the names of rows.
	columns map[string]column
	// singly: a row that is there is found by the key alone. ON DUPLICATE KEY
	// UPDATE would update whatever row has any value of any unique index.
	singly bool
}

// fit says whether rows can be written to the table, and how.
func fit(s *shape, t *rows.Table) (*plan, error) {
	if !s.there() {
		return nil, modules.Retry(modules.CodeNotFound, fmt.Errorf(`table %s is not there, and "create" is false`, t))
	}
	p := &plan{t: t, columns: make(map[string]column), idKeys: s.uniqueOn(t.ID)}
	var absent []string
	for _, c := range t.Columns {
		got, ok := s.columns[strings.ToLower(c.Name)]
		if !ok {
			absent = append(absent, c.Name)
			continue
		}
		p.columns[c.Name] = got
		if c.Name == t.ID && !holdsID(got) {
			return nil, modules.Retry(modules.CodeRefused, fmt.Errorf("table %s: the column %s is %s; hookd keeps the delivery's id there, a text of 36 characters", t, c.Name, got.kind))
		}
	}
	switch {
	case len(absent) > 0:
		return nil, modules.Retry(modules.CodeNotFound, fmt.Errorf("table %s has no column %s", t, strings.Join(absent, ", ")))
	case strings.EqualFold(s.engine, "BLACKHOLE"):
		return nil, modules.Retry(modules.CodeRefused, fmt.Errorf("table %s has the engine BLACKHOLE, which keeps nothing", t))
	case len(p.idKeys) == 0:
		return nil, modules.Retry(modules.CodeNotFound, fmt.Errorf("table %s has no unique index on %s alone, without which a repeat would be a second row", t, t.ID))
	case t.Key != "" && len(s.uniqueOn(t.Key)) == 0:
		return nil, modules.Retry(modules.CodeNotFound, fmt.Errorf("table %s has no unique index on %s alone, which upsert needs", t, t.Key))
	}
	for _, columns := range s.unique {
		known := len(columns) == 1 && (strings.EqualFold(columns[0], t.ID) || strings.EqualFold(columns[0], t.Key))
		p.singly = p.singly || t.Key != "" && !known
	}
	return p, nil
}
