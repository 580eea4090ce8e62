package postgresql

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
	"github.com/hookd/hookd/modules/internal/rows"
)

// shape is a table as it is in the database.
type shape struct {
	columns      []string            // what rows fill, in the order of rows.Table
	types        map[string]string   // of all columns, as format_type has them
	ofConstraint map[string][]string // columns of unique indexes, by name
	scales       map[int]int         // digits behind the point that a column has, by its place in columns
	sql          string              // the insert
}

// existing is what the catalogue says.
type existing struct {
	columns map[string]column
	unique  map[string][]string // unique indexes that can tell a conflict: name → columns
	indexes map[string]bool
}

type column struct {
	typ      string
	required bool // NOT NULL, and nothing fills it by itself
}

const (
	columnsQuery = `SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''
 FROM pg_attribute a WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped`
	indexesQuery = `SELECT c.relname, i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL,
 (SELECT string_agg(a.attname, ',' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts-1]))
 FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = to_regclass($1)`
)

// numericType is a type that rounds without a word.
var numericType = regexp.MustCompile(`^numeric\(\d+,(-?\d+)\)$`)

// query reads a result as text.
func query(ctx context.Context, s *session, sql string, args ...string) ([][]string, error) {
	params := make([][]byte, len(args))
	for i, a := range args {
		params[i] = []byte(a)
	}
	r := s.ExecParams(ctx, sql, params, nil, nil, nil).Read()
	if r.Err != nil {
		return nil, r.Err
	}
	all := make([][]string, len(r.Rows))
	for i, row := range r.Rows {
		for _, v := range row {
			all[i] = append(all[i], string(v))
		}
	}
	return all, nil
}

// look asks the catalogue; nil when there is no such table.
func look(ctx context.Context, s *session, t *rows.Table) (*existing, error) {
	found, err := query(ctx, s, columnsQuery, qualified(t))
	if err != nil || len(found) == 0 {
		return nil, err
	}
	e := &existing{columns: make(map[string]column), unique: make(map[string][]string), indexes: make(map[string]bool)}
	for _, r := range found {
		e.columns[r[0]] = column{typ: r[1], required: r[2] == "t"}
	}
	if found, err = query(ctx, s, indexesQuery, qualified(t)); err != nil {
		return nil, err
	}
	for _, r := range found {
		e.indexes[r[0]] = true
		if r[1] == "t" {
			e.unique[r[0]] = strings.Split(r[2], ",")
		}
	}
	return e, nil
}

// isUnique reports an index that tells two rows apart by this column alone.
func (e *existing) isUnique(column string) bool {
	for _, columns := range e.unique {
		if len(columns) == 1 && columns[0] == column {
			return true
		}
	}
	return false
}

// plan is what is missing in a table for the rows to go in.
type plan struct {
	id         string   // the column of the delivery's id
	statements []string // that add what is missing
	missing    []string // the same for people
	unfilled   []string // columns that must have a value and get none
	indexes    []wanted // missing ones that rows go in without
}

// wanted is an index that is declared.
type wanted struct{ name, statement string }

func (p *plan) add(what, format string, args ...any) {
	p.missing = append(p.missing, what)
	p.statements = append(p.statements, fmt.Sprintf(format, args...))
}

// holdsID reports a type that takes the text of an id.
func holdsID(typ string) bool {
	if slices.Contains([]string{"uuid", "text", "character varying", "character(36)"}, typ) {
		return true
	}
	var n int
	_, err := fmt.Sscanf(typ, "character varying(%d)", &n)
	return err == nil && n >= 36
}

// compare finds out what to add to a table that is there, or nil to make one.
func compare(t *rows.Table, e *existing) *plan {
	p := &plan{id: t.ID}
	table := qualified(t)
	if e == nil {
		p.add("the table", "%s", create(t))
	} else {
		// A table whose id is a number, or something else of its own, gets a column
		// for the delivery's.
		if c, ok := e.columns[p.id]; ok && !holdsID(c.typ) {
			p.id = rows.ColDelivery
		}
		filled := map[string]bool{p.id: true}
		for i, c := range t.Columns {
			name := c.Name
			if i == 0 {
				name = p.id
			}
			filled[name] = true
			if _, ok := e.columns[name]; !ok {
				// Rows that are there have no value for it: it may be null.
				p.add("column "+name, "ALTER TABLE %s ADD COLUMN IF NOT EXISTS %s %s", table, quote(name), sqlType(c.Type))
			}
		}
		for _, name := range []string{p.id, t.Key} {
			if name != "" && !e.isUnique(name) {
				p.add("a unique index on "+name, "CREATE UNIQUE INDEX IF NOT EXISTS %s ON %s (%s)", quote(indexName(t.Name, name)), table, quote(name))
			}
		}
		for name, c := range e.columns {
			if c.required && !filled[name] {
				p.unfilled = append(p.unfilled, name)
			}
		}
		slices.Sort(p.unfilled)
	}
	has := func(name string) bool { return e != nil && e.indexes[name] }
	index := func(name, format string, args ...any) {
		if !has(name) {
			p.indexes = append(p.indexes, wanted{name, fmt.Sprintf(format, args...)})
		}
	}
	if gin := t.Name + "_payload_gin"; t.Search && len(gin) <= dialect.MaxName {
		index(gin, "CREATE INDEX IF NOT EXISTS %s ON %s USING gin (%s)", quote(gin), table, quote(rows.ColPayload))
	}
	for _, x := range t.Indexes {
		unique := ""
		if x.Unique {
			unique = "UNIQUE "
		}
		index(x.Name, "CREATE %sINDEX IF NOT EXISTS %s ON %s (%s)", unique, quote(x.Name), table, quoteAll(x.Columns))
	}
	return p
}

