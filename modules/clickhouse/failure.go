package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

const (
	// pause is how long a server that is overloaded is left alone.
	pause = 5 * time.Second
	// maxMessage is how much of what the server says is shown, in bytes.
	maxMessage = 400
)

// Codes of ClickHouse, see ErrorCodes.cpp there.
const (
	unknownTable   = 60
	notImplemented = 48
	notEnoughSpace = 243
)

// What the codes mean for a delivery.
var (
	codesOfData = []int32{ // a value does not fit its column
		6, 26, 27, 38, 41, 53, 69, 70, 72, 117, 131, 321, 349, 376, 395, 407, 469, 691,
	}
	codesOfLogin    = []int32{192, 193, 194, 195, 516}
	codesOfRights   = []int32{164, 291, 497}
	codesOfAbsence  = []int32{unknownTable, 81, 218}
	codesOfOverload = []int32{158, 173, 201, 202, 241, 252, 439}
	codesOfTrouble  = []int32{159, 209, 210, 225, 236, 242, 285, 286, 319, 373, 394, 999}
)

// failure says what an error of a call means.
func (k *client) failure(ctx context.Context, err error) error {
	var (
		f         *modules.Failure
		e         *ch.Exception
		answer    *ch.HTTPError
		elsewhere *redirected
	)
	wrap := func(err error) error { return fmt.Errorf("clickhouse: %s: %w", k.addr, err) }
	switch {
	case errors.As(err, &e):
		return k.exception(e)
	case errors.As(err, &f): // of the dial
		return &modules.Failure{Kind: f.Kind, Code: f.Code, After: f.After, Err: wrap(f.Err)}
	case errors.As(err, &answer):
		return k.answer(answer)
	case errors.As(err, &elsewhere):
		return modules.Retry(modules.CodeBadAnswer, wrap(elsewhere))
	case ctx.Err() != nil:
		return link.Ended(ctx, wrap(errors.New("no answer in time")))
	case stranger(err):
		return modules.Retry(modules.CodeBadAnswer, wrap(fmt.Errorf(
			"%s protocol: the far end does not speak it; is the port right, and TLS?", k.config.protocol())))
	}
	f2 := modules.FailureOf(link.Failure(ctx, err))
	f2.Err = wrap(cause(err))
	return &f2
}

// answer says what an HTTP answer means that the library did not take apart:
// one of an old server, or of something before it. Its body is not shown.
func (k *client) answer(a *ch.HTTPError) error {
	if m := codeInBody.FindStringSubmatch(a.Error()); m != nil {
		if n, err := strconv.ParseInt(m[1], 10, 32); err == nil {
			return k.exception(&ch.Exception{Code: int32(n), Message: m[2]})
		}
	}
	err := fmt.Errorf("clickhouse: %s: HTTP status %d", k.addr, a.StatusCode)
	switch {
	case a.StatusCode == http.StatusUnauthorized, a.StatusCode == http.StatusForbidden:
		return modules.Retry(modules.CodeAuthFailed, err)
	case a.StatusCode == http.StatusTooManyRequests:
		return modules.Throttle(modules.CodeThrottled, pause, err)
	case a.StatusCode >= http.StatusInternalServerError:
		return modules.Retry(modules.CodeUnavailable, err)
	}
	return modules.Retry(modules.CodeBadAnswer, fmt.Errorf("%w: is that ClickHouse?", err))
}

// codeInBody is the form of older servers, which the library does not know.
var codeInBody = regexp.MustCompile(`Code: (\d{1,6})[.,] (?:e\.displayText\(\) = )?(.*)`)

// stranger reports an answer that is not ClickHouse's.
func stranger(err error) bool {
	s := err.Error()
	return strings.Contains(s, "unexpected packet") || strings.Contains(s, "failed to decode server hello") ||
		errors.Is(err, ch.ErrUnsupportedServerRevision)
}

// cause is the innermost error: what is around it names the library's parts and,
// with HTTP, the URL.
func cause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// exception says what the server's own error means.
func (k *client) exception(e *ch.Exception) error {
	is := func(codes []int32) bool { return slices.Contains(codes, e.Code) }
	err := fmt.Errorf("clickhouse: %s: code %d: %s", k.addr, e.Code, message(e.Message))
	ofUser := fmt.Errorf("clickhouse: %s: user %q: code %d: %s", k.addr, k.config.User, e.Code, message(e.Message))
	switch {
	case is(codesOfData):
		return modules.Reject(modules.CodeRefused, &badRow{fmt.Errorf("clickhouse: %s: code %d%s: a value does not fit its column%s",
			k.addr, e.Code, name(e), column(e.Message))})
	case e.Code == notImplemented:
		return modules.Reject(modules.CodeRefused, err)
	case is(codesOfRights), is(codesOfLogin):
		return modules.Retry(modules.CodeAuthFailed, ofUser)
	case is(codesOfAbsence):
		return modules.Retry(modules.CodeNotFound, err)
	case is(codesOfOverload):
		return modules.Throttle(modules.CodeThrottled, pause, err)
	case e.Code == notEnoughSpace:
		return modules.Retry(modules.CodeDiskFull, err)
	case is(codesOfTrouble):
		return modules.Retry(modules.CodeUnavailable, err)
	}
	return modules.Retry("clickhouse_"+strconv.Itoa(int(e.Code)), err)
}

// badRow marks an error that one row of an insert is the cause of.
type badRow struct{ error }

func (e *badRow) Unwrap() error { return e.error }

func isBadRow(err error) bool {
	var b *badRow
	return errors.As(err, &b)
}

// message is what the server says, on one line and not too long. It is not
// shown for bad values, for it may quote them.
func message(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "\uFFFD")), " ")
	s = strings.TrimPrefix(s, "DB::Exception: ")
	if len(s) > maxMessage {
		s = strings.ToValidUTF8(s[:maxMessage], "") + "..."
	}
	return s
}

func name(e *ch.Exception) string {
	n := e.Name
	if n == "" || n == "DB::Exception" || len(n) > 80 {
		return ""
	}
	return " (" + n + ")"
}

// constraint is how the server names one.
var constraint = regexp.MustCompile("^(?:DB::Exception: )?Constraint `([^`]{1,100})`")

// column finds the column that the server speaks of, or the constraint.
func column(s string) string {
	if m := constraint.FindStringSubmatch(s); m != nil {
		return fmt.Sprintf(", or violates the constraint %q", m[1])
	}
	for _, c := range columns {
		for _, quoted := range []string{"column " + c, "'" + c + "'", "`" + c + "`", `"` + c + `"`} {
			if strings.Contains(s, quoted) {
				return fmt.Sprintf(" %q", c)
			}
		}
	}
	return ""
}
