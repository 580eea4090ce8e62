package mysql

import (
	"context"
	"errors"
	"fmt"

	driver "github.com/go-sql-driver/mysql"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/rows"
)

// Check connects anew and asks whether the table is as it must be and whether
// rows may be written: the server looks at the rights when it prepares the very
// statement that a delivery uses, which is not run. A table, a column or an index
// that is missing is in order where the first delivery would add it and the
// account may.
func (d *destination) Check(ctx context.Context) (err error) {
	k, err := open(ctx, d.client.env, d.client.config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.Close(ctx)) }()
	fresh := &destination{client: k, o: d.o, t: d.t}
	var readOnly bool
	if err := k.db.QueryRowContext(ctx, "SELECT @@global.read_only").Scan(&readOnly); err != nil {
		return k.failure(ctx, err, "")
	}
	if readOnly {
		return k.failure(ctx, modules.Retry(modules.CodeUnavailable, errors.New("the server is read-only: is it a replica?")), "")
	}
	s, err := fresh.inspect(ctx)
	if err != nil {
		return k.failure(ctx, err, d.t.String())
	}
	if !s.there() && d.o.Create {
		return fresh.prepare(ctx, create(d.t, k.collation(ctx)))
	}
	p, err := fit(s, fresh.suit(s))
	switch {
	case err != nil && d.o.Create && modules.FailureOf(err).Code == modules.CodeNotFound:
		return fresh.prepare(ctx, fmt.Sprintf("ALTER TABLE %s ADD COLUMN hookd_asks INT", tableName(d.t)))
	case err != nil:
		return k.failure(ctx, err, d.t.String())
	case p.singly:
		if err := fresh.prepare(ctx, replace(p.t, p.columns[rows.ColCreated].scale)); err != nil {
			return err
		}
	}
	return fresh.prepare(ctx, insert(p.t, 1, p.t.Key != ""))
}

// prepare has the server look at a statement.
func (d *destination) prepare(ctx context.Context, statement string) error {
	stmt, err := d.client.db.PrepareContext(ctx, statement)
	if err != nil {
		return d.client.failure(ctx, err, d.t.String())
	}
	return stmt.Close()
}

// collation is the one that a new table gets: the best that the server has.
func (k *client) collation(ctx context.Context) string {
	var name string
	err := k.db.QueryRowContext(ctx, `SELECT COLLATION_NAME FROM information_schema.COLLATIONS
		WHERE COLLATION_NAME IN ('utf8mb4_0900_bin', 'utf8mb4_nopad_bin') ORDER BY COLLATION_NAME LIMIT 1`).Scan(&name)
	if err != nil {
		return "utf8mb4_bin" // trailing spaces do not count
	}
	return name
}

func isNumber(err error, number uint16) bool {
	var e *driver.MySQLError
	return errors.As(err, &e) && e.Number == number
}
