package postgresql_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/moduletest"
)

var ids event.IDs

func delivery(body string) *event.Delivery {
	ev := &event.Event{ID: ids.Next(time.Now()), Hook: "github", Type: "push", Received: time.Now(), Header: http.Header{"X-Sender": {"one"}}, Body: []byte(body)}
	d := &event.Delivery{ID: event.DeliveryID(ev.ID, "github/pg"), Event: ev, Lane: "github/pg", Attempt: 1, Header: http.Header{"Hookd-Hook": {"github"}}, Body: ev.Body}
	return d
}

// What the database refuses and hookd could not know: by itself, and in a batch
// whose other rows are committed. No reason shows the value.
func TestRefusedRows(t *testing.T) {
	b := newDatabase(t)
	b.do("CREATE TABLE " + b.table + ` (id uuid PRIMARY KEY, webhook_id text, created_at timestamptz, small smallint, short varchar(3), word text UNIQUE,
		whole jsonb, flag text CHECK (flag <> 'no'), day text, must text NOT NULL DEFAULT 'x')`)
	b.do(`CREATE FUNCTION ` + b.table + `_f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.day = 'never' THEN RAISE EXCEPTION 'not today'; END IF; RETURN NEW; END $$`)
	b.do("CREATE TRIGGER never BEFORE INSERT ON " + b.table + " FOR EACH ROW EXECUTE FUNCTION " + b.table + "_f()")
	t.Cleanup(func() { b.do("DROP FUNCTION " + b.table + "_f() CASCADE") })
	d, _ := destination(t, b.connection(), fmt.Sprintf(`{"table": %q, "storage_mode": "relational", "schema": {
		"small": "integer", "short": "text", "word": "text", "whole": "json", "flag": "text", "day": "text", "must": "text"}}`, b.table))
	if err := moduletest.Send(t, d, delivery(`{"word": "taken", "must": "m"}`)); err != nil {
		t.Fatal(err)
	}
	before := 1
	for body, c := range map[string]struct{ code, part string }{
		`{"small": 99999, "must": "m"}`:                                          {"postgresql_22003", "column small"},
		`{"short": "topsecret", "must": "m"}`:                                    {"postgresql_22001", "column short"},
		`{"word": "taken", "must": "m"}`:                                         {"postgresql_23505", "column word"},
		`{"flag": "no", "must": "m"}`:                                            {"postgresql_23514", "flag_check"},
		`{"must": null, "word": "q"}`:                                            {"postgresql_23502", "column must"},
		`{"day": "never", "must": "m"}`:                                          {"postgresql_p0001", "not today"},
		`{"whole": 1e200000, "must": "m"}`:                                       {"postgresql_22003", "column whole"},
		`{"small": "x", "must": "m"}`:                                            {"postgresql_value", "column small (integer): got a string of 1"},
		`{"word": "` + strings.Repeat("é ", 4000) + random() + `", "must": "m"}`: {"", ""},
	} {
		bad := delivery(body)
		err := moduletest.Send(t, d, bad)
		if c.code == "" { // an index takes rows of 2.7 kB after compression: stored or refused, by what the text is
			if err == nil {
				before++
			} else {
				want(t, err, modules.Rejected, "postgresql_54000")
			}
			continue
		}
		want(t, err, modules.Rejected, c.code, c.part)
		for _, secret := range []string{"99999", "topsecret", "(taken)", "1e2000"} {
			if strings.Contains(fmt.Sprint(err), secret) {
				t.Errorf("the value is shown: %v", err)
			}
		}
		batch := []*event.Delivery{delivery(`{"must": "a"}`), bad, delivery(`{"must": "b"}`)}
		results := d.SendBatch(t.Context(), batch)
		want(t, results[1].Err, modules.Rejected, c.code)
		if results[0].Err != nil || results[2].Err != nil {
			t.Errorf("%s sank the others: %v, %v", body, results[0].Err, results[2].Err)
		}
		before += 2
	}
	// More bad ones than a transaction is begun anew for.
	var batch []*event.Delivery
	for i := range 20 {
		batch = append(batch, delivery(fmt.Sprintf(`{"small": %d, "must": "m"}`, 32760+i)))
	}
	good := 0
	for _, r := range d.SendBatch(t.Context(), batch) {
		if r.Err == nil {
			good++
		} else {
			want(t, r.Err, modules.Rejected, "postgresql_22003", "column small")
		}
	}
	if n := b.rows("SELECT count(*) FROM " + b.table)[0][0]; good != 8 || n != fmt.Sprint(before+good) {
		t.Errorf("%d good, %v rows, want 8 and %d", good, n, before+8)
	}
}

