package mysql_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/moduletest"
)

// The table that hookd makes, and one row of each type in it.
func TestTypes(t *testing.T) {
	b := newServer(t)
	d := destination(t, b.connection(), fmt.Sprintf(`{"table": %q, "storage_mode": "hybrid", "schema": {"fields": {
		"s": {"type": "string"}, "v": {"type": "varchar(5)"}, "i": {"type": "integer", "constraints": ["NOT NULL"]}, "f": {"type": "float"},
		"d": {"type": "decimal(20,2)"}, "n": {"type": "numeric"}, "b": {"type": "bool"}, "t": {"type": "timestamp"}, "day": {"type": "date"},
		"clock": {"type": "time"}, "j": {"type": "json"}, "u": {"type": "uuid"}, "at": {"type": "datetime", "default": "CURRENT_TIMESTAMP"},
		"deep": {"type": "string", "path": "data.list.1"}, "def": {"type": "string", "default": "none"}},
		"indexes": {"by_s": {"columns": ["s", "i"]}}}}`, b.table))
	if err := moduletest.Check(t, d); err != nil {
		t.Errorf("Check before the table is there: %v", err)
	}
	full := delivery(`{"s": "'\"\\ \u0000 👋", "v": "ééééé", "i": 9223372036854775807, "f": 1.5e300, "d": 123456789012345678.25, "n": 12345678901234567890123.000000000000000000000000000001,
		"b": "true", "t": "2026-03-04T05:06:07.123456+02:00", "day": "2026-03-04", "clock": "05:06:07", "j": {"b":[1,null]}, "u": "7B3A9F4E-0000-4000-8000-000000000001",
		"at": "0001-01-01T00:00:00Z", "data": {"list": [1, "x"]}, "def": ""}`)
	empty := delivery(`{"i": "-1", "s": null, "j": null, "def": null}`)
	for _, x := range []*event.Delivery{full, empty} {
		if err := moduletest.Send(t, d, x); err != nil {
			t.Fatal(err)
		}
	}
	rows := b.rows(t, "i")
	if len(rows) != 2 {
		t.Fatalf("%d rows", len(rows))
	}
	for name, w := range map[string]any{
		"id": full.ID.String(), "webhook_id": "github", "s": "'\"\\ \x00 👋", "v": "ééééé", "i": "9223372036854775807", "f": "1.5e+300", "d": "123456789012345678.25",
		"n": "12345678901234567890123.000000000000000000000000000001", "b": "1", "t": "2026-03-04 03:06:07.123456", "day": "2026-03-04", "clock": "5:06:07",
		"j": `{"b":[1,null]}`, "u": "7b3a9f4e-0000-4000-8000-000000000001", "at": "0001-01-01 00:00:00", "deep": "x", "def": "", "created_at": "2026-01-02 03:04:05.678901",
		"payload": string(full.Body),
	} {
		if got := fmt.Sprint(rows[1][name]); got != w {
			t.Errorf("%s is %q, want %q", name, got, w)
		}
	}
	for name, w := range map[string]any{"s": nil, "j": nil, "f": nil, "def": nil, "deep": nil, "at": "2026-01-02 03:04:05.678901"} {
		if got := rows[0][name]; got != w {
			t.Errorf("%s is %q, want %v", name, got, w)
		}
	}
	if err := moduletest.Check(t, d); err != nil {
		t.Errorf("Check: %v", err)
	}
	for body, text := range map[string]string{
		`{}`:                        "column i (integer)",
		`{"i": null}`:               "column i (integer)",
		`{"i": 1.5}`:                "fraction",
		`{"i": 1, "v": "123456"}`:   "column v (varchar(5)): got 6 characters",
		`{"i": 1, "d": 1.234}`:      "rounded",
		`{"i": 1, "t": "soon"}`:     "column t (timestamp)",
		`{"i": 1, "n": 1e-31}`:      "rounded",
		`{"i": 1, "n": 1e40}`:       "column n: the number is out of the column's range",
		`{"i": 1, "s": "\ud83d x"}`: "surrogate",
	} {
		code := "mysql_value"
		if strings.Contains(text, "range") {
			code = "mysql_1264"
		}
		moduletest.Want(t, body, moduletest.Send(t, d, delivery(body)), modules.Rejected, code, text)
	}
}

