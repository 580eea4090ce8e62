package clickhouse_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/moduletest"
)

var ids event.IDs

func delivery(body string) *event.Delivery {
	ev := &event.Event{
		ID: ids.Next(time.Now()), Hook: "github", Type: "push", Received: time.Unix(1_760_000_000, 5e8), Body: []byte(body),
		Header: http.Header{"X-Github-Event": {"push"}, "X-Two": {"a", "b"}, "Hookd-Hook": {"forged"}, "Hookd-Other": {"forged"}},
	}
	const lane = "github/clickhouse-1"
	d := &event.Delivery{ID: event.DeliveryID(ev.ID, lane), Event: ev, Lane: lane, Attempt: 1, Body: ev.Body}
	d.Header = http.Header{"Hookd-Event-Id": {ev.ID.String()}, "Hookd-Delivery-Id": {d.ID.String()}, "Hookd-Hook": {ev.Hook}}
	return d
}

func sendBatch(t *testing.T, d modules.BatchDestination, xs ...*event.Delivery) []modules.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return d.SendBatch(ctx, xs)
}

func (b *server) options(more string) string {
	return fmt.Sprintf(`{"table": %q, "flush_interval": 0%s}`, b.table, more)
}

// What clickhouse-client reads.
func TestRow(t *testing.T) {
	b := newServer(t)
	t.Logf("ClickHouse %s, read back with clickhouse-client", b.Version)
	x := delivery(`{"é":"` + "\U0001F44B" + `"}`)
	if err := moduletest.Send(t, destination(t, b.connection(), b.options("")), x); err != nil {
		t.Fatal(err)
	}
	_, port := testinfra.Split(b.Addr)
	read := exec.CommandContext(t.Context(), "clickhouse-client", "--host", "127.0.0.1", "--port", strconv.Itoa(port), "--user", b.User, "--password", b.Password,
		"--query", "SELECT id, webhook_id, toUnixTimestamp(timestamp) AS at, payload, headers, now() - created_at < 60 AS new FROM "+b.table+" FORMAT JSONEachRow")
	out, err := read.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	headers := fmt.Sprintf(`{"hookd-delivery-id":%q,"hookd-event-id":%q,"hookd-hook":"github","x-github-event":"push","x-two":"a, b"}`, x.ID, x.Event.ID)
	want := map[string]any{
		"id": x.ID.String(), "webhook_id": "github", "at": 1.76e9, "payload": string(x.Body), "headers": headers, "new": 1.0,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
	if err := moduletest.Send(t, destination(t, b.connection(), b.options(`, "include_headers": "false"`)), delivery(`{}`)); err != nil {
		t.Fatal(err)
	}
	if n := b.query("SELECT count() FROM " + b.table + " WHERE headers = '{}'"); n != "1\n" {
		t.Errorf("%s rows without headers", n)
	}
}

// A repeat is one row for a reader that asks for it, and after a merge.
func TestRepeats(t *testing.T) {
	b := newServer(t)
	d := destination(t, b.connection(), b.options(""))
	x, same := delivery(`{"n":1}`), delivery(`{"n":2}`) // of one second and one hook
	for range 3 {
		if err := moduletest.Send(t, d, x); err != nil {
			t.Fatal(err)
		}
	}
	if err := moduletest.Send(t, d, same); err != nil {
		t.Fatal(err)
	}
	if n := b.query("SELECT count() FROM " + b.table + " FINAL"); n != "2\n" {
		t.Errorf("%s rows with FINAL", n)
	}
	if n := b.query("SELECT count() FROM (SELECT id FROM " + b.table + " LIMIT 1 BY id)"); n != "2\n" {
		t.Errorf("%s rows with LIMIT 1 BY id", n)
	}
	b.query("OPTIMIZE TABLE " + b.table + " FINAL")
	if n := b.query("SELECT count() FROM " + b.table); n != "2\n" {
		t.Errorf("%s rows after a merge", n)
	}
}

// Tables that the operator made, with what they lack, or have of another type.
func TestTables(t *testing.T) {
	for columns, read := range map[string]string{
		"id UUID, webhook_id FixedString(6), timestamp DateTime, payload String, headers String, more Nullable(String)": "toString(id)",
		"payload String": "payload",
		"id String, payload String, headers Nullable(String), timestamp UInt8 ALIAS 1": "id",
	} {
		b := newServer(t)
		b.query("CREATE TABLE " + b.table + " (" + columns + ") ENGINE = MergeTree() ORDER BY tuple()")
		d := destination(t, b.connection(), b.options(`, "create": false`))
		x := delivery(`{"n":1}`)
		if err := moduletest.Send(t, d, x); err != nil {
			t.Errorf("%s: %v", columns, err)
			continue
		}
		want := x.ID.String()
		if read == "payload" {
			want = string(x.Body)
		}
		if got := b.query("SELECT " + read + " FROM " + b.table + " FORMAT TSVRaw"); got != want+"\n" {
			t.Errorf("%s: %q, want %q", columns, got, want)
		}
		if err := moduletest.Check(t, d); err != nil {
			t.Errorf("%s: Check: %v", columns, err)
		}
	}
}

// Each way in which the server says no, by itself and in a batch.
func TestRefusals(t *testing.T) {
	const all = "id String, webhook_id String, timestamp DateTime, payload String, headers String"
	table := func(columns, engine string) string { return "CREATE TABLE %s (" + columns + ") ENGINE = " + engine }
	const tree = "MergeTree() ORDER BY tuple()"
	for what, c := range map[string]struct {
		user, create string
		kind         modules.FailureKind
		code, text   string
		checks       bool
	}{
		"no table":        {"hookd", "", modules.Retryable, modules.CodeNotFound, "has no table", false},
		"no payload":      {"hookd", table("id String, body String", tree), modules.Retryable, "clickhouse_table", `no column "payload"`, false},
		"a view":          {"hookd", "CREATE VIEW %s AS SELECT toString(1) AS payload", modules.Rejected, modules.CodeRefused, "code 48", false},
		"no right":        {testinfra.ClickHouseReader, table(all, tree), modules.Retryable, modules.CodeAuthFailed, `user "reader"`, false},
		"too long":        {"hookd", table("payload FixedString(2)", tree), modules.Rejected, modules.CodeRefused, `column "payload"`, true},
		"no number":       {"hookd", table("payload UInt8", tree), modules.Rejected, modules.CodeRefused, `column "payload"`, true},
		"constraint":      {"hookd", table(all+", c UInt8 MATERIALIZED throwIf(length(payload) > 2)", tree), modules.Rejected, modules.CodeRefused, "code 395", true},
		"too many parts":  {"hookd", table(all, tree+" SETTINGS parts_to_throw_insert = 1, parts_to_delay_insert = 1"), modules.Throttled, modules.CodeThrottled, "code 252", true},
		"not by INSERT":   {"hookd", table(all, "Null"), 0, "", "", true},
		"in memory alone": {"hookd", table(all, "Log"), 0, "", "", true},
	} {
		t.Run(what, func(t *testing.T) {
			b := newServer(t)
			if c.create != "" {
				b.query(fmt.Sprintf(c.create, b.table))
			}
			d := destination(t, b.as(c.user, b.Password), b.options(`, "create": false`))
			x := delivery(`{"secret-payload":1}`)
			if what == "too many parts" {
				b.query("SYSTEM STOP MERGES")
				defer b.query("SYSTEM START MERGES")
				for range 2 {
					if err := moduletest.Send(t, d, delivery(`{}`)); err != nil {
						t.Logf("filling: %v", err)
					}
				}
			}
			if err := moduletest.Check(t, d); (err == nil) != c.checks {
				t.Errorf("Check: %v", err)
			}
			errs := []error{moduletest.Send(t, d, x)}
			for _, r := range sendBatch(t, d, x, x, x) {
				errs = append(errs, r.Err)
			}
			for _, err := range errs {
				if c.code == "" {
					if err != nil {
						t.Error(err)
					}
					continue
				}
				moduletest.Want(t, what, err, c.kind, c.code, c.text)
				if err != nil && strings.Contains(err.Error(), "secret-payload") {
					t.Errorf("it shows the payload: %v", err)
				}
			}
		})
	}
}

// One bad row of many is found, and all others are stored once.
func TestOneBadRow(t *testing.T) {
	for _, column := range []string{"payload String, c UInt8 MATERIALIZED throwIf(length(payload) > 10)", "payload FixedString(10)"} {
		b := newServer(t)
		b.query("CREATE TABLE " + b.table + " (id String, " + column + ") ENGINE = MergeTree() ORDER BY id")
		d := destination(t, b.connection(), b.options(`, "create": false`))
		xs := make([]*event.Delivery, 300)
		bad := map[int]bool{0: true, 17: true, 299: true}
		for i := range xs {
			xs[i] = delivery(`{"n":1}`)
			if bad[i] {
				xs[i] = delivery(`{"n":"too long"}`)
			}
		}
		for i, r := range sendBatch(t, d, xs...) {
			if bad[i] {
				moduletest.Want(t, column, r.Err, modules.Rejected, modules.CodeRefused, b.table)
			} else if r.Err != nil {
				t.Errorf("%s, item %d: %v", column, i, r.Err)
			}
		}
		if n := b.query("SELECT count(), uniq(id) FROM " + b.table); n != "297\t297\n" {
			t.Errorf("%s: %s rows", column, n)
		}
	}
}

// A table that changes while hookd runs is looked at anew.
func TestTableChanges(t *testing.T) {
	b := newServer(t)
	d := destination(t, b.connection(), b.options(""))
	if err := moduletest.Send(t, d, delivery(`{"n":1}`)); err != nil {
		t.Fatal(err)
	}
	b.query("ALTER TABLE " + b.table + " DROP COLUMN headers")
	moduletest.Want(t, "a column is gone", moduletest.Send(t, d, delivery(`{"n":2}`)), modules.Retryable, "clickhouse_16", b.table)
	if err := moduletest.Send(t, d, delivery(`{"n":3}`)); err != nil {
		t.Error(err)
	}
	b.query("DROP TABLE " + b.table)
	moduletest.Want(t, "the table is gone", moduletest.Send(t, d, delivery(`{"n":4}`)), modules.Retryable, modules.CodeNotFound, b.table)
	if err := moduletest.Send(t, d, delivery(`{"n":5}`)); err != nil {
		t.Errorf("it was not created anew: %v", err)
	}
}

// A send whose time is over says so, and not that hookd shuts down.
func TestTimeout(t *testing.T) {
	b := newServer(t)
	d := destination(t, b.connection(), b.options(""))
	if err := moduletest.Send(t, d, delivery(`{}`)); err != nil {
		t.Fatal(err)
	}
	_, release := b.proxy.Freeze()
	defer release()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	for _, r := range d.SendBatch(ctx, []*event.Delivery{delivery(`{}`), delivery(`{}`)}) {
		moduletest.Want(t, "frozen", r.Err, modules.Retryable, modules.CodeTimeout, "no answer in time")
	}
}

// Sends that wait at the same time share an insert: few parts.
func TestFewParts(t *testing.T) {
	b := newServer(t)
	d := destination(t, b.connection(), fmt.Sprintf(`{"table": %q, "flush_interval": "500ms"}`, b.table))
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			if err := moduletest.Send(t, d, delivery(`{}`)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := len(b.rows()); n != 200 {
		t.Errorf("%d rows", n)
	}
	n, err := strconv.Atoi(strings.TrimSpace(b.query("SELECT count() FROM system.parts WHERE table = '" + b.table + "'")))
	if err != nil || n > 5 {
		t.Errorf("%d parts, %v", n, err)
	}
}

// Hostile texts in every place are stored as they are: as bytes in payload and
// webhook_id, as JSON in headers, where bytes that are no UTF-8 are replaced.
func TestHostile(t *testing.T) {
	b := newServer(t)
	d := destination(t, b.connection(), b.options(""))
	for _, s := range []string{
		"'", `"`, "`", `\`, `\'`, "'; DROP TABLE " + b.table + "; --", "\x00", "a\x00b", "\xed\xa0\x80", `"\ud800"`, "\xff", "\t\n\r", "\\N", "NULL", "{}",
		"\u202e", strings.Repeat("x", 1<<20),
	} {
		x := delivery(s)
		x.Event.Hook = s
		x.Event.Header = http.Header{"X-Value": {s}, s: {"name"}}
		if err := moduletest.Send(t, d, x); err != nil {
			t.Errorf("%.20q: %v", s, err)
			continue
		}
		found := false
		for _, r := range b.rows() {
			if r.ID != x.ID.String() {
				continue
			}
			found = true
			var headers map[string]string
			if err := json.Unmarshal([]byte(r.Headers), &headers); err != nil {
				t.Errorf("%.20q: %v", s, err)
			}
			replaced := strings.ToValidUTF8(s, "\uFFFD")
			if n := len(s) - len(strings.ToValidUTF8(s, "")); n > 0 {
				replaced = strings.Repeat("\uFFFD", n) // one for each byte
			}
			if !bytes.Equal(r.Payload, []byte(s)) || r.Hook != s || headers["x-value"] != replaced || headers[strings.ToLower(replaced)] != "name" {
				t.Errorf("%.20q: hook %.20q, payload %.20q, headers %.200q", s, r.Hook, r.Payload, r.Headers)
			}
		}
		if !found {
			t.Errorf("%.20q is not there", s)
		}
	}
}
