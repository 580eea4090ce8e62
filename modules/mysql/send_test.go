package mysql_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/moduletest"
)

// The rows of a batch that cannot be stored are rejected, each with its own
// reason, and the others are stored once.
func TestBadRowsOfABatch(t *testing.T) {
	b := newServer(t)
	d := destination(t, b.connection(), fmt.Sprintf(`{"table": %q, "storage_mode": "hybrid", "schema": {"email": "varchar(50) unique", "amount": "decimal(5,2)"}}`, b.table))
	b.exec("CREATE TABLE %s (id CHAR(36) PRIMARY KEY, email VARCHAR(5) UNIQUE, amount TINYINT, payload JSON, CHECK (amount <> 7)) CHARSET utf8mb4")
	stored := delivery(`{"email": "a", "amount": 1}`)
	if err := moduletest.Send(t, d, stored); err != nil {
		t.Fatal(err)
	}
	var ds []*event.Delivery
	for i := range 100 {
		ds = append(ds, delivery(fmt.Sprintf(`{"email": "b%d", "amount": 1}`, i)))
	}
	reasons := map[int]string{}
	put := func(i int, body, reason string) { ds[i], reasons[i] = delivery(body), reason }
	put(3, `{"email": "a"}`, `the unique index "email" has the value already`)
	put(10, `{"email": "too long for it"}`, "column email: the value is too long")
	put(20, `{"amount": 200}`, "column amount: the number is out of")
	put(30, `{"amount": 7}`, "the constraint")
	put(40, `{"amount": "x"}`, "column amount (decimal(5,2))")
	put(50, `{"email": "b49"}`, `the unique index "email" has the value already`)
	put(60, strings.Repeat("[", 40)+strings.Repeat("]", 40), `the constraint "`)
	ds[70] = stored
	for i, r := range d.SendBatch(t.Context(), ds) {
		switch reason, bad := reasons[i]; {
		case bad:
			moduletest.Want(t, fmt.Sprint(i), r.Err, modules.Rejected, modules.FailureOf(r.Err).Code, reason)
			if r.Err != nil && strings.Contains(r.Err.Error(), "too long for it") {
				t.Errorf("%d shows the value", i)
			}
		case r.Err != nil:
			t.Errorf("%d: %v", i, r.Err)
		}
	}
	if n := len(b.rows(t, "id")); n != 100-len(reasons) {
		t.Errorf("%d rows", n)
	}
	for i, r := range d.SendBatch(t.Context(), ds) { // all again
		if _, bad := reasons[i]; !bad && r.Err != nil {
			t.Errorf("again, %d: %v", i, r.Err)
		}
	}
	if n := len(b.rows(t, "id")); n != 100-len(reasons) {
		t.Errorf("%d rows after the repeat", n)
	}
}

// An upsert updates the row of its key and no other, whatever else is unique.
func TestUpsertByKeyOnly(t *testing.T) {
	for _, more := range []string{"", " unique"} {
		b := newServer(t)
		d := destination(t, b.connection(), fmt.Sprintf(`{"table": %q, "storage_mode": "relational", "upsert": true, "upsert_key": "order",
			"schema": {"order": "string", "email": "varchar(100)%s", "n": "integer"}}`, b.table, more))
		body := func(order, email string, n int) *event.Delivery {
			return delivery(fmt.Sprintf(`{"order": %q, "email": %q, "n": %d}`, order, email, n))
		}
		first := body("a", "x", 1)
		for i, r := range d.SendBatch(t.Context(), []*event.Delivery{first, body("A", "y", 2), body("a ", "z", 3), body("a", "x", 4)}) {
			if r.Err != nil {
				t.Errorf("%d: %v", i, r.Err)
			}
		}
		err := moduletest.Send(t, d, body("b", "x", 5))
		if more == "" && err != nil {
			t.Error(err)
		}
		if more != "" {
			moduletest.Want(t, "unique", err, modules.Rejected, "mysql_1062", `the unique index "email"`)
			moduletest.Want(t, "unique, by an update", moduletest.Send(t, d, body("a", "y", 6)), modules.Rejected, "mysql_1062", `the unique index "email"`)
		}
		got := fmt.Sprint(b.ask(t, "SELECT `order`, email, n FROM %s WHERE `order` <> 'b' ORDER BY n"))
		if got != "[map[email:y n:2 order:A] map[email:z n:3 order:a ] map[email:x n:4 order:a]]" {
			t.Errorf("unique%q: %s", more, got)
		}
		if id := b.ask(t, "SELECT id FROM %s WHERE n = 4"); id[0]["id"] != first.ID.String() {
			t.Error("the row has another id")
		}
		// What was received before the event of the row changes nothing; what was
		// received at the same time does.
		late := body("a", "late", 9)
		late.Event.Received = late.Event.Received.Add(-time.Microsecond)
		for _, x := range []*event.Delivery{late, body("a", "x", 4)} {
			if err := moduletest.Send(t, d, x); err != nil {
				t.Error(err)
			}
		}
		if got := fmt.Sprint(b.ask(t, "SELECT email, n FROM %s WHERE `order` = 'a'")); got != "[map[email:x n:4]]" {
			t.Errorf("unique%q: after a late event %s", more, got)
		}
		moduletest.Want(t, "null", moduletest.Send(t, d, delivery(`{"n": 1}`)), modules.Rejected, "mysql_value", "column order")
		// Many at once, of few keys, by themselves and in batches.
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for j := range 10 {
					for _, r := range d.SendBatch(t.Context(), []*event.Delivery{body("c", "c", i), body("d", "d", i), body("e", "e", j)}) {
						if f := modules.FailureOf(r.Err); r.Err != nil && f.Kind != modules.Retryable {
							t.Errorf("%v", r.Err)
						}
					}
				}
			})
		}
		wg.Wait()
		if n := b.ask(t, "SELECT 1 FROM %s WHERE `order` IN ('c', 'd', 'e')"); len(n) != 3 {
			t.Errorf("%d rows", len(n))
		}
	}
}