// random is text that does not compress.
func random() string {
	var b strings.Builder
	for i := range 300 {
		fmt.Fprint(&b, event.DeliveryID(event.ID{byte(i), 1}, "x"))
	}
	return b.String()
}

// Tables that are there keep working: the original service's, one with an id of
// its own, and one that lacks what is needed.
func TestTablesThatAreThere(t *testing.T) {
	b := newDatabase(t)
	for what, c := range map[string]struct{ columns, options, id, logged string }{
		"original": {
			"id UUID PRIMARY KEY DEFAULT gen_random_uuid(), webhook_id TEXT NOT NULL, timestamp TIMESTAMP WITH TIME ZONE DEFAULT now(), payload JSONB NOT NULL, headers JSONB, created_at TIMESTAMP WITH TIME ZONE DEFAULT now()",
			`{}`, "id", "",
		},
		"serial":  {"id serial PRIMARY KEY, webhook_id text, timestamp timestamptz, payload jsonb, headers jsonb, created_at timestamptz", `{}`, "delivery_id", "column delivery_id, a unique index on delivery_id"},
		"lacking": {"id uuid, webhook_id text", `{}`, "id", "column payload"},
	} {
		t.Run(what, func(t *testing.T) {
			table := b.table + what
			t.Cleanup(func() { b.do("DROP TABLE " + table) })
			b.do("CREATE TABLE " + table + " (" + c.columns + ")")
			b.do("INSERT INTO " + table + " (webhook_id, " + map[bool]string{true: "id", false: "payload"}[what == "lacking"] + ") VALUES ('old', " +
				map[bool]string{true: "gen_random_uuid()", false: "'{}'"}[what == "lacking"] + ")")
			options := fmt.Sprintf(`{"table": %q}`, table)
			d, log := destination(t, b.connection(), options)
			if err := moduletest.Check(t, d); err != nil {
				t.Error(err)
			}
			x := delivery(`{"a":1}`)
			for range 2 {
				if err := moduletest.Send(t, d, x); err != nil {
					t.Fatal(err)
				}
			}
			got := b.rows(fmt.Sprintf("SELECT %s::text, payload::text FROM %s WHERE webhook_id = 'github'", c.id, table))
			if len(got) != 1 || got[0][0] != x.ID.String() || got[0][1] != `{"a": 1}` {
				t.Errorf("%v", got)
			}
			if !strings.Contains(log.String(), c.logged) || c.logged == "" && log.String() != "" {
				t.Errorf("log %q, want %q", log, c.logged)
			}
			if n := b.rows("SELECT count(*) FROM " + table)[0][0]; n != "2" {
				t.Errorf("%v rows", n)
			}
		})
	}
}

// With create off nothing is added, and the failure says what by hand would.
func TestCreateOff(t *testing.T) {
	b := newDatabase(t)
	d, _ := destination(t, b.connection(), fmt.Sprintf(`{"table": %q, "create": false}`, b.table))
	want(t, moduletest.Check(t, d), modules.Retryable, "not_found", "is missing")
	want(t, moduletest.Send(t, d, delivery(`{}`)), modules.Retryable, "not_found", "CREATE TABLE")
	b.do("CREATE TABLE " + b.table + " (id uuid PRIMARY KEY, webhook_id text, timestamp timestamptz, payload jsonb, created_at timestamptz)")
	want(t, moduletest.Send(t, d, delivery(`{}`)), modules.Retryable, "not_found", "column headers missing", "ADD COLUMN")
	want(t, moduletest.Check(t, d), modules.Retryable, "not_found", "lacks column headers")
	b.do("ALTER TABLE " + b.table + " ADD COLUMN headers jsonb, ADD COLUMN owner text NOT NULL")
	want(t, moduletest.Send(t, d, delivery(`{}`)), modules.Retryable, "not_found", "no value: owner")
	b.do("ALTER TABLE " + b.table + " ALTER COLUMN owner SET DEFAULT 'me'")
	if err := moduletest.Send(t, d, delivery(`{}`)); err != nil {
		t.Error(err)
	}
	if err := moduletest.Check(t, d); err != nil {
		t.Error(err)
	}
	b.do("ALTER TABLE " + b.table + " DROP COLUMN headers") // while hookd runs
	want(t, moduletest.Send(t, d, delivery(`{}`)), modules.Retryable, "not_found")
	b.do("ALTER TABLE " + b.table + " ADD COLUMN headers jsonb")
	if err := moduletest.Send(t, d, delivery(`{}`)); err != nil {
		t.Errorf("after the column came back: %v", err)
	}
}