// What stands where a text may stand is stored as itself, or rejected with the
// reason; and nothing else happens.
func TestHostile(t *testing.T) {
	b := newServer(t)
	d := destination(t, b.connection(), fmt.Sprintf(`{"table": %q, "storage_mode": "hybrid", "schema": {"s": "text", "k": "varchar(100) unique"}}`, b.table))
	for i, text := range []string{
		`'`, `"`, "`", `\\`, `\\'`, `'; DROP TABLE %s; --`, `\u0000`, `%s%n%d`, `{{.}}`, `\ud83d\udc4b`, `\u202e`, "👋", `\r\n\t`, `0x27`, `NULL`, `?`, `' OR '1'='1`, `\u001a`,
		`\\0`, `/*!50000 x */`, strings.Repeat("x", 1<<20),
	} {
		text = strings.ReplaceAll(text, "%s", b.table)
		body := fmt.Sprintf(`{"s": "%s", "k": "%d"}`, strings.ReplaceAll(text, `"`, `\"`), i)
		if text == `"` {
			body = fmt.Sprintf(`{"s": "\"", "k": "%d"}`, i)
		}
		x := delivery(body)
		x.Event.Header.Set("X-Hostile", text)
		if err := moduletest.Send(t, d, x); err != nil {
			t.Errorf("%.40s: %v", text, err)
			continue
		}
		// What the database itself reads from the payload is what is in the column.
		got := b.ask(t, fmt.Sprintf("SELECT payload, s = JSON_UNQUOTE(JSON_EXTRACT(payload, '$.s')) AS same, headers FROM %%s WHERE k = '%d'", i))
		if len(got) != 1 || got[0]["payload"] != body || fmt.Sprint(got[0]["same"]) != "1" {
			t.Errorf("%.40s: %.200v", text, got)
		}
	}
	for _, half := range []string{`\ud83d`, `\udc4b`, `\udc4b\ud83d`} {
		moduletest.Want(t, half, moduletest.Send(t, d, delivery(`{"s": "`+half+`", "k": "h"}`)), modules.Rejected, "mysql_value", "surrogate")
	}
}

// A table that is there is used as it is: it gets what it lacks and nothing of
// it is changed. Its rows stay.
func TestExistingTable(t *testing.T) {
	b := newServer(t)
	b.exec(
		// As the original service made it in the mode hybrid.
		"CREATE TABLE %s (id CHAR(36) PRIMARY KEY DEFAULT (UUID()), webhook_id VARCHAR(255) NOT NULL, payload JSON NOT NULL, created_at DATETIME DEFAULT CURRENT_TIMESTAMP, amount DECIMAL(10,2)) CHARSET utf8mb4",
		"INSERT INTO %s (id, webhook_id, payload) VALUES (UUID(), 'old', '{}')")
	options := fmt.Sprintf(`{"table": %q, "storage_mode": "hybrid", "schema": {"fields": {"amount": {"type": "number"}, "email": {"type": "string", "constraints": ["NOT NULL"]}},
		"indexes": {"by_email": {"columns": ["email"]}}}, "create": `, b.table)
	fixed := destination(t, b.connection(), options+"false}")
	moduletest.Want(t, "create false", moduletest.Send(t, fixed, delivery(`{"email": "a"}`)), modules.Retryable, modules.CodeNotFound, "has no column headers, email")
	moduletest.Want(t, "create false, Check", moduletest.Check(t, fixed), modules.Retryable, modules.CodeNotFound, "has no column headers, email")
	d := destination(t, b.connection(), options+"true}")
	if err := moduletest.Check(t, d); err != nil {
		t.Errorf("Check: %v", err)
	}
	for range 2 { // a repeat adds no row
		if err := moduletest.Send(t, d, delivery(`{"email": "a", "amount": 1.5}`)); err != nil {
			t.Fatal(err)
		}
	}
	x := delivery(`{"email": "b"}`)
	for range 2 {
		if err := moduletest.Send(t, d, x); err != nil {
			t.Fatal(err)
		}
	}
	if err := moduletest.Send(t, fixed, x); err != nil {
		t.Errorf("create false, after the columns were added: %v", err)
	}
	got := b.ask(t, "SELECT webhook_id, amount, email FROM %s ORDER BY webhook_id DESC, email")
	if fmt.Sprint(got) != "[map[amount:<nil> email:<nil> webhook_id:old] map[amount:1.50 email:a webhook_id:github] map[amount:1.50 email:a webhook_id:github] map[amount:<nil> email:b webhook_id:github]]" {
		t.Errorf("%v", got)
	}
	if n := len(b.ask(t, "SHOW INDEX FROM %s WHERE Key_name = 'by_email'")); n != 1 {
		t.Errorf("%d indexes", n)
	}
	// The columns' own types win: amount has two digits behind the point here.
	exact := destination(t, b.connection(), strings.Replace(options, "number", "decimal", 1)+"true}")
	moduletest.Want(t, "rounded", moduletest.Send(t, exact, delivery(`{"email": "c", "amount": 1.234}`)), modules.Rejected, "mysql_value", "more than 2 digits")
}

