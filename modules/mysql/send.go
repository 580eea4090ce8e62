package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	driver "github.com/go-sql-driver/mysql"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
	"github.com/hookd/hookd/modules/internal/rows"
)

const (
	batchItems = 200
	batchBytes = 4 << 20
)

// destination writes to one table.
type destination struct {
	client *client
	o      *Options
	t      *rows.Table

	plan   atomic.Pointer[plan] // nil until the table was looked at
	making chan struct{}        // held by who looks
}

func newDestination(k *client, o *Options) (*destination, error) {
	t, err := o.Compile(&dialect)
	if err != nil {
		return nil, err
	}
	return &destination{client: k, o: o, t: t, making: make(chan struct{}, 1)}, nil
}

// BatchLimit is how much goes into one transaction.
func (d *destination) BatchLimit() (items, bytes int) { return batchItems, batchBytes }

// Send stores one.
func (d *destination) Send(ctx context.Context, x *event.Delivery) (event.Receipt, error) {
	r := d.SendBatch(ctx, []*event.Delivery{x})[0]
	return r.Receipt, r.Err
}

// SendBatch stores all that can be stored.
func (d *destination) SendBatch(ctx context.Context, ds []*event.Delivery) []modules.Result {
	results := make([]modules.Result, len(ds))
	d.client.used()
	if ctx.Err() != nil {
		return all(results, link.Ended(ctx, fmt.Errorf("mysql: %s: not sent", d.client.target.addr())))
	}
	p, err := d.ready(ctx)
	if err != nil {
		return all(results, err)
	}
	var chunk []row
	size := 0
	flush := func() {
		if len(chunk) > 0 {
			d.store(ctx, p, chunk, results)
		}
		chunk, size = nil, 0
	}
	for i, x := range ds {
		r, err := d.row(ctx, p, x)
		if err != nil {
			results[i].Err = err
			continue
		}
		r.i = i
		if size+r.size > d.client.packet || (len(chunk)+1)*len(p.t.Columns) > maxPlaceholders {
			flush()
		}
		chunk, size = append(chunk, r), size+r.size
	}
	flush()
	return results
}

func all(results []modules.Result, err error) []modules.Result {
	for i := range results {
		results[i].Err = err
	}
	return results
}

// row is the values of one delivery.
type row struct {
	i      int // in the batch
	id     string
	values []any
	size   int // bytes of a statement
}

func (d *destination) row(ctx context.Context, p *plan, x *event.Delivery) (row, error) {
	values, err := d.t.Row(ctx, x)
	if err != nil {
		return row{}, err
	}
	r := row{id: x.ID.String(), values: values}
	for i, c := range p.t.Columns {
		if values[i], err = value(c, values[i], p.scales[c.Name]); err != nil {
			return row{}, modules.Reject(dialect.CodeValue(), fmt.Errorf("mysql: table %s, column %s (%s): %w", d.t, c.Name, c.Type, err))
		}
		r.size += 16
		if s, ok := values[i].(string); ok {
			r.size += len(s)
		}
	}
	if r.size > d.client.packet {
		return row{}, modules.Reject(modules.CodeTooLarge, fmt.Errorf("mysql: %s: a row of %d bytes; the server's max_allowed_packet has room for %d",
			d.client.target.addr(), r.size, d.client.packet))
	}
	return r, nil
}

// store writes rows that fit into one statement. One statement is one
// transaction.
func (d *destination) store(ctx context.Context, p *plan, chunk []row, results []modules.Result) {
	if p.singly {
		for _, r := range chunk {
			results[r.i] = d.result(ctx, p, d.upsert(ctx, p, r))
		}
		return
	}
	var args []any
	for _, r := range chunk {
		args = append(args, r.values...)
	}
	_, err := d.client.db.ExecContext(ctx, insert(p.t, len(chunk), p.t.Key != ""), args...)
	if len(chunk) > 1 && aboutOne(err) && ctx.Err() == nil {
		d.isolate(ctx, p, chunk, results)
		return
	}
	for _, r := range chunk {
		results[r.i] = d.result(ctx, p, err)
	}
}

// result is what the error of a row's statement means; a row that was there
// already is stored.
func (d *destination) result(ctx context.Context, p *plan, err error) modules.Result {
	switch {
	case err == nil:
		return modules.Result{Receipt: event.Receipt{Status: "a row in " + d.t.String()}}
	case p.repeated(err):
		return modules.Result{Receipt: event.Receipt{Status: "was in " + d.t.String() + " already"}}
	}
	if c, _ := classOf(err); c == missing {
		d.plan.Store(nil) // look again
	}
	return modules.Result{Err: d.client.failure(ctx, err, d.t.String())}
}

// repeated reports a row that an earlier attempt has stored.
func (p *plan) repeated(err error) bool {
	c, e := classOf(err)
	return c == duplicate && slices.ContainsFunc(p.idKeys, func(name string) bool { return strings.EqualFold(name, keyOf(e.Message)) })
}

// isolate finds the rows that cannot be stored: each is written by itself, all
// in one transaction. A statement that fails there undoes itself only.
func (d *destination) isolate(ctx context.Context, p *plan, chunk []row, results []modules.Result) {
	fail := func(err error) {
		for _, r := range chunk {
			results[r.i] = d.result(ctx, p, err)
		}
	}
	tx, err := d.client.db.BeginTx(ctx, nil)
	if err != nil {
		fail(err)
		return
	}
	defer tx.Rollback() //nolint:errcheck // nothing to undo after a commit
	stmt, err := tx.PrepareContext(ctx, insert(p.t, 1, p.t.Key != ""))
	if err != nil {
		fail(err)
		return
	}
	defer stmt.Close()
	errs := make([]error, len(chunk))
	for i, r := range chunk {
		if _, errs[i] = stmt.ExecContext(ctx, r.values...); errs[i] != nil && !aboutOne(errs[i]) {
			fail(errs[i]) // the transaction is gone, or may be
			return
		}
	}
	if err := tx.Commit(); err != nil {
		fail(err)
		return
	}
	for i, r := range chunk {
		results[r.i] = d.result(ctx, p, errs[i])
	}
}

// maxRaces bounds how often two upserts of one key may overtake each other.
const maxRaces = 5

// upsert updates the row of the key, or adds it.
func (d *destination) upsert(ctx context.Context, p *plan, r row) error {
	args := replaceArgs(p.t, r.values)
	var err error
	for range maxRaces {
		res, failed := d.client.db.ExecContext(ctx, replace(p.t, p.scales[rows.ColCreated]), args...)
		if failed != nil {
			return failed
		}
		if n, err := res.RowsAffected(); err != nil || n > 0 {
			return err
		}
		var e *driver.MySQLError
		_, err = d.client.db.ExecContext(ctx, insert(p.t, 1, false), r.values...)
		if !errors.As(err, &e) || classes[e.Number] != duplicate {
			return err
		}
		// Somebody added the row in between; or another index has a value.
	}
	return err
}