func TestRights(t *testing.T) {
	b := newDatabase(t)
	role := b.table + "_r"
	b.do("CREATE ROLE " + role + " LOGIN PASSWORD 'pw'")
	t.Cleanup(func() { b.do("DROP OWNED BY " + role); b.do("DROP ROLE " + role) })
	as := strings.NewReplacer(fmt.Sprintf(`"user": %q`, b.User), fmt.Sprintf(`"user": %q`, role), b.Password, "pw").Replace(b.connection())
	d, _ := destination(t, as, fmt.Sprintf(`{"table": %q}`, b.table))
	want(t, moduletest.Check(t, d), modules.Retryable, "auth_failed", "may not create the table")
	want(t, moduletest.Send(t, d, delivery(`{}`)), modules.Retryable, "auth_failed", `"create": false needs no such right`)
	b.do("CREATE TABLE " + b.table + " (id uuid PRIMARY KEY, webhook_id text, timestamp timestamptz, payload jsonb, headers jsonb, created_at timestamptz)")
	want(t, moduletest.Check(t, d), modules.Retryable, "auth_failed", "needs INSERT and SELECT")
	want(t, moduletest.Send(t, d, delivery(`{}`)), modules.Retryable, "auth_failed", "permission denied")
	b.do("GRANT INSERT, SELECT ON " + b.table + " TO " + role)
	if err := moduletest.Check(t, d); err != nil {
		t.Error(err)
	}
	if err := moduletest.Send(t, d, delivery(`{}`)); err != nil {
		t.Error(err)
	}
	b.do("ALTER ROLE " + role + " SET default_transaction_read_only = on")
	want(t, moduletest.Check(t, d), modules.Retryable, "unavailable", "read-only")
}

// An upsert keeps one row for a key, and an older event does not undo a newer one.
func TestUpsert(t *testing.T) {
	b := newDatabase(t)
	d, _ := destination(t, b.connection(), fmt.Sprintf(`{"table": %q, "storage_mode": "hybrid", "upsert": true, "upsert_key": "event_id", "schema": {"event_id": "integer", "v": "text"}}`, b.table))
	first, second := delivery(`{"event_id": 7, "v": "old"}`), delivery(`{"event_id": 7, "v": "new"}`)
	second.Event.Received = first.Event.Received.Add(time.Second)
	for _, x := range []*event.Delivery{first, second, first} { // the last is a repeat whose answer was lost
		if err := moduletest.Send(t, d, x); err != nil {
			t.Fatal(err)
		}
	}
	both := []*event.Delivery{delivery(`{"event_id": 8, "v": "a"}`), delivery(`{"event_id": 8, "v": "b"}`), delivery(`{"event_id": null}`)}
	results := d.SendBatch(t.Context(), both)
	if results[0].Err != nil || results[1].Err != nil {
		t.Errorf("%v", results)
	}
	want(t, results[2].Err, modules.Rejected, "postgresql_value", "column event_id")
	if got := fmt.Sprint(b.rows("SELECT event_id, v, id::text FROM " + b.table + " ORDER BY 1")); got != fmt.Sprintf("[[7 new %s] [8 b %s]]", first.ID, both[0].ID) {
		t.Error(got)
	}
}

