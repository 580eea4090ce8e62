package postgresql

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/rows"
)

const (
	batchItems = 200
	batchBytes = 4 << 20
	// patience is how many bad rows a transaction is begun anew for; after that
	// each row is one.
	patience = 4
	// maxTries is how often a transaction is run that lost against another, or
	// whose prepared statement was no longer right.
	maxTries = 5
)

// destination inserts into one table.
type destination struct {
	env    modules.Env
	client *client
	o      *Options
	table  *rows.Table

	ready   atomic.Pointer[shape] // nil: the table was not looked at, or has changed
	looking chan struct{}         // held by who looks
}

// BatchLimit is how much goes into one transaction.
func (d *destination) BatchLimit() (items, bytes int) { return batchItems, batchBytes }

// Send inserts one row.
func (d *destination) Send(ctx context.Context, x *event.Delivery) (event.Receipt, error) {
	r := d.SendBatch(ctx, []*event.Delivery{x})[0]
	return r.Receipt, r.Err
}

// item is a delivery on its way into the table.
type item struct {
	params [][]byte
	result *modules.Result
}

// SendBatch inserts all in one transaction. A row that the database refuses is
// taken out, and the transaction begun anew.
func (d *destination) SendBatch(ctx context.Context, ds []*event.Delivery) []modules.Result {
	results := make([]modules.Result, len(ds))
	var items []item
	for i, x := range ds {
		row, err := d.table.Row(ctx, x)
		if err != nil {
			results[i].Err = err
			continue
		}
		items = append(items, item{encode(row), &results[i]})
	}
	if len(items) == 0 {
		return results
	}
	d.order(items)
	if err := d.insert(ctx, items); err != nil {
		for _, x := range items {
			if x.result.Err == nil && x.result.Receipt.Status == "" {
				x.result.Err = err
			}
		}
	}
	return results
}

// order has all batches update rows in the same order, so that two of them wait
// for each other's rows and do not deadlock. Events of one key keep theirs.
func (d *destination) order(items []item) {
	if d.table.Key == "" {
		return
	}
	key := slices.IndexFunc(d.table.Columns, func(c rows.Column) bool { return c.Name == d.table.Key })
	slices.SortStableFunc(items, func(a, b item) int { return bytes.Compare(a.params[key], b.params[key]) })
}

// insert settles the items. An error is that of all that it did not settle.
func (d *destination) insert(ctx context.Context, items []item) error {
	s, err := d.client.take(ctx)
	if err != nil {
		return d.unreachable(ctx, err)
	}
	defer func() { d.client.put(s) }()
	sh, err := d.prepare(ctx, s)
	if err != nil {
		return err
	}
	items = slices.DeleteFunc(items, func(x item) bool {
		x.result.Err = d.exact(sh, x.params)
		return x.result.Err != nil
	})
	for bad := 0; len(items) > 0; bad++ {
		if bad == patience {
			return d.singly(ctx, s, sh, items)
		}
		at, err := d.commit(ctx, s, sh, items)
		switch {
		case err == nil:
			return nil
		case at < 0 || !mayBeRow(err):
			return err
		case at == len(items): // at the commit: a constraint that is looked at then
			return d.singly(ctx, s, sh, items)
		}
		items[at].result.Err = err
		items = append(items[:at:at], items[at+1:]...)
	}
	return nil
}

// exact refuses a number that the column would round: the table that is there may
// have fewer digits than the schema says.
func (d *destination) exact(sh *shape, params [][]byte) error {
	for i, scale := range sh.scales {
		if c := d.table.Columns[i]; params[i] != nil && rounds(string(params[i]), scale) {
			return modules.Reject(dialect.CodeValue(), fmt.Errorf("postgresql: table %s, column %s (%s): got more than %d digits behind the point, which would be rounded: the column is %s",
				d.table, c.Name, c.Type, scale, sh.types[sh.columns[i]]))
		}
	}
	return nil
}