// A row that no packet holds is too large; rows that do not fit into one packet
// together go in several.
func TestPackets(t *testing.T) {
	b := newServer(t)
	d := destination(t, b.connection(), fmt.Sprintf(`{"table": %q}`, b.table))
	big := func(n int) *event.Delivery { return delivery(`{"a":"` + strings.Repeat("x", n) + `"}`) }
	moduletest.Want(t, "too large", moduletest.Send(t, d, big(16<<20)), modules.Rejected, modules.CodeTooLarge, "max_allowed_packet")
	rs := d.SendBatch(t.Context(), []*event.Delivery{big(1), big(9 << 20), big(17 << 20), big(9 << 20), big(15 << 20), big(1)})
	for i, r := range rs {
		if i == 2 {
			moduletest.Want(t, "in a batch", r.Err, modules.Rejected, modules.CodeTooLarge, "max_allowed_packet")
		} else if r.Err != nil {
			t.Errorf("%d: %v", i, r.Err)
		}
	}
	if n := b.ask(t, "SELECT LENGTH(payload) AS n FROM %s ORDER BY n DESC"); len(n) != 5 || fmt.Sprint(n[0]["n"]) != fmt.Sprint(15<<20+8) {
		t.Errorf("%v", n)
	}
}

// Locks of others, and a server that takes nothing now, are waited for.
func TestLaterPerhaps(t *testing.T) {
	b := newServer(t)
	d := destination(t, b.connection(), fmt.Sprintf(`{"table": %q}`, b.table))
	if err := moduletest.Send(t, d, delivery(`{}`)); err != nil {
		t.Fatal(err)
	}
	b.do("root", "SET GLOBAL read_only = 1")
	t.Cleanup(func() { b.do("root", "SET GLOBAL read_only = 0") })
	moduletest.Want(t, "read-only", moduletest.Send(t, d, delivery(`{}`)), modules.Lost, modules.CodeConnectionLost, "read-only")
	moduletest.Want(t, "read-only, Check", moduletest.Check(t, d), modules.Retryable, modules.CodeUnavailable, "read-only")
	b.do("root", "SET GLOBAL read_only = 0")
	if err := moduletest.Send(t, d, delivery(`{}`)); err != nil {
		t.Errorf("after that: %v", err)
	}
	b.exec("DROP TABLE %s")
	moduletest.Want(t, "dropped", moduletest.Send(t, d, delivery(`{}`)), modules.Retryable, modules.CodeNotFound, "doesn't exist")
	if err := moduletest.Send(t, d, delivery(`{}`)); err != nil { // made anew
		t.Errorf("after the table was dropped: %v", err)
	}
	b.do("root", "SET GLOBAL autocommit = 0")
	t.Cleanup(func() { b.do("root", "SET GLOBAL autocommit = 1") })
	if err := moduletest.Send(t, destination(t, b.connection(), fmt.Sprintf(`{"table": %q}`, b.table)), delivery(`{}`)); err != nil {
		t.Error(err)
	}
	if n := len(b.rows(t, "id")); n != 2 {
		t.Errorf("%d rows: a server without autocommit loses them", n)
	}
	b.guest(t, "ALL")
	b.do("root", "ALTER USER '"+b.user+"'@'127.0.0.1' WITH MAX_USER_CONNECTIONS 1")
	full := b.connection()
	if _, _, err := open(t, full); err != nil {
		t.Fatal(err)
	}
	_, _, err := open(t, full)
	moduletest.Want(t, "too many connections", err, modules.Throttled, modules.CodeThrottled, "max_user_connections")
}

// A column that keeps whole seconds rounds: that makes no event older than one
// before it.
func TestUpsertOfWholeSeconds(t *testing.T) {
	for _, more := range []string{"", ", UNIQUE (email)"} {
		b := newServer(t)
		b.exec("CREATE TABLE %s (id CHAR(36) PRIMARY KEY, webhook_id TEXT, created_at DATETIME, k VARCHAR(50) NOT NULL UNIQUE, email VARCHAR(50), n BIGINT" + more + ")")
		d := destination(t, b.connection(), fmt.Sprintf(`{"table": %q, "storage_mode": "relational", "upsert": true, "upsert_key": "k", "schema": {"k": "text", "email": "text", "n": "integer"}}`, b.table))
		for n := range 4 {
			x := delivery(fmt.Sprintf(`{"k": "a", "email": "e", "n": %d}`, n))
			x.Event.Received = x.Event.Received.Truncate(time.Second).Add(time.Duration(300+200*n) * time.Millisecond)
			if err := moduletest.Send(t, d, x); err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(b.ask(t, "SELECT n FROM %s")); got != fmt.Sprintf("[map[n:%d]]", n) {
				t.Errorf("%q: %s", more, got)
			}
		}
	}
}
