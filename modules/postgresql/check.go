package postgresql

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hookd/hookd/modules"
)

// rightsQuery asks in one go: may the server be written to, may rows be put into
// the table, and may a table be made where it is missing. The questions about
// the table are null where there is none.
const rightsQuery = `SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on',
 has_table_privilege(to_regclass($1)::oid, 'INSERT'), has_table_privilege(to_regclass($1)::oid, 'SELECT'), has_table_privilege(to_regclass($1)::oid, 'UPDATE'),
 coalesce(has_schema_privilege(coalesce(to_regnamespace(nullif($2, '')), to_regnamespace(quote_ident(current_schema())))::oid, 'CREATE'), false),
 to_regclass($1) IS NOT NULL`

// Check connects anew and asks whether the table is there, or could be made, and
// whether rows may be put into it. It changes nothing.
func (d *destination) Check(ctx context.Context) (err error) {
	k, err := open(ctx, d.env, d.client.config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.Close(ctx)) }()
	s, err := k.take(ctx)
	if err != nil {
		return err
	}
	defer func() { k.put(s) }()
	schema := ""
	if d.table.Schema != "" {
		schema = quote(d.table.Schema)
	}
	answer, err := query(ctx, s, rightsQuery, qualified(d.table), schema)
	if err != nil {
		return d.setupFailure(ctx, err)
	}
	a := answer[0]
	readOnly, mayInsert, maySelect, mayUpdate, mayCreate, there := a[0] == "t", a[1] == "t", a[2] == "t", a[3] == "t", a[4] == "t", a[5] == "t"
	denied := func(format string, args ...any) error {
		return modules.Retry(modules.CodeAuthFailed, fmt.Errorf("postgresql: %s: user %q %s", k.target.addr(), k.target.user, fmt.Sprintf(format, args...)))
	}
	switch {
	case readOnly:
		return modules.Retry(modules.CodeUnavailable, fmt.Errorf("postgresql: %s: the server is read-only: is it a standby?", k.target.addr()))
	case !there && !d.o.Create:
		return d.unready(errors.New(`is missing, and "create" is false`))
	case !there && !mayCreate:
		return denied("may not create the table %s, which is missing", d.table)
	case !there:
		return nil
	case !mayInsert, !maySelect:
		return denied("needs INSERT and SELECT on the table %s: a repeat is found by its id", d.table)
	case d.table.Key != "" && !mayUpdate:
		return denied("needs UPDATE on the table %s for upsert", d.table)
	}
	e, err := look(ctx, s, d.table)
	switch {
	case err != nil:
		return d.setupFailure(ctx, err)
	case e == nil:
		return d.unready(errors.New("went away while it was looked at"))
	}
	p := compare(d.table, e)
	if len(p.unfilled) > 0 {
		return d.unready(fmt.Errorf("columns that may not be null and have no default get no value: %s", strings.Join(p.unfilled, ", ")))
	}
	if !d.o.Create && len(p.missing) > 0 {
		return d.unready(fmt.Errorf(`lacks %s, and "create" is false`, p.missing[0]))
	}
	return nil
}