// indexName keeps to the length that PostgreSQL has room for. What is cut off is
// told apart by its sum: indexes of all tables of a schema share their names.
func indexName(table, column string) string {
	const tail = "_hookd_key"
	name := table + "_" + column
	if room := dialect.MaxName - len(tail); len(name) > room {
		h := fnv.New32a()
		_, _ = h.Write([]byte(name))
		sum := fmt.Sprintf("_%08x", h.Sum32())
		name = name[:room-len(sum)] + sum
	}
	return name + tail
}

// prepare looks at the table once, adds what is missing, and remembers the
// statement.
func (d *destination) prepare(ctx context.Context, s *session) (*shape, error) {
	if sh := d.ready.Load(); sh != nil {
		return sh, nil
	}
	select {
	case d.looking <- struct{}{}:
		defer func() { <-d.looking }()
	case <-ctx.Done():
		return nil, link.Ended(ctx, fmt.Errorf("postgresql: %s: waiting for a look at the table %s", d.client.target.addr(), d.table))
	}
	if sh := d.ready.Load(); sh != nil {
		return sh, nil
	}
	e, err := look(ctx, s, d.table)
	if err != nil {
		return nil, d.setupFailure(ctx, err)
	}
	p := compare(d.table, e)
	if len(p.statements) > 0 {
		if e, err = d.add(ctx, s, p); err != nil {
			return nil, err
		}
	}
	if d.o.Create && len(p.indexes) > 0 {
		if err := d.index(ctx, s, p); err != nil {
			return nil, err
		}
	}
	if len(p.unfilled) > 0 {
		return nil, d.unready(fmt.Errorf("columns that may not be null and have no default get no value: %s; give them a default, or fields in schema", strings.Join(p.unfilled, ", ")))
	}
	sh := &shape{types: make(map[string]string), ofConstraint: e.unique, scales: make(map[int]int)}
	for name, c := range e.columns {
		sh.types[name] = c.typ
	}
	for i, c := range d.table.Columns {
		name := c.Name
		if i == 0 {
			name = p.id
		}
		sh.columns = append(sh.columns, name)
		if m := numericType.FindStringSubmatch(sh.types[name]); m != nil {
			sh.scales[i], _ = strconv.Atoi(m[1])
		}
	}
	sh.sql = insert(d.table, sh.columns)
	d.ready.Store(sh)
	return sh, nil
}

// unready is a failure that has to do with the table and not with the row.
func (d *destination) unready(err error) error {
	return modules.Retry(modules.CodeNotFound, fmt.Errorf("postgresql: %s: table %s: %w", d.client.target.addr(), d.table, err))
}

// add makes what is missing, in one transaction, and says so in the log.
func (d *destination) add(ctx context.Context, s *session, p *plan) (*existing, error) {
	what := strings.Join(p.missing, ", ")
	if !d.o.Create {
		return nil, d.unready(fmt.Errorf(`%s missing, and "create" is false; to add it by hand: %s`, what, strings.Join(p.statements, "; ")))
	}
	_, err := s.Exec(ctx, strings.Join(p.statements, "; ")).ReadAll()
	var e *pgconn.PgError
	if errors.As(err, &e) && (e.Code == stateUnique && e.TableName == "" || e.Code == stateTableThere || e.Code == stateDeadlock || strings.HasPrefix(e.ConstraintName, "pg_")) {
		err = nil // another hookd was faster; what it did not do is found below
	}
	if err != nil {
		f := modules.FailureOf(d.setupFailure(ctx, err))
		f.Err = fmt.Errorf("adding what is missing (%s): %w", what, f.Err)
		if f.Code == modules.CodeAuthFailed {
			f.Err = fmt.Errorf(`%w; "create": false needs no such right`, f.Err)
		}
		return nil, &f
	}
	after, err := look(ctx, s, d.table)
	if err != nil {
		return nil, d.setupFailure(ctx, err)
	}
	if after == nil || len(compare(d.table, after).statements) > 0 {
		return nil, d.unready(errors.New("another session is changing it: missing is " + what))
	}
	d.env.Log.WarnContext(ctx, "added to the database", "table", d.table.String(), "added", what)
	return after, nil
}

// index makes the declared indexes that are missing. One that cannot be made keeps
// no row out: its name is taken in the schema, the values that are there are not
// unique, or the table belongs to somebody else.
func (d *destination) index(ctx context.Context, s *session, p *plan) error {
	why := make(map[string]error)
	for _, x := range p.indexes {
		if _, err := s.Exec(ctx, x.statement).ReadAll(); err != nil {
			f := modules.FailureOf(d.failure(ctx, err))
			if ctx.Err() != nil || f.Kind == modules.Lost {
				return &f
			}
			why[x.name] = f.Err
		}
	}
	after, err := look(ctx, s, d.table)
	if err != nil {
		return d.setupFailure(ctx, err)
	}
	for _, x := range p.indexes {
		switch err := why[x.name]; {
		case after != nil && after.indexes[x.name]:
			d.env.Log.WarnContext(ctx, "added to the database", "table", d.table.String(), "added", "index "+x.name)
		case err == nil:
			err = errors.New("another table or index of the schema has the name")
			fallthrough
		default:
			d.env.Log.WarnContext(ctx, "an index is missing and cannot be made: rows go in without it", "table", d.table.String(), "index", x.name, "error", err)
		}
	}
	return nil
}

// setupFailure differs from that of a row in one point: no row is to blame.
func (d *destination) setupFailure(ctx context.Context, err error) error {
	f := modules.FailureOf(d.failure(ctx, err))
	if f.Kind == modules.Rejected {
		f.Kind = modules.Retryable
	}
	return &f
}
