package clickhouse_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/clickhouse"
	"github.com/hookd/hookd/modules/moduletest"
)

// TestRows keeps the whole body in a column of the schema, so that the suite can
// read it back. The table refuses some rows by itself.
func TestRows(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module:  clickhouse.Module(),
		Carries: compact,
		Start: func(t *testing.T) *moduletest.Far {
			b := newServer(t)
			b.query("CREATE TABLE " + b.table + " (n Nullable(String), checked UInt8 MATERIALIZED throwIf(position(whole, 'poison') > 0), whole String, " +
				"timestamp DateTime, id UUID, headers String, webhook_id String) ENGINE = ReplacingMergeTree() ORDER BY id")
			far := b.far(fmt.Sprintf(`{"schema": {"fields": {
				"whole": {"type": "json", "jq": "."}, "n": "text", "sent": {"column": "headers", "type": "json", "jq": "$event.headers"}}},
				"table": %q, "create": false, "flush_interval": "20ms"}`, b.table))
			far.Received = func() []moduletest.Message { return b.documents("toString(id)", "whole") }
			far.Poison = []byte(`{"poison":1}`)
			far.Refuse = func() {
				b.query("DROP TABLE IF EXISTS " + b.table)
				b.query("CREATE VIEW " + b.table + " AS SELECT generateUUIDv4() AS id, 'x' AS webhook_id, now() AS timestamp, 'x' AS whole, 'x' AS headers, 'x' AS n")
			}
			return far
		},
		Bad: []moduletest.Bad{
			{Options: `{"schema": {}}`, Want: "no fields", Path: "schema"},
			{Options: `{"schema": 5}`, Want: "want an object", Path: "schema"},
			{Options: `{"schema": {"a": "text);--"}}`, Want: "not the name of a type", Path: "schema"},
			{Options: "{\"schema\": {\"a`; DROP TABLE b\": \"text\"}}", Want: "no name", Path: "schema"},
			{Options: `{"schema": {"` + strings.Repeat("a", 201) + `": "text"}}`, Want: "takes 200", Path: "schema"},
			{Options: `{"schema": {"a": "numeric(39,2)"}}`, Want: "38 digits", Path: "schema"},
			{Options: `{"schema": {"timestamp": "text"}}`, Want: "hookd's own", Path: "schema"},
			{Options: `{"schema": {"fields": {"a": {"column": "webhook_id"}}}}`, Want: "hookd's own", Path: "schema"},
			{Options: `{"schema": {"fields": {"a": {"jq": ".["}}}}`, Want: "jq program", Path: "schema"},
			{Options: `{"schema": {"fields": {"a": {}}, "indexes": {"i": {"columns": ["b"]}}}}`, Want: "no field", Path: "schema"},
		},
	})
}

// TestRowsCreated is a table that hookd creates, with rows stored at once.
func TestRowsCreated(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module:  clickhouse.Module(),
		Carries: compact,
		Start: func(t *testing.T) *moduletest.Far {
			b := newServer(t)
			far := b.far(fmt.Sprintf(`{"schema": {"fields": {"id": "text", "whole": {"type": "json", "jq": ".", "constraints": ["NOT NULL"]}}}, "table": %q, "flush_interval": 0}`, b.table))
			far.Received = func() []moduletest.Message { return b.documents("delivery_id", "whole") }
			far.Break, far.Refuse = nil, nil // it would be created again; the columns be added
			return far
		},
	})
}

// compact: what jq made of a body has no spaces.
func compact(body []byte) bool {
	var b bytes.Buffer
	return json.Valid(body) && json.Compact(&b, body) == nil && bytes.Equal(b.Bytes(), body)
}

// documents are the rows, each with a document in one column.
func (b *server) documents(id, column string) (all []moduletest.Message) {
	if b.query("EXISTS TABLE "+b.table) == "0\n" {
		return nil
	}
	for line := range strings.Lines(b.query("SELECT " + id + ", hex(" + column + ") FROM " + b.table)) {
		f := strings.Fields(line)
		all = append(all, moduletest.Message{ID: f[0], Body: []byte(b.unhex(f[1]))})
	}
	return all
}