// Strings that mean something to SQL are stored as themselves, or refused with a
// reason.
func TestHostileStrings(t *testing.T) {
	b := newDatabase(t)
	b.do("CREATE TABLE " + b.table + "_canary (x int)")
	t.Cleanup(func() { b.do("DROP TABLE " + b.table + "_canary") })
	d, _ := destination(t, b.connection(), fmt.Sprintf(`{"table": %q, "storage_mode": "hybrid", "schema": {"fields": {"a": {"type": "text"}, "j": {"type": "json", "path": "a"}, "q": {"jq": ".a + \"'\""}}}}`, b.table))
	for text, reason := range map[string]string{
		`'; DROP TABLE ` + b.table + `_canary; --`: "",
		`$1 %s \\ $$ \" ` + "`":                    "", `\u00e9\u202e\ud83d\udc4b`: "", `\t\r\n\u0001`: "", ``: "", `\\u0000`: "",
		strings.Repeat("0123456789abcdef", 1<<16): "",
		`a\u0000b`: "column payload (json): holds the character \\u0000",
		`\ud800`:   "half of a surrogate pair", `\udc00\ud800`: "half of a surrogate pair",
	} {
		x := delivery(`{"a":"` + text + `"}`)
		x.Event.Header.Set("X-Text", text)
		err := moduletest.Send(t, d, x)
		if reason != "" {
			want(t, err, modules.Rejected, "postgresql_value", reason)
			continue
		}
		got := b.rows("SELECT a = payload->>'a' AND a = j#>>'{}' AND q = a || '''' AND headers->>'x-text' = %s AND to_jsonb(a) = (%s::jsonb)->'a' FROM "+b.table+" WHERE id = %s", text, string(x.Body), x.ID.String())
		if err != nil || len(got) != 1 || got[0][0] != true {
			t.Errorf("%.40q: %v, %v", text, err, got)
		}
	}
	if n := b.rows("SELECT count(*) FROM " + b.table + "_canary")[0][0]; n != "0" {
		t.Error(n)
	}
}

// A role whose commits need not be on disk does not make hookd's so.
func TestCommitsAreOnDisk(t *testing.T) {
	b := newDatabase(t)
	b.do("ALTER ROLE " + b.User + " SET synchronous_commit = off")
	t.Cleanup(func() { b.do("ALTER ROLE " + b.User + " RESET synchronous_commit") })
	b.do("CREATE TABLE " + b.table + " (id uuid PRIMARY KEY, webhook_id text, timestamp timestamptz, payload jsonb, headers jsonb, created_at timestamptz, sync text DEFAULT current_setting('synchronous_commit'))")
	// What the session has is no promise: behind a pooler it is another's.
	b.do(`CREATE FUNCTION ` + b.table + `_f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('synchronous_commit', 'off', false); RETURN NULL; END $$`)
	b.do("CREATE CONSTRAINT TRIGGER off AFTER INSERT ON " + b.table + " FOR EACH ROW EXECUTE FUNCTION " + b.table + "_f()")
	t.Cleanup(func() { b.do("DROP FUNCTION " + b.table + "_f() CASCADE") })
	for _, prepared := range []bool{true, false} {
		connection := strings.TrimSuffix(b.connection(), "}") + fmt.Sprintf(`, "pool_max_size": 1, "prepared_statements": %v}`, prepared)
		d, _ := destination(t, connection, fmt.Sprintf(`{"table": %q}`, b.table))
		for range 3 {
			x := delivery(`{}`)
			if err := moduletest.Send(t, d, x); err != nil {
				t.Fatal(err)
			}
			if got := b.rows("SELECT sync FROM "+b.table+" WHERE id = %s", x.ID.String()); got[0][0] != "on" {
				t.Error(got)
			}
		}
	}
}

// Every module-config of the original's files takes an event.
func TestOriginalOptions(t *testing.T) {
	b := newDatabase(t)
	text, err := os.ReadFile("../../testdata/original/postgresql.webhooks.json")
	if err != nil {
		t.Fatal(err)
	}
	var hooks map[string]struct {
		Options map[string]any `json:"module-config"`
	}
	if err := json.Unmarshal(text, &hooks); err != nil {
		t.Fatal(err)
	}
	sent := 0
	for name, h := range hooks {
		if h.Options == nil {
			continue
		}
		table := b.table + name
		h.Options["table"] = table
		options, err := json.Marshal(h.Options)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { b.do("DROP TABLE IF EXISTS " + table) })
		d, _ := destination(t, b.connection(), string(options))
		x := delivery(`{"event_id": 17, "event_type": "paid", "timestamp": "2026-03-04T05:06:07Z", "data": {"a": [1]}, "amount": 2.5}`)
		if err := errors.Join(moduletest.Check(t, d), moduletest.Send(t, d, x), moduletest.Send(t, d, x), moduletest.Check(t, d)); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if n := b.rows("SELECT count(*) FROM "+table+" WHERE id = %s", x.ID.String())[0][0]; n != "1" {
			t.Errorf("%s: %v rows", name, n)
		}
		sent++
	}
	if sent < 5 {
		t.Errorf("%d hooks", sent)
	}
}
