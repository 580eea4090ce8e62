package clickhouse

import (
	"context"
	"errors"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/hookd/hookd/modules"
)

// Check connects anew, looks at the table, and asks for the right to insert: an
// insert is begun, which the server refuses where it must, and ended without a
// row. A table that is missing is in order when the first delivery would create
// it.
func (d *destination) Check(ctx context.Context) (err error) {
	k, err := newClient(ctx, d.env, d.client.config, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.Close(ctx)) }()
	known, err := k.settings(ctx)
	if err != nil {
		return err
	}
	found, err := k.describe(ctx, d.o.Table)
	switch {
	case err != nil:
		return err
	case len(found) == 0 && d.o.Create:
		return nil
	case len(found) == 0:
		return d.missing()
	}
	s, absent, err := d.suit(found)
	switch {
	case err != nil:
		return err
	case len(absent) > 0 && !d.o.Create:
		return d.lacks(absent, known)
	case len(s) == 0: // all columns will be added
		return nil
	}
	err = k.do(ctx, func(db driver.Conn) error {
		b, err := db.PrepareBatch(ctx, s.insert(d.o.Table))
		if err != nil {
			return err
		}
		return b.Close()
	})
	if err != nil {
		f := modules.FailureOf(err)
		f.Err = fmt.Errorf("insert into %q: %w", d.o.Table, f.Err)
		return &f
	}
	return nil
}
