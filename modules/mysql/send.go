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
	rs := make([]row, 0, len(ds))
	for i, x := range ds {
		r := row{i: i, id: x.ID.String()}
		if r.values, results[i].Err = d.t.Row(ctx, x); results[i].Err == nil {
			rs = append(rs, r)
		}
	}
	if len(rs) == 0 {
		return results
	}
	p, err := d.ready(ctx)
	if err != nil {
		for _, r := range rs {
			results[r.i].Err = err
		}
		return results
	}
	good := rs[:0]
	for _, r := range rs {
		if err := d.suits(p, &r); err != nil {
			results[r.i].Err = err
			continue
		}
		good = append(good, r)
	}
	rs = good
	// All batches update rows in the same order, so that two of them wait for each
	// other's rows and do not deadlock. Events of one key keep theirs.
	slices.SortStableFunc(rs, func(a, b row) int { return strings.Compare(a.key, b.key) })
	var chunk []row
	size := 0
	for _, r := range rs {
		if len(chunk) > 0 && (size+r.size > d.client.packet || (len(chunk)+1)*len(p.t.Columns) > maxPlaceholders) {
			d.store(ctx, p, chunk, results)
			chunk, size = nil, 0
		}
		chunk, size = append(chunk, r), size+r.size
	}
	if len(chunk) > 0 {
		d.store(ctx, p, chunk, results)
	}
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
	key    string // of an upsert
	values []any
	size   int // bytes of a statement
}

// suits makes the values ready for the table that is there.
func (d *destination) suits(p *plan, r *row) (err error) {
	for i, c := range p.t.Columns {
		if r.values[i], err = value(c, r.values[i], p.columns[c.Name]); err != nil {
			return modules.Reject(dialect.CodeValue(), fmt.Errorf("mysql: table %s, column %s (%s): %w", d.t, c.Name, c.Type, err))
		}
		if c.Name == p.t.Key {
			r.key = fmt.Sprint(r.values[i])
		}
		r.size += 16
		if s, ok := r.values[i].(string); ok {
			r.size += len(s)
		}
	}
	if r.size > d.client.packet {
		return modules.Reject(modules.CodeTooLarge, fmt.Errorf("mysql: %s: a row of %d bytes; the server's max_allowed_packet has room for %d",
			d.client.target.addr(), r.size, d.client.packet))
	}
	return nil
}

// maxTries is how often a statement is run that lost against another.
const maxTries = 5

// store writes rows that fit into one statement. One statement is one
// transaction.
func (d *destination) store(ctx context.Context, p *plan, chunk []row, results []modules.Result) {
	errs := make([]error, len(chunk))
	if p.singly {
		d.each(ctx, p, chunk, errs)
	} else if err := d.together(ctx, p, chunk, errs); err != nil {
		for i := range errs {
			errs[i] = err
		}
	}
	for i, r := range chunk {
		results[r.i] = d.result(ctx, p, r, errs[i])
	}
}

// together writes the rows with one statement, and one by one where it fails for
// some of them. The error is that of all.
func (d *destination) together(ctx context.Context, p *plan, chunk []row, errs []error) error {
	var args []any
	for _, r := range chunk {
		args = append(args, r.values...)
	}
	err := again(ctx, func() error {
		_, err := d.client.db.ExecContext(ctx, insert(p.t, len(chunk), p.t.Key != ""), args...)
		return err
	})
	switch {
	case len(chunk) == 1 || ctx.Err() != nil:
		return err
	case aboutOne(err):
		err = again(ctx, func() error { return d.isolate(ctx, p, chunk, errs) })
	}
	if unknown(err) && ctx.Err() == nil {
		d.each(ctx, p, chunk, errs)
		return nil
	}
	return err
}

// again runs what the server undoes when it ends a deadlock.
func again(ctx context.Context, f func() error) (err error) {
	for range maxTries {
		if err = f(); !isNumber(err, 1213) || ctx.Err() != nil {
			return err
		}
	}
	return err
}

// each writes the rows one by one, each in a transaction of its own.
func (d *destination) each(ctx context.Context, p *plan, chunk []row, errs []error) {
	for i, r := range chunk {
		errs[i] = again(ctx, func() error {
			if p.singly {
				return d.upsert(ctx, p, r)
			}
			_, err := d.client.db.ExecContext(ctx, insert(p.t, 1, p.t.Key != ""), r.values...)
			return err
		})
	}
}

// result is what the error of a row's statement means; a row that was there
// already is stored.
func (d *destination) result(ctx context.Context, p *plan, r row, err error) modules.Result {
	repeated := p.repeated(err)
	if c, _ := classOf(err); c == duplicate && !repeated {
		// Where other indexes are unique, the server names the first that has a
		// value of the row: an earlier attempt's row has them all.
		var failed error
		if repeated, failed = d.has(ctx, p, r.id); failed != nil {
			err = failed
		}
	}
	switch {
	case err == nil:
		return modules.Result{Receipt: event.Receipt{Status: "a row in " + d.t.String()}}
	case repeated:
		return modules.Result{Receipt: event.Receipt{Status: "was in " + d.t.String() + " already"}}
	}
	if c, _ := classOf(err); c == missing {
		d.plan.Store(nil) // look again
	}
	return modules.Result{Err: d.client.failure(ctx, err, d.t.String())}
}

// repeated reports an error that names the index of the id: the row is there.
func (p *plan) repeated(err error) bool {
	c, e := classOf(err)
	return c == duplicate && slices.ContainsFunc(p.idKeys, func(name string) bool { return strings.EqualFold(name, keyOf(e.Message)) })
}

// has asks for the row of a delivery.
func (d *destination) has(ctx context.Context, p *plan, id string) (there bool, err error) {
	err = d.client.db.QueryRowContext(ctx, fmt.Sprintf("SELECT COUNT(*) > 0 FROM %s WHERE %s = ?", tableName(p.t), quote(p.t.ID)), id).Scan(&there)
	return there, err
}

// isolate finds the rows that cannot be stored: each is written by itself, all
// in one transaction. A statement that is refused for its row undoes itself only;
// any other error is that of all.
func (d *destination) isolate(ctx context.Context, p *plan, chunk []row, errs []error) error {
	tx, err := d.client.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // nothing to undo after a commit
	stmt, err := tx.PrepareContext(ctx, insert(p.t, 1, p.t.Key != ""))
	if err != nil {
		return err
	}
	defer stmt.Close()
	for i, r := range chunk {
		if _, errs[i] = stmt.ExecContext(ctx, r.values...); errs[i] != nil && !aboutOne(errs[i]) {
			return errs[i] // the transaction is gone, or may be
		}
	}
	return tx.Commit()
}

// maxRaces bounds how often two upserts of one key may overtake each other.
const maxRaces = 5

// upsert updates the row of the key, or adds it.
func (d *destination) upsert(ctx context.Context, p *plan, r row) error {
	args := replaceArgs(p.t, r.values)
	var err error
	for range maxRaces {
		res, failed := d.client.db.ExecContext(ctx, replace(p.t, p.columns[rows.ColCreated].scale), args...)
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
