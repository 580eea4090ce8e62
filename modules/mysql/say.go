package mysql

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	driver "github.com/go-sql-driver/mysql"
)

// The server's messages repeat values, so that only the names are taken out of
// them: they come last, and a value that looks like one comes before. Names are
// quoted with ' or `, and may be qualified.
var (
	atColumn  = regexp.MustCompile("(?s).*(?:[Cc]olumn|[Ff]ield) ((?:[`'][^`']{1,64}[`']\\.?){1,3})(?: at row \\d+| cannot be null| doesn't have a default value| in '[A-Za-z ]+')?\\.?$")
	atKey     = regexp.MustCompile(`(?s).* for key '([^']{1,200})'$`)
	atCheck   = regexp.MustCompile("^(?:CONSTRAINT [`']([^`']{1,64})[`'] failed for .*|Check constraint '([^']{1,64})' is violated\\.)$")
	atPath    = regexp.MustCompile(`(?s).* in value for column '([^']{1,200})'\.$`)
	atForeign = regexp.MustCompile("CONSTRAINT `([^`]{1,64})` FOREIGN KEY \\(([^)]{1,200})\\)")
)

// columnOf is the name of the column that a message is about; "" when it names
// none.
func columnOf(message string) string {
	m := atPath.FindStringSubmatch(message)
	if m == nil {
		m = atColumn.FindStringSubmatch(message)
	}
	if m == nil {
		return ""
	}
	parts := strings.FieldsFunc(m[1], func(r rune) bool { return r == '`' || r == '\'' || r == '.' })
	if len(parts) == 0 {
		return ""
	}
	return parts[len(parts)-1]
}

// keyOf is the name of the index that a value was a duplicate for; MySQL 8 puts
// the table before it.
func keyOf(message string) string {
	m := atKey.FindStringSubmatch(message)
	if m == nil {
		return ""
	}
	return m[1][strings.LastIndexByte(m[1], '.')+1:]
}

// reasons say what is wrong with a row, behind the name of its column.
var reasons = map[uint16]string{
	1048: "may not be null",
	1263: "may not be null",
	1264: "the number is out of the column's range",
	1265: "the value does not fit the column",
	1292: "the value is not of the column's type",
	1300: "the text is not of the column's character set",
	1364: "has no default, and the schema does not fill it",
	1366: "the value is not of the column's type or character set",
	1406: "the value is too long for the column",
	1441: "the time is out of the column's range",
	1690: "the number is out of the column's range",
	3140: "the value is no JSON to the server",
	3141: "the value is no JSON to the server",
	3144: "the value is no JSON to the server",
	3157: "the JSON is nested deeper than the server's 100 levels",
}

// syntax is the number of an error that quotes the statement, which has no value
// in it.
const syntax = 1064

var quoted = regexp.MustCompile(`(?s)'.*'`)

// say is an error of the server in hookd's words, with its number for looking it
// up and without any value.
func (k *client) say(e *driver.MySQLError, c class, table string) error {
	where := ""
	if table != "" {
		where = "table " + table + ": "
	}
	tell := func(format string, args ...any) error {
		return fmt.Errorf("%s%s (error %d, %s)", where, fmt.Sprintf(format, args...), e.Number, e.SQLState[:])
	}
	switch c {
	case data:
		return tell("%s", refusal(e))
	case duplicate:
		return tell("the unique index %q has the value already", keyOf(e.Message))
	case large:
		return tell("the row is larger than the server's max_allowed_packet")
	case login:
		return tell("user %q is not let in: %s", k.target.user, safe(e.Message))
	case other:
		if e.Number != syntax {
			return tell("%s", safe(quoted.ReplaceAllString(e.Message, "'...'")))
		}
	case rights, missing, busy, conflict, readOnly, full, gone:
	}
	return tell("%s", safe(e.Message))
}

func refusal(e *driver.MySQLError) string {
	if m := atCheck.FindStringSubmatch(e.Message); m != nil && (e.Number == 4025 || e.Number == 3819) {
		name := m[1] + m[2]
		// MariaDB's JSON is a text with a check of the column's name.
		return fmt.Sprintf("the constraint %q refuses the row (of a JSON column: MariaDB takes valid JSON of at most 32 levels)", name)
	}
	if m := atForeign.FindStringSubmatch(e.Message); m != nil && (e.Number == 1452 || e.Number == 1216) {
		return fmt.Sprintf("the foreign key %q on %s refers to a row that is not there", m[1], strings.ReplaceAll(m[2], "`", ""))
	}
	reason, known := reasons[e.Number]
	if !known {
		reason = "the server refuses the row"
	}
	if e.Number == 1644 {
		reason = "a trigger refuses the row"
	}
	if name := columnOf(e.Message); name != "" {
		return "column " + name + ": " + reason
	}
	return reason
}

// maxMessage is what is kept of a text that the server wrote, in bytes.
const maxMessage = 300

// safe is a message of a class that holds no value of a row: statements have
// placeholders only.
func safe(message string) error {
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "..."
	}
	return errors.New(strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, message))
}