// unreachable: a server that cannot be reached is reopened by the host, which
// uses no attempts up.
func (d *destination) unreachable(ctx context.Context, err error) error {
	f := modules.FailureOf(err)
	if ctx.Err() == nil && f.Code == modules.CodeUnavailable {
		return modules.Disconnect(f.Err)
	}
	return err
}

// singly gives each row a transaction of its own.
func (d *destination) singly(ctx context.Context, s *session, sh *shape, items []item) error {
	for i := range items {
		switch at, err := d.commit(ctx, s, sh, items[i:i+1]); {
		case err == nil:
		case at < 0 || !mayBeRow(err):
			return err
		default:
			items[i].result.Err = err
		}
	}
	return nil
}

// commit inserts the items in one transaction and settles them when it is
// committed. Otherwise it says at which item it failed; -1 is before the first.
func (d *destination) commit(ctx context.Context, s *session, sh *shape, items []item) (at int, err error) {
	for range maxTries {
		at, err = d.run(ctx, s, sh, items)
		switch modules.FailureOf(err).Code {
		case slug(stateNoStatement), slug(stateTypeDiffers): // of another look of the table, or cleared away
			s.forget(ctx)
		case slug(stateSerialization), slug(stateDeadlock):
		default:
			return at, err
		}
	}
	return at, err
}

// run is one try: all statements at once.
//
// COPY into a table of the session, and from there, is not faster: 13 to 18
// thousand rows a second, where this does 14 to 17 (BenchmarkBatch), and it does
// not say which row is bad.
func (d *destination) run(ctx context.Context, s *session, sh *shape, items []item) (at int, err error) {
	batch := &pgconn.Batch{}
	if s.begin != "" {
		batch.ExecParams(s.begin, nil, nil, nil, nil)
	}
	if d.client.config.Prepare {
		name, err := s.statement(ctx, sh.sql)
		if err != nil {
			return -1, d.setupFailure(ctx, err)
		}
		for _, x := range items {
			batch.ExecPrepared(name, x.params, nil, nil)
		}
	} else {
		for _, x := range items {
			batch.ExecParams(sh.sql, x.params, nil, nil, nil)
		}
	}
	answers := s.ExecBatch(ctx, batch)
	fresh := make([]bool, 0, len(items))
	for first := true; answers.NextResult(); first = false {
		tag, err := answers.ResultReader().Close()
		if err != nil {
			break
		}
		if first && s.begin != "" {
			continue
		}
		fresh = append(fresh, tag.RowsAffected() > 0)
	}
	if err := answers.Close(); err != nil {
		if ctx.Err() != nil || s.IsClosed() {
			_ = s.raw.Close()
		}
		return len(fresh), d.failure(ctx, err)
	}
	if len(fresh) != len(items) {
		_ = s.raw.Close()
		return len(items), modules.Disconnect(fmt.Errorf("postgresql: %s: %d answers for %d rows", d.client.target.addr(), len(fresh), len(items)))
	}
	for i, x := range items {
		x.result.Receipt.Status = "committed to " + d.table.String()
		switch {
		case fresh[i]:
		case d.table.Key != "":
			x.result.Receipt.Status = d.table.String() + " has a newer event of that " + d.table.Key
		default:
			x.result.Receipt.Status = "was in " + d.table.String() + " already"
		}
	}
	return len(items), nil
}

// statement is the name of the prepared statement.
func (s *session) statement(ctx context.Context, sql string) (string, error) {
	h := fnv.New64a()
	_, _ = h.Write([]byte(sql))
	name := fmt.Sprintf("hookd_%x", h.Sum64())
	if s.prepared[name] {
		return name, nil
	}
	var e *pgconn.PgError
	switch _, err := s.Prepare(ctx, name, sql, nil); {
	case errors.As(err, &e) && e.Code == stateStatementThere: // by its name it is this one
	case err != nil:
		return "", err
	}
	s.prepared[name] = true
	return name, nil
}

// forget has the statements prepared anew.
func (s *session) forget(ctx context.Context) {
	for name := range s.prepared {
		_ = s.Deallocate(ctx, name) // what is wrong with the session is seen by its next use
	}
	clear(s.prepared)
}
