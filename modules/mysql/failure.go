package mysql

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

// throttlePause is how long a server that asked for time is left alone.
const throttlePause = 5 * time.Second

// class is what an error number of the server means.
type class uint8

const (
	other     class = iota // tried again, with its number as the code
	data                   // the row cannot be stored: dead letter
	large                  // the row is too large: dead letter
	duplicate              // a unique index has the value already
	login                  // hookd is not let in
	rights                 // the account may not do that
	missing                // the database, table or column is not there
	busy                   // the server asks for time
	conflict               // lost against another transaction
	readOnly               // a replica, or a server that is being moved
	full                   // no room on the disk
	gone                   // the server ends the connection
)

// classes are the error numbers of MySQL 8 and MariaDB 10.11 that an insert or
// the way there can meet. What is not listed is tried again.
var classes = map[uint16]class{
	1062: duplicate, 1169: duplicate, 1586: duplicate, 1859: duplicate,
	// Values that do not fit, and constraints.
	1048: data, 1216: data, 1242: data, 1263: data, 1264: data, 1265: data, 1292: data, 1300: data, 1364: data, 1365: data, 1366: data, 1367: data,
	1369: data, 1406: data, 1411: data, 1416: data, 1441: data, 1452: data, 1525: data, 1526: data, 1644: data, 1690: data, 1748: data,
	3140: data, 3141: data, 3143: data, 3144: data, 3146: data, 3150: data, 3155: data, 3156: data, 3157: data, 3819: data, 4025: data, 4078: data,
	1153: large, 1301: large, 3151: large,
	1045: login, 1129: login, 1130: login, 1251: login, 1275: login, 1698: login, 1820: login, 1862: login, 3118: login, 3159: login, 4151: login,
	1044: rights, 1142: rights, 1143: rights, 1227: rights, 1370: rights, 1410: rights,
	1049: missing, 1054: missing, 1109: missing, 1146: missing,
	1040: busy, 1041: busy, 1203: busy, 1226: busy, 1461: busy, 1390: busy, 1135: busy, 1037: busy, 1038: busy,
	1020: conflict, 1205: conflict, 1213: conflict, 1317: conflict, 1412: conflict, 1615: conflict, 1969: conflict, 3024: conflict, 3101: conflict, 3572: conflict,
	1290: readOnly, 1792: readOnly, 1836: readOnly, 3100: readOnly, 3098: readOnly,
	1021: full, 1114: full, 1030: full, 1034: full, 1003: full, 1026: full,
	1053: gone, 1077: gone, 1079: gone, 1080: gone, 1152: gone, 1158: gone, 1159: gone, 1160: gone, 1161: gone, 1184: gone, 1927: gone, 3169: gone, 4031: gone,
}

// classOf is the class of an error, and the server's words where they are its.
func classOf(err error) (class, *driver.MySQLError) {
	var e *driver.MySQLError
	if !errors.As(err, &e) {
		return other, nil
	}
	return classes[e.Number], e
}

// aboutOne reports an error that one row of a statement may have caused, while
// others can be stored.
func aboutOne(err error) bool {
	c, _ := classOf(err)
	return c == data || c == duplicate || c == large || errors.Is(err, driver.ErrPktTooLarge)
}

// unknown reports an error of the server that hookd cannot tell, such as a
// trigger's own number: it may be one row's, and may have undone more than that.
func unknown(err error) bool {
	c, e := classOf(err)
	return c == other && e != nil && e.Number != syntax
}

// failure says what the error of a statement means. table is what it was about.
func (k *client) failure(ctx context.Context, err error, table string) error {
	f := modules.FailureOf(k.classify(ctx, err, table, false))
	f.Err = fmt.Errorf("mysql: %s: %w", k.target.addr(), f.Err)
	return &f
}

// classify says what an error means. Errors of the server are said in hookd's
// words, because the server repeats values.
func (k *client) classify(ctx context.Context, err error, table string, opening bool) error {
	var classified *modules.Failure
	c, e := classOf(err)
	switch {
	case errors.As(err, &classified):
		return classified
	case ctx.Err() != nil && opening:
		return link.Ended(ctx, errors.New("no answer: does MySQL listen there?"))
	case ctx.Err() != nil:
		return link.Ended(ctx, errors.New("no answer"))
	case e == nil && opening && broken(err):
		return modules.Retry(modules.CodeUnavailable, errors.New("the far end closed the connection at once: does MySQL listen there?"))
	case e == nil:
		return k.network(ctx, err, opening)
	}
	text := k.say(e, c, table)
	switch c {
	case data, duplicate:
		return modules.Reject(code(e), text)
	case large:
		return modules.Reject(modules.CodeTooLarge, text)
	case login, rights:
		return modules.Retry(modules.CodeAuthFailed, text)
	case missing:
		return modules.Retry(modules.CodeNotFound, text)
	case busy:
		return modules.Throttle(modules.CodeThrottled, throttlePause, text)
	case readOnly:
		if opening {
			return modules.Retry(modules.CodeUnavailable, text)
		}
		return modules.Disconnect(text) // the name may lead to another server by now
	case full:
		return modules.Retry(modules.CodeDiskFull, text)
	case gone:
		if opening {
			return modules.Retry(modules.CodeUnavailable, text)
		}
		return modules.Disconnect(text)
	case conflict, other:
	}
	return modules.Retry(code(e), text)
}

// code is the slug of an error that has no better one.
func code(e *driver.MySQLError) string { return "mysql_" + strconv.Itoa(int(e.Number)) }

// network says what an error means that is not the server's.
//
// A server that is gone is the host's to come back to: that uses no attempts up.
func (k *client) network(ctx context.Context, err error, opening bool) error {
	var op *net.OpError
	switch {
	case errors.Is(err, driver.ErrPktTooLarge):
		return modules.Reject(modules.CodeTooLarge, errors.New("the row is larger than the server's max_allowed_packet"))
	case errors.Is(err, driver.ErrNoTLS):
		return modules.Retry(modules.CodeTLS, errors.New("the server does not offer TLS"))
	case errors.Is(err, driver.ErrUnknownPlugin), errors.Is(err, driver.ErrOldPassword), errors.Is(err, driver.ErrNativePassword):
		return modules.Retry(modules.CodeAuthFailed, fmt.Errorf("user %q: the server wants a way to log in that hookd does not have; "+
			"mysql_native_password, caching_sha2_password and ed25519 are known", k.target.user))
	case errors.Is(err, driver.ErrCleartextPassword):
		return modules.Retry(modules.CodeAuthFailed, fmt.Errorf("user %q: the server wants the password in clear text, which hookd never sends", k.target.user))
	case errors.Is(err, driver.ErrMalformPkt), errors.Is(err, driver.ErrOldProtocol), errors.Is(err, driver.ErrPktSync), errors.Is(err, driver.ErrPktSyncMul):
		return modules.Retry(modules.CodeBadAnswer, errors.New("the far end did not speak MySQL's protocol: is that the server's port?"))
	case !opening && broken(err):
		return modules.Disconnect(errors.New("the connection broke; what was under way is sent again"))
	}
	f := modules.FailureOf(link.Failure(ctx, err))
	if !opening && (f.Code == modules.CodeUnavailable || errors.As(err, &op) && f.Code != modules.CodeEgressDenied && f.Code != modules.CodeTLS) {
		return modules.Disconnect(err)
	}
	return &f
}

// broken reports a connection that ended in the middle of something.
func broken(err error) bool {
	return errors.Is(err, sqldriver.ErrBadConn) || errors.Is(err, driver.ErrInvalidConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