// client is what clickhouse-client reads: rows as JSON.
func (b *server) client(query string) (rows []map[string]any) {
	b.t.Helper()
	_, port := testinfra.Split(b.Addr)
	out, err := exec.CommandContext(b.t.Context(), "clickhouse-client", "--host", "127.0.0.1", "--port", strconv.Itoa(port), "--user", b.User, "--password", b.Password,
		"--output_format_json_quote_64bit_integers", "1", "--query", query+" FORMAT JSONEachRow").Output()
	if err != nil {
		b.t.Fatalf("%s: %v", query, err)
	}
	for line := range bytes.Lines(out) {
		var row map[string]any
		if err := json.Unmarshal(line, &row); err != nil {
			b.t.Fatalf("%v: %s", err, line)
		}
		rows = append(rows, row)
	}
	return rows
}

// logged is a destination with a log.
func logged(t *testing.T, connection, options string) (modules.BatchDestination, *moduletest.Log) {
	t.Helper()
	d, log := moduletest.Logged(t, clickhouse.Module(), connection, options)
	return d.(modules.BatchDestination), log
}

func (b *server) schema(create bool, schema string) string {
	return b.options(fmt.Sprintf(`, "create": %v, "schema": %s`, create, schema))
}

// The table that hookd makes, where values are found, and what NULL is.
func TestRowsReadBack(t *testing.T) {
	b := newServer(t)
	d := destination(t, b.connection(), b.schema(true, `{"fields": {
		"order.id": {"type": "integer", "constraints": ["NOT NULL"]}, "total": {"type": "numeric(12,2) not null", "path": "order.total"}, "big": "decimal",
		"first": {"jq": ".items[0].name"}, "kind": {"jq": "$event.headers[\"x-github-event\"]"}, "paid": "boolean", "at": {"column": "paid_at", "type": "timestamp"},
		"day": "date", "clock": "time", "ratio": "float", "doc": {"type": "json", "path": "order"}, "ref": "uuid", "state": {"type": "varchar(9)", "default": "new"},
		"seen": {"type": "timestamp", "default": "CURRENT_TIMESTAMP"}}}`))
	if err := moduletest.Check(t, d); err != nil {
		t.Errorf("Check before the table is there: %v", err)
	}
	full := delivery(`{"order": {"id": 9223372036854775807, "total": "1234567890.5", "n": 1e999}, "big": -12345678901234567890.123456789012345678, "items": [{"name": "a\u0000'\"\\"}],
		"paid": "true", "at": "2026-03-04T05:06:07+02:00", "day": "2026-03-04", "clock": "05:06:07", "ratio": -0.5, "ref": "7B3A9F4E-0000-4000-8000-000000000001", "state": null, "seen": 1}`)
	least := delivery(`{"order.id": 1, "order": {"id": 2, "total": 0}}`)
	for _, r := range sendBatch(t, d, full, least) {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	got := b.client("SELECT *, toString(total) AS exact, toString(big) AS huge FROM " + b.table + " ORDER BY order_id DESC")
	wants := []string{
		`{"id": "` + full.ID.String() + `", "webhook_id": "github", "timestamp": "2025-10-09 08:53:20", "order_id": "9223372036854775807", "exact": "1234567890.50",
			"huge": "-12345678901234567890.123456789012345678", "first": "a\u0000'\"\\", "kind": "push", "paid": 1, "paid_at": "2026-03-04 03:06:07", "day": "2026-03-04", "clock": "05:06:07",
			"ratio": -0.5, "doc": "{\"id\":9223372036854775807,\"n\":1e999,\"total\":\"1234567890.5\"}", "ref": "7b3a9f4e-0000-4000-8000-000000000001", "state": null, "seen": "1970-01-01 00:00:01"}`,
		`{"id": "` + least.ID.String() + `", "webhook_id": "github", "timestamp": "2025-10-09 08:53:20", "order_id": "1", "exact": "0.00", "huge": null, "first": null, "kind": "push", "paid": null,
			"paid_at": null, "day": null, "clock": null, "ratio": null, "doc": "{\"id\":2,\"total\":0}", "ref": null, "state": "new", "seen": "2025-10-09 08:53:20"}`,
	}
	for i, text := range wants {
		var want map[string]any
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		for name, v := range want {
			if len(got) != len(wants) || fmt.Sprint(got[i][name]) != fmt.Sprint(v) {
				t.Errorf("row %d, %s: %v, want %v", i, name, got[min(i, len(got)-1)][name], v)
			}
		}
	}
	made := b.query("SHOW CREATE TABLE " + b.table)
	for _, part := range []string{"order_id Int64", "total Decimal(12, 2)", "big Nullable(Decimal(38, 18))", "created_at DateTime DEFAULT", "ReplacingMergeTree() PARTITION BY toYYYYMM(timestamp) ORDER BY (webhook_id, timestamp, id)"} {
		if !strings.Contains(made, part) {
			t.Errorf("%s has no %q", made, part)
		}
	}
	if err := moduletest.Check(t, d); err != nil {
		t.Errorf("Check: %v", err)
	}
}

// Values of each type as the server has them: the cases of all databases, and
// those where ClickHouse differs.
func TestValues(t *testing.T) {
	b := newServer(t)
	cases := make(map[[2]string]string)
	for _, c := range moduletest.Table(t, "../internal/rows/testdata/values.tsv") {
		cases[[2]string{c[0], c[1]}] = c[2]
	}
	for _, c := range moduletest.Table(t, "testdata/values.tsv") {
		want := c[2]
		if want[0] != '!' {
			var text *string
			if err := json.Unmarshal([]byte(want), &text); err != nil {
				t.Fatalf("%s: %v", want, err)
			}
			if want = `\N`; text != nil {
				want = *text
			}
		}
		cases[[2]string{c[0], c[1]}] = want
	}
	byType := make(map[string][]string)
	for c := range cases {
		byType[c[0]] = append(byType[c[0]], c[1])
	}
	tables := 0
	for typ, ins := range byType {
		tables++
		table := fmt.Sprintf("%s_%d", b.table, tables)
		t.Cleanup(func() { b.query("DROP TABLE IF EXISTS " + table) })
		d := destination(t, b.connection(), fmt.Sprintf(`{"table": %q, "flush_interval": 0, "schema": {"v": %q}}`, table, typ))
		var xs []*event.Delivery
		for _, in := range ins {
			xs = append(xs, delivery(`{"v": `+in+`}`))
		}
		results := sendBatch(t, d, xs...)
		stored := make(map[string]string)
		if b.query("EXISTS TABLE "+table) == "1\n" {
			// toString of 18.16 makes garbage of a Decimal with 38 digits.
			for line := range strings.Lines(b.query("SELECT id, v, hex(toString(v)) FROM " + table)) {
				f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
				if stored[f[0]] = f[1]; f[1] != `\N` && !strings.HasPrefix(typ, "numeric") {
					stored[f[0]] = b.unhex(f[2])
				}
			}
		}
		for i, in := range ins {
			want := cases[[2]string{typ, in}]
			got, there := stored[xs[i].ID.String()]
			if reason, bad := strings.CutPrefix(want, "!"); bad {
				moduletest.Want(t, typ+" of "+in, results[i].Err, modules.Rejected, "clickhouse_value", reason)
				if there || !strings.Contains(fmt.Sprint(results[i].Err), "column v ("+typ) && !strings.Contains(reason, "surrogate") {
					t.Errorf("%s of %s: %v, stored: %v", typ, in, results[i].Err, there)
				}
				continue
			}
			if results[i].Err != nil || got != want {
				t.Errorf("%s of %s: %q, %v, want %q", typ, in, got, results[i].Err, want)
			}
		}
	}
}

// The columns that the schema has more than the table are added and announced,
// and nothing that is there is changed; without "create" nobody adds them.
func TestColumnsAreAdded(t *testing.T) {
	b := newServer(t)
	first := destination(t, b.connection(), b.options(""))
	if err := moduletest.Send(t, first, delivery(`{"n":1}`)); err != nil {
		t.Fatal(err)
	}
	before := b.query("SHOW CREATE TABLE " + b.table)
	const schema = `{"n": "integer", "note": "text not null", "total": "numeric(9,2)"}`
	fixed := destination(t, b.connection(), b.schema(false, schema))
	for what, err := range map[string]error{"Send": moduletest.Send(t, fixed, delivery(`{"n":2,"note":"x"}`)), "Check": moduletest.Check(t, fixed)} {
		moduletest.Want(t, what, err, modules.Retryable, modules.CodeNotFound, "ADD COLUMN `n` Nullable(Int64), ADD COLUMN `note` Nullable(String)")
	}
	if now := b.query("SHOW CREATE TABLE " + b.table); now != before {
		t.Errorf("it was changed: %s", now)
	}
	reader, _ := logged(t, b.as(testinfra.ClickHouseReader, b.Password), b.schema(true, schema))
	moduletest.Want(t, "no right", moduletest.Send(t, reader, delivery(`{"n":2}`)), modules.Rejected, "clickhouse_value", "column note")
	moduletest.Want(t, "no right", moduletest.Send(t, reader, delivery(`{"n":2,"note":"x"}`)), modules.Retryable, modules.CodeAuthFailed, `"create": false needs no such right`)
	d, log := logged(t, b.connection(), b.schema(true, schema))
	if err := moduletest.Check(t, d); err != nil {
		t.Errorf("Check: %v", err)
	}
	if strings.Contains(b.query("SHOW CREATE TABLE "+b.table), "note") {
		t.Error("Check added columns")
	}
	for _, more := range []string{`"n":2,"note":"x"`, `"n":3,"note":"y","total":1.5`} {
		if err := moduletest.Send(t, d, delivery("{"+more+"}")); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(log.String(), "added to the table"); n != 1 || !strings.Contains(log.String(), "total") {
		t.Errorf("the log says %d times: %s", n, log)
	}
	if got := b.query("SELECT payload, n, note, total FROM " + b.table + " ORDER BY n, payload"); got != "\t2\tx\t\\N\n\t3\ty\t1.50\n{\"n\":1}\t\\N\t\\N\t\\N\n" {
		t.Errorf("%q", got)
	}
	if err := moduletest.Send(t, fixed, delivery(`{"n":4,"note":"z"}`)); err != nil { // looked at anew
		t.Error(err)
	}
	// Without the schema the table is as good as before.
	if err := moduletest.Send(t, first, delivery(`{"n":5}`)); err != nil {
		t.Error(err)
	}
	// Two that add at once.
	var wg sync.WaitGroup
	for range 4 {
		one := destination(t, b.connection(), b.schema(true, `{"n": "integer", "late": "date", "later": "uuid"}`))
		wg.Go(func() {
			if err := moduletest.Send(t, one, delivery(`{"n":6}`)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := b.query("SELECT count() FROM " + b.table + " WHERE n = 6"); n != "4\n" {
		t.Errorf("%s rows", n)
	}
}

// A table that the operator made, in an order of its own and with other types: a
// column's own size is what counts, and a row that does not fit is told from the
// others.
func TestRowsIntoOtherTypes(t *testing.T) {
	b := newServer(t)
	b.query("CREATE TABLE " + b.table + " (total Decimal(5, 1), kind Enum8('paid' = 1, 'open' = 2), code FixedString(3), n UInt8, id Int64 DEFAULT 7, at DateTime('Asia/Tokyo'), ratio Float32, " +
		"flag UInt8, note Nullable(String), what String, webhook_id String, " +
		"none Nullable(Enum8('a' = 1)), nothing Nullable(FixedString(2))) ENGINE = MergeTree() ORDER BY n")
	d, log := logged(t, b.connection(), b.schema(true, `{"n": "integer", "total": "numeric", "kind": "text", "code": "text", "at": "timestamp", "ratio": "float", "flag": "boolean", "what": "timestamp", "note": "text", "none": "text", "nothing": "text"}`))
	body := func(more string) *event.Delivery {
		all := map[string]any{"n": 200, "total": 1234.5, "kind": "open", "code": "ab", "at": "2026-03-04T05:06:07Z", "ratio": 0.5, "flag": true, "what": "2026-03-04T05:06:07.25Z"}
		if err := json.Unmarshal([]byte(more), &all); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		return delivery(string(text))
	}
	bad := []struct{ more, code, text string }{
		{`{"n": 256}`, "clickhouse_value", "column n (integer, in the table UInt8): got a number beyond"},
		{`{"n": -1}`, "clickhouse_value", "column n (integer, in the table UInt8): got a number beyond"},
		{`{"total": 1234.56}`, "clickhouse_value", "column total (numeric, in the table Decimal(5, 1)): got more than 1 digits behind the point"},
		{`{"total": 12345}`, "clickhouse_value", "column total (numeric, in the table Decimal(5, 1)): got more than 4 digits before the point"},
		{`{"kind": "topsecret"}`, modules.CodeRefused, `column "kind" does not take its value`},
		{`{"code": "abcd"}`, "clickhouse_value", "column code (text, in the table FixedString(3)): got 4 bytes"},
		{`{"ratio": 1e300}`, "clickhouse_value", "column ratio"},
		{`{"flag": null}`, "clickhouse_value", "column flag (boolean, in the table UInt8): has no value, and the table's column cannot be null"},
		{`{"what": "yesterday"}`, "clickhouse_value", "column what (timestamp): got a string"},
	}
	xs := []*event.Delivery{body(`{}`)}
	for _, c := range bad {
		xs = append(xs, body(c.more), body(`{"note": "n"}`))
	}
	results := sendBatch(t, d, xs...)
	for i, r := range results {
		if i%2 == 0 {
			if r.Err != nil {
				t.Errorf("a good row: %v", r.Err)
			}
			continue
		}
		c := bad[i/2]
		moduletest.Want(t, c.more, r.Err, modules.Rejected, c.code, c.text)
		if strings.Contains(fmt.Sprint(r.Err), "topsecret") {
			t.Errorf("it shows the value: %v", r.Err)
		}
	}
	if n := b.query("SELECT count(), uniq(delivery_id), countIf(id = 7) FROM " + b.table); n != "10\t10\t10\n" {
		t.Errorf("rows %s", n)
	}
	one := b.query("SELECT n, total, kind, code, toUnixTimestamp(at), ratio, flag, what, note, none, nothing, webhook_id FROM " + b.table + " WHERE delivery_id = '" + xs[0].ID.String() + "'")
	if one != "200\t1234.5\topen\tab\\0\t1772600767\t0.5\t1\t2026-03-04 05:06:07.250000\t\\N\t\\N\t\\N\tgithub\n" {
		t.Errorf("%q", one)
	}
	if strings.Count(log.String(), "ADD COLUMN `delivery_id`") != 1 {
		t.Errorf("the log: %s", log)
	}
}

// Tables that cannot take the rows are told before one is lost.
func TestUnfitTables(t *testing.T) {
	for columns, text := range map[string]string{
		"id String, n Array(Int64)":                     `has the column "n" as Array(Int64), which takes no integer`,
		"id String, n String MATERIALIZED 'x', p UInt8": `computes the column "n" itself`,
		"id String, n Float64":                          "takes no integer",
		"id String, n Int64, timestamp Date":            `has the column "timestamp" as Date`,
	} {
		b := newServer(t)
		b.query("CREATE TABLE " + b.table + " (" + columns + ") ENGINE = MergeTree() ORDER BY tuple()")
		before := b.query("SHOW CREATE TABLE " + b.table)
		d := destination(t, b.connection(), b.schema(true, `{"n": "integer", "m": "text"}`))
		moduletest.Want(t, columns, moduletest.Send(t, d, delivery(`{"n":1}`)), modules.Retryable, "clickhouse_table", text)
		moduletest.Want(t, columns+", Check", moduletest.Check(t, d), modules.Retryable, "clickhouse_table", text)
		if now := b.query("SHOW CREATE TABLE " + b.table); now != before {
			t.Errorf("%s: it was changed: %s", columns, now)
		}
	}
}

// What an engine does with rows that are equal in the table's order is told
// where it could be a surprise.
func TestEnginesThatMerge(t *testing.T) {
	for end, warns := range map[string]bool{
		"ReplacingMergeTree() ORDER BY n":       true,
		"ReplacingMergeTree() ORDER BY (n, id)": false,
		"MergeTree() ORDER BY n":                false,
	} {
		b := newServer(t)
		b.query("CREATE TABLE " + b.table + " (n Int64, id String) ENGINE = " + end)
		d, log := logged(t, b.connection(), b.schema(false, `{"n": "integer"}`))
		for _, body := range []string{`{"n":1}`, `{"n":null}`, `{"n":2}`} { // a row that is refused has the table looked at anew
			if err := moduletest.Send(t, d, delivery(body)); (err != nil) != strings.Contains(body, "null") {
				t.Errorf("%s: %v", end, err)
			}
		}
		if strings.Contains(log.String(), "not in the table's order") != warns || strings.Count(log.String(), "they are not written") != 1 {
			t.Errorf("%s: %s", end, log)
		}
	}
}

// A table that is changed while hookd runs: rows are never made for columns that
// were.
func TestRowsAndTableChanges(t *testing.T) {
	b := newServer(t)
	d := destination(t, b.connection(), b.schema(true, `{"n": "integer", "total": "numeric(9,2)"}`))
	send := func(body string) error { return moduletest.Send(t, d, delivery(body)) }
	if err := send(`{"n":1}`); err != nil {
		t.Fatal(err)
	}
	b.query("ALTER TABLE " + b.table + " MODIFY COLUMN n Nullable(Int8)")
	moduletest.Want(t, "narrower", send(`{"n":2}`), modules.Retryable, "clickhouse_table", "columns have changed")
	moduletest.Want(t, "narrower, too large", send(`{"n":300}`), modules.Rejected, "clickhouse_value", "beyond the range")
	b.query("ALTER TABLE " + b.table + " MODIFY COLUMN n Nullable(Int16)")
	if err := send(`{"n":300}`); err != nil { // found before it is given up
		t.Errorf("wider: %v", err)
	}
	b.query("ALTER TABLE " + b.table + " DROP COLUMN total")
	moduletest.Want(t, "a column is gone", send(`{"n":4}`), modules.Retryable, "clickhouse_16", b.table)
	if err := send(`{"n":4,"total":1}`); err != nil {
		t.Errorf("it was not added anew: %v", err)
	}
	b.query("DROP TABLE " + b.table)
	moduletest.Want(t, "the table is gone", send(`{"n":5}`), modules.Retryable, modules.CodeNotFound, b.table)
	if err := send(`{"n":5}`); err != nil {
		t.Errorf("it was not created anew: %v", err)
	}
}

// Many bad rows of a batch, by the schema and by a constraint of the table: each
// has its reason, and the others are stored once.
func TestBadRowsOfABatch(t *testing.T) {
	b := newServer(t)
	b.query("CREATE TABLE " + b.table + " (id String, n Int64, checked UInt8 MATERIALIZED throwIf(n = 13)) ENGINE = MergeTree() ORDER BY id")
	d := destination(t, b.connection(), b.schema(false, `{"n": "integer not null"}`))
	xs := make([]*event.Delivery, 500)
	bad := map[int][3]string{}
	for i := range xs {
		n := strconv.Itoa(1000 + i)
		switch i % 100 {
		case 7:
			n, bad[i] = `"much"`, [3]string{"clickhouse_value", "column n (integer): got a string of 4"}
		case 8:
			n, bad[i] = `null`, [3]string{"clickhouse_value", "column n (integer): is null"}
		case 9:
			n, bad[i] = `13`, [3]string{modules.CodeRefused, "code 395"}
		}
		xs[i] = delivery(`{"n": ` + n + `}`)
	}
	for i, r := range sendBatch(t, d, xs...) {
		if c, is := bad[i]; is {
			moduletest.Want(t, strconv.Itoa(i), r.Err, modules.Rejected, c[0], c[1])
		} else if r.Err != nil {
			t.Errorf("%d: %v", i, r.Err)
		}
	}
	if n := b.query("SELECT count(), uniq(id) FROM " + b.table); n != "485\t485\n" {
		t.Errorf("rows %s", n)
	}
	moduletest.Want(t, "none of the fields", moduletest.Send(t, d, delivery(`{"m": 1}`)), modules.Rejected, "clickhouse_value", "nothing at \"n\"")
}

// Hostile texts are stored as they are, or refused with a reason.
func TestHostileRows(t *testing.T) {
	b := newServer(t)
	canary := b.table + "_canary"
	b.query("CREATE TABLE " + canary + " (x UInt8) ENGINE = Memory")
	defer b.query("DROP TABLE " + canary)
	d := destination(t, b.connection(), b.schema(true, `{"fields": {"s": "text", "j": {"type": "json", "path": "s"}, "h": {"jq": "$event.headers[\"x-value\"]"}}}`))
	for _, s := range []string{
		"'", `"`, "`", `\`, `\'`, "'; DROP TABLE " + canary + "; --", "\x00", "a\x00b", "\t\n\r", `\N`, "NULL", "{}", "{{.}}", "%s%n", "?", "\u202e", "\U0001F44B", "", strings.Repeat("x", 1<<20),
	} {
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		x := delivery(`{"s":` + string(text) + `}`)
		x.Event.Header = http.Header{"X-Value": {s}}
		if err := moduletest.Send(t, d, x); err != nil {
			t.Errorf("%.20q: %v", s, err)
			continue
		}
		f := strings.Split(strings.TrimSuffix(b.query("SELECT hex(s), hex(j), hex(h) FROM "+b.table+" WHERE id = '"+x.ID.String()+"'"), "\n"), "\t")
		var j string
		if len(f) != 3 || b.unhex(f[0]) != s || json.Unmarshal([]byte(b.unhex(f[1])), &j) != nil || j != s || b.unhex(f[2]) != s {
			t.Errorf("%.20q: %.100q", s, f)
		}
	}
	for _, half := range []string{`\ud83d`, `\udc4b`, `\udc4b\ud83d`} {
		moduletest.Want(t, half, moduletest.Send(t, d, delivery(`{"s": "`+half+`"}`)), modules.Rejected, "clickhouse_value", "surrogate")
	}
	if n := b.query("EXISTS TABLE " + canary); n != "1\n" {
		t.Error("the canary is gone")
	}
}
