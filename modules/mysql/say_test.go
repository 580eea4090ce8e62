package mysql

import (
	"strings"
	"testing"

	driver "github.com/go-sql-driver/mysql"

	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/modules"
)

// What the servers say, and what of it is passed on: names, and never a value,
// though values try to look like names. The texts of MySQL 8 are from its
// manual; the tests beside this one meet those of MariaDB.
func TestSay(t *testing.T) {
	t.Parallel()
	const evil = "s3cret' for key 'x' for column 'y' at row 1"
	k := &client{target: target{user: "u", host: "h", port: 1}}
	for _, c := range []struct {
		number     uint16
		message    string
		kind       modules.FailureKind
		code, says string
	}{
		{1062, "Duplicate entry '" + evil + "' for key 'email'", modules.Rejected, "mysql_1062", `index "email"`},
		{1062, "Duplicate entry '" + evil + "' for key 't.email'", modules.Rejected, "mysql_1062", `index "email"`},
		{1048, "Column 'a' cannot be null", modules.Rejected, "mysql_1048", "column a: may not be null"},
		{1364, "Field 'a' doesn't have a default value", modules.Rejected, "mysql_1364", "column a: has no default"},
		{1264, "Out of range value for column 'a' at row 2", modules.Rejected, "mysql_1264", "column a: the number"},
		{1406, "Data too long for column 'a' at row 1", modules.Rejected, "mysql_1406", "column a: the value is too long"},
		{1265, "Data truncated for column 'a' at row 1", modules.Rejected, "mysql_1265", "column a:"},
		{1292, "Incorrect datetime value: '" + evil + "' for column `d`.`t`.`a` at row 1", modules.Rejected, "mysql_1292", "column a:"},
		{1292, "Incorrect datetime value: '" + evil + "' for column 'a' at row 1", modules.Rejected, "mysql_1292", "column a:"},
		{1292, "Truncated incorrect DOUBLE value: '" + evil + "'", modules.Rejected, "mysql_1292", "not of the column's type"},
		{1366, "Incorrect integer value: '" + evil + "' for column `d`.`t`.`a` at row 1", modules.Rejected, "mysql_1366", "column a:"},
		{3140, "Invalid JSON text: \"" + evil + "\" at position 1 in value for column 't.a'.", modules.Rejected, "mysql_3140", "column a: the value is no JSON"},
		{4025, "CONSTRAINT `d.payload` failed for `d`.`t`", modules.Rejected, "mysql_4025", `constraint "d.payload"`},
		{4025, "CONSTRAINT `payload` failed for `d`.`t`", modules.Rejected, "mysql_4025", `constraint "payload"`},
		{3819, "Check constraint 'positive' is violated.", modules.Rejected, "mysql_3819", `constraint "positive"`},
		{1452, "Cannot add or update a child row: a foreign key constraint fails (`d`.`t`, CONSTRAINT `fk` FOREIGN KEY (`a`) REFERENCES `p` (`id`))", modules.Rejected, "mysql_1452", `foreign key "fk" on a`},
		{1644, evil, modules.Rejected, "mysql_1644", "a trigger refuses"},
		{1153, "Got a packet bigger than 'max_allowed_packet' bytes", modules.Rejected, "too_large", "max_allowed_packet"},
		{1045, "Access denied for user 'u'@'h' (using password: YES)", modules.Retryable, "auth_failed", "Access denied"},
		{1142, "INSERT command denied to user 'u'@'h' for table 't'", modules.Retryable, "auth_failed", "INSERT command denied"},
		{1146, "Table 'd.t' doesn't exist", modules.Retryable, "not_found", "doesn't exist"},
		{1054, "Unknown column 'a' in 'field list'", modules.Retryable, "not_found", "Unknown column 'a'"},
		{1049, "Unknown database 'd'", modules.Retryable, "not_found", "Unknown database"},
		{1040, "Too many connections", modules.Throttled, "throttled", "Too many connections"},
		{1226, "User 'u' has exceeded the 'max_questions' resource (current value: 1)", modules.Throttled, "throttled", "max_questions"},
		{1205, "Lock wait timeout exceeded; try restarting transaction", modules.Retryable, "mysql_1205", "Lock wait"},
		{1213, "Deadlock found when trying to get lock; try restarting transaction", modules.Retryable, "mysql_1213", "Deadlock"},
		{1290, "The MariaDB server is running with the --read-only option so it cannot execute this statement", modules.Lost, "connection_lost", "--read-only"},
		{1836, "Running in read-only mode", modules.Lost, "connection_lost", "read-only"},
		{1021, "Disk full (/tmp/x); waiting for someone to free some space", modules.Retryable, "disk_full", "Disk full"},
		{1053, "Server shutdown in progress", modules.Lost, "connection_lost", "shutdown"},
		{1064, "You have an error in your SQL syntax near 'FROM (?)'", modules.Retryable, "mysql_1064", "FROM (?)"},
		{9999, "Something about '" + evil + "' that is new", modules.Retryable, "mysql_9999", "Something about '...' that is new"},
	} {
		err := k.failure(t.Context(), &driver.MySQLError{Number: c.number, SQLState: [5]byte{'4', '2', '0', '0', '0'}, Message: c.message}, "t")
		f := modules.FailureOf(err)
		if f.Kind != c.kind || f.Code != c.code || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %s (%s): %v, want %s (%s) with %q", c.message, f.Kind, f.Code, err, c.kind, c.code, c.says)
		}
		if !modules.KnownCode("mysql", f.Code) {
			t.Errorf("code %q", f.Code)
		}
		if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("a value is shown: %v", err)
		}
	}
}

func TestParseText(t *testing.T) {
	t.Parallel()
	got, err := parseText(secret.New("mariadb://us%40er:p%3Aw%2F%23@[::1]:3307/web-hooks?tls=skip-verify&charset=utf8mb4"))
	if err != nil {
		t.Fatal(err)
	}
	if got.addr() != "[::1]:3307" || got.user != "us@er" || got.password.Reveal() != "p:w/#" || got.database != "web-hooks" || !got.tls.On() || !got.tls.Insecure {
		t.Errorf("%+v", got)
	}
	for _, text := range []string{
		"", "x", "mysql://", "mysql://u:s3cret@h", "mysql://:s3cret@h/d", "mysql://u:s3cret#x@h/d", "mysql://u:s3cret@h:0/d", "mysql://u:s3cret@h:x/d",
		"u:s3cret@tcp(h:1)/d", "mysql://u:s3cret@h/d?tls=preferred", "mysql://u:s3cret@h/d?init=s3cret", "mysql://u:s3cret@h/d?tls=s3cret", "mysql://u:s3cret%zz@h/d",
	} {
		if _, err := parseText(secret.New(text)); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
