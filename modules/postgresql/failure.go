package postgresql

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

// SQLSTATEs that mean something else than their class.
const (
	stateUnsupportedEscape = "22P05"
	stateSerialization     = "40001"
	stateDeadlock          = "40P01"
	stateNoRight           = "42501"
	stateNoColumn          = "42703"
	stateNoTable           = "42P01"
	stateNoSuchConflict    = "42P10"
	stateTableThere        = "42P07"
	stateNoDatabase        = "3D000"
	stateNoSchema          = "3F000"
	stateNoStatement       = "26000"
	stateReadOnly          = "25006"
	stateDiskFull          = "53100"
	stateCanceled          = "57014"
	stateRaised            = "P0001"
	stateUnique            = "23505"
	stateStatementThere    = "42P05"
	stateTypeDiffers       = "42804"
)

// connectFailure says why the server did not let hookd in.
func connectFailure(ctx context.Context, t *target, err error) error {
	var e *pgconn.PgError
	switch {
	case ctx.Err() != nil:
		return link.Ended(ctx, errors.New("no connection"))
	case !errors.As(err, &e):
		if text := err.Error(); strings.Contains(text, "server refused TLS") {
			return modules.Retry(modules.CodeTLS, fmt.Errorf("the server has no TLS, and sslmode is %s", t.mode))
		}
		f := modules.FailureOf(link.Failure(ctx, err))
		f.Err = errors.New(lastLine(err)) // the library tells of each attempt, one a line
		return &f
	case strings.HasPrefix(e.Code, "28"), e.Code == stateNoRight:
		return modules.Retry(modules.CodeAuthFailed, fmt.Errorf("user %q, database %q: %s", t.user, t.database, e.Message))
	case e.Code == stateNoDatabase:
		return modules.Retry(modules.CodeNotFound, errors.New(e.Message))
	case strings.HasPrefix(e.Code, "53"), strings.HasPrefix(e.Code, "57P"):
		return modules.Retry(modules.CodeUnavailable, fmt.Errorf("%s (%s)", e.Message, e.Code))
	}
	return modules.Retry(code(e), fmt.Errorf("%s (%s)", e.Message, e.Code))
}

func lastLine(err error) string {
	text := strings.TrimSpace(err.Error())
	return strings.TrimSpace(text[strings.LastIndexByte(text, '\n')+1:])
}

// code is the slug of a SQLSTATE that has no better one.
func code(e *pgconn.PgError) string { return slug(e.Code) }

func slug(state string) string { return "postgresql_" + strings.ToLower(state) }

// failure says what an error of a statement means.
func (d *destination) failure(ctx context.Context, err error) error {
	var e *pgconn.PgError
	at := "postgresql: " + d.client.target.addr() + ": table " + d.table.String()
	if !errors.As(err, &e) {
		var f *modules.Failure
		switch {
		case errors.As(err, &f):
			return err
		case ctx.Err() != nil:
			return link.Ended(ctx, fmt.Errorf("%s: no answer", at))
		}
		return modules.Disconnect(fmt.Errorf("%s: connection lost: %w", at, err))
	}
	reason := fmt.Errorf("%s: %s (SQLSTATE %s)", at, e.Message, e.Code)
	switch class := e.Code[:min(2, len(e.Code))]; {
	case class == "22", class == "23", class == "54", e.Code == stateRaised:
		return modules.Reject(code(e), fmt.Errorf("postgresql: table %s%s: %s (SQLSTATE %s)", d.table, d.where(e), withoutValues(e), e.Code))
	case e.Code == stateNoTable, e.Code == stateNoColumn, e.Code == stateNoSuchConflict, e.Code == stateNoSchema:
		d.ready.Store(nil) // looked at anew
		return modules.Retry(modules.CodeNotFound, reason)
	case e.Code == stateNoStatement:
		return modules.Retry(code(e), fmt.Errorf(`%w; behind a pooler of transactions set "prepared_statements": false`, reason))
	case e.Code == stateNoRight, class == "28":
		return modules.Retry(modules.CodeAuthFailed, fmt.Errorf("%w, user %q", reason, d.client.target.user))
	case e.Code == stateReadOnly, class == "08", strings.HasPrefix(e.Code, "57P"):
		return modules.Disconnect(reason)
	case e.Code == stateDiskFull:
		return modules.Retry(modules.CodeDiskFull, reason)
	case class == "53":
		return modules.Retry(modules.CodeUnavailable, reason)
	case e.Code == stateCanceled:
		return modules.Retry(modules.CodeTimeout, reason)
	}
	return modules.Retry(code(e), reason)
}

// mayBeRow reports an error that another row need not have: one that the row is
// refused for, and what hookd does not know, such as a trigger's own SQLSTATE or
// the security policy of a table. A batch must not fail for one of its rows.
func mayBeRow(err error) bool {
	f := modules.FailureOf(err)
	switch f.Code {
	case slug(stateSerialization), slug(stateDeadlock), slug(stateNoStatement), slug(stateTypeDiffers):
		return false
	case modules.CodeAuthFailed:
		return true
	}
	return f.Kind == modules.Rejected || f.Kind == modules.Retryable && strings.HasPrefix(f.Code, slug(""))
}

var (
	parameter = regexp.MustCompile(`parameter \$(\d+)`)
	typeName  = regexp.MustCompile(`(?:type )((?:character varying|character|numeric|bit|bit varying)\(\d+(?:,\d+)?\)|smallint|integer|bigint|real|double precision)`)
)

// where names the column that an error is about, if the server tells: by itself,
// by the number of the parameter, or by a type that only some columns have.
func (d *destination) where(e *pgconn.PgError) string {
	var columns []string
	shape := d.ready.Load()
	switch m := parameter.FindStringSubmatch(e.Where); {
	case e.ColumnName != "":
		columns = []string{e.ColumnName}
	case m != nil && shape != nil:
		if n, err := strconv.Atoi(m[1]); err == nil && n >= 1 && n <= len(shape.columns) {
			columns = []string{shape.columns[n-1]}
		}
	case shape != nil:
		columns = shape.ofConstraint[e.ConstraintName]
		if t := typeName.FindStringSubmatch(e.Message); len(columns) == 0 && t != nil {
			for _, c := range shape.columns {
				if shape.types[c] == t[1] {
					columns = append(columns, c)
				}
			}
		}
	}
	switch len(columns) {
	case 0:
		return ""
	case 1:
		return ", column " + columns[0]
	}
	return ", column " + strings.Join(columns, " or ")
}

// withoutValues is the message of an error about a row. In those about values
// the server quotes what it was given.
func withoutValues(e *pgconn.PgError) string {
	if !strings.HasPrefix(e.Code, "22") {
		return e.Message
	}
	first, last := strings.IndexByte(e.Message, '"'), strings.LastIndexByte(e.Message, '"')
	text := e.Message
	if first >= 0 && last > first {
		text = text[:first+1] + "..." + text[last:]
	}
	if e.Code == stateUnsupportedEscape {
		text += `: JSON holds \u0000 or a character that the database's encoding lacks`
	}
	return text
}