// Tables that cannot hold deliveries are told before one is lost.
func TestUnfitTables(t *testing.T) {
	for what, c := range map[string]struct{ table, more, text string }{
		"number":     {"CREATE TABLE %s (id BIGINT AUTO_INCREMENT PRIMARY KEY)", `, "create": false`, "has no column delivery_id"},
		"blackhole":  {"CREATE TABLE %s (id CHAR(36) PRIMARY KEY) ENGINE=BLACKHOLE", "", "BLACKHOLE"},
		"no key":     {"CREATE TABLE %s (id CHAR(36), webhook_id TEXT, payload JSON, headers JSON, created_at DATETIME, timestamp DATETIME)", `, "create": false`, "no unique index on id"},
		"prefix key": {"CREATE TABLE %s (id CHAR(36), webhook_id TEXT, payload JSON, headers JSON, created_at DATETIME, timestamp DATETIME, UNIQUE (id(8)))", `, "create": false`, "no unique index on id"},
		"no upsert key": {
			"CREATE TABLE %s (id CHAR(36) PRIMARY KEY, webhook_id TEXT, payload JSON, headers JSON, created_at DATETIME, n BIGINT)",
			`, "create": false, "storage_mode": "hybrid", "schema": {"n": "integer"}, "upsert": true, "upsert_key": "n"`, "no unique index on n",
		},
	} {
		t.Run(what, func(t *testing.T) {
			b := newServer(t)
			if strings.Contains(c.table, "BLACKHOLE") && len(b.ask(t, "SELECT 1 FROM information_schema.ENGINES WHERE ENGINE = 'BLACKHOLE' AND SUPPORT = 'YES'")) == 0 {
				t.Skip("the server has no such engine")
			}
			b.exec(c.table)
			d := destination(t, b.connection(), fmt.Sprintf(`{"table": %q%s}`, b.table, c.more))
			err := moduletest.Send(t, d, delivery(`{"n": 1}`))
			moduletest.Want(t, "Send", err, modules.Retryable, modules.FailureOf(err).Code, c.text)
			err = moduletest.Check(t, d)
			moduletest.Want(t, "Check", err, modules.Retryable, modules.FailureOf(err).Code, c.text)
			if n := len(b.rows(t, "id")); n != 0 {
				t.Errorf("%d rows", n)
			}
		})
	}
}

// An account that may only insert and look needs no other right; one that may
// not insert is told by the check.
func TestRights(t *testing.T) {
	b := newServer(t)
	b.exec("CREATE TABLE %s (id CHAR(36) PRIMARY KEY, webhook_id TEXT, payload JSON, headers JSON, created_at DATETIME, timestamp DATETIME) CHARSET utf8mb4")
	b.guest(t, "INSERT, SELECT")
	d := destination(t, b.connection(), fmt.Sprintf(`{"table": %q}`, b.table))
	if err := moduletest.Check(t, d); err != nil {
		t.Errorf("Check: %v", err)
	}
	if err := moduletest.Send(t, d, delivery(`{}`)); err != nil {
		t.Errorf("Send: %v", err)
	}
	b.revoke("INSERT")
	moduletest.Want(t, "Check", moduletest.Check(t, d), modules.Retryable, modules.CodeAuthFailed, "INSERT command denied")
	moduletest.Want(t, "Send", moduletest.Send(t, d, delivery(`{}`)), modules.Retryable, modules.CodeAuthFailed, "INSERT command denied")
	other := destination(t, b.connection(), fmt.Sprintf(`{"table": "%s_new"}`, b.table))
	moduletest.Want(t, "Check, no right to create", moduletest.Check(t, other), modules.Retryable, modules.CodeAuthFailed, "denied")
	if n := len(b.do("query", "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = '"+testinfra.Database+"' AND TABLE_NAME = '"+b.table+"_new'")); n != 0 {
		t.Error("Check made a table")
	}
}

// A table whose id is a number gets another column for the delivery's, and the
// numbers go on.
func TestNumbersAsID(t *testing.T) {
	b := newServer(t)
	b.exec("CREATE TABLE %s (id BIGINT AUTO_INCREMENT PRIMARY KEY, payload JSON) CHARSET utf8mb4", "INSERT INTO %s (payload) VALUES ('{}')")
	d := destination(t, b.connection(), fmt.Sprintf(`{"table": %q}`, b.table))
	if err := moduletest.Check(t, d); err != nil {
		t.Errorf("Check: %v", err)
	}
	x := delivery(`{"a":1}`)
	for range 2 {
		if err := moduletest.Send(t, d, x); err != nil {
			t.Fatal(err)
		}
	}
	if got := fmt.Sprint(b.ask(t, "SELECT id, delivery_id FROM %s ORDER BY id LIMIT 2")); got != "[map[delivery_id:<nil> id:1] map[delivery_id:"+x.ID.String()+" id:2]]" {
		t.Error(got)
	}
	if n := len(b.rows(t, "id")); n != 2 {
		t.Errorf("%d rows", n)
	}
}
