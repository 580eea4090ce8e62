package postgresql_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/moduletest"
)

// An error that hookd cannot tell may be one row's alone: it is tried again, and
// does not take the others of its batch along.
func TestUnknownRefusal(t *testing.T) {
	b := newDatabase(t)
	b.do("CREATE TABLE " + b.table + " (id uuid PRIMARY KEY, webhook_id text, created_at timestamptz, day text)")
	b.do(`CREATE FUNCTION ` + b.table + `_f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.day = 'never' THEN RAISE EXCEPTION 'not today' USING ERRCODE = 'HK001'; END IF; RETURN NEW; END $$`)
	b.do("CREATE TRIGGER never BEFORE INSERT ON " + b.table + " FOR EACH ROW EXECUTE FUNCTION " + b.table + "_f()")
	t.Cleanup(func() { b.do("DROP FUNCTION " + b.table + "_f() CASCADE") })
	role := b.table + "_r"
	b.do("CREATE ROLE " + role + " LOGIN PASSWORD 'pw'")
	t.Cleanup(func() { b.do("DROP OWNED BY " + role); b.do("DROP ROLE " + role) })
	b.do("GRANT INSERT, SELECT ON " + b.table + " TO " + role)
	b.do("ALTER TABLE " + b.table + " ENABLE ROW LEVEL SECURITY")
	b.do("CREATE POLICY p ON " + b.table + " USING (true) WITH CHECK (day <> 'theirs')")
	as := strings.NewReplacer(fmt.Sprintf(`"user": %q`, b.User), fmt.Sprintf(`"user": %q`, role), b.Password, "pw").Replace(b.connection())
	d, _ := destination(t, as, fmt.Sprintf(`{"table": %q, "storage_mode": "relational", "schema": {"day": "text"}}`, b.table))
	rows := 0
	for _, c := range []struct {
		day, code string
		times     int
	}{{"never", "postgresql_hk001", 1}, {"theirs", "auth_failed", 1}, {"never", "postgresql_hk001", 7}} {
		var ds []*event.Delivery
		for range c.times {
			ds = append(ds, delivery(`{"day": "today"}`), delivery(`{"day": "`+c.day+`"}`))
		}
		ds = append(ds, delivery(`{"day": "today"}`))
		for i, r := range d.SendBatch(t.Context(), ds) {
			if i%2 == 1 {
				want(t, r.Err, modules.Retryable, c.code)
			} else if r.Err != nil {
				t.Errorf("%s sank %d: %v", c.day, i, r.Err)
			}
		}
		rows += c.times + 1
		if n := b.rows("SELECT count(*) FROM " + b.table)[0][0]; n != fmt.Sprint(rows) {
			t.Errorf("%v rows, want %d", n, rows)
		}
	}
}

// An index that cannot be made is announced, and keeps no row out.
func TestIndexInTheWay(t *testing.T) {
	b := newDatabase(t)
	t.Cleanup(func() { b.do("DROP TABLE IF EXISTS " + b.table + "_two") })
	b.do("CREATE TABLE " + b.table + " (id uuid PRIMARY KEY, webhook_id text, created_at timestamptz, n bigint)")
	b.do("INSERT INTO " + b.table + " (id, n) VALUES (gen_random_uuid(), 1), (gen_random_uuid(), 1)")
	for _, c := range []struct{ table, unique string }{{b.table + "_two", "false"}, {b.table, "false"}, {b.table, "true"}} {
		index := b.table + "_n" // of both tables, and they share a schema
		if c.unique == "true" {
			index += "_unique" // and its values are not
		}
		d, log := destination(t, b.connection(), fmt.Sprintf(`{"table": %q, "storage_mode": "relational", "schema": {"fields": {"n": {"type": "integer"}}, "indexes": {%q: {"columns": ["n"], "unique": %s}}}}`,
			c.table, index, c.unique))
		for range 2 {
			if err := moduletest.Send(t, d, delivery(`{"n": 2}`)); err != nil {
				t.Errorf("%v: %v", c, err)
			}
		}
		if !strings.Contains(log.String(), index) {
			t.Errorf("%v: nothing is said of the index: %q", c, log)
		}
	}
}

// What a column that is there cannot hold exactly is refused, not rounded.
func TestNarrowerColumns(t *testing.T) {
	b := newDatabase(t)
	b.do("CREATE TABLE " + b.table + " (id uuid PRIMARY KEY, webhook_id text, created_at timestamptz, amount numeric(8,2), whole numeric(9), free numeric, f numeric(8,2))")
	d, _ := destination(t, b.connection(), fmt.Sprintf(`{"table": %q, "storage_mode": "relational", "schema": {"amount": "numeric", "whole": "decimal(9,3)", "free": "numeric", "f": "float"}}`, b.table))
	for body, column := range map[string]string{
		`{"amount": 1.239}`: "column amount (numeric)", `{"whole": 1.5}`: "column whole (decimal(9,3))", `{"f": 1.005}`: "column f (float)",
	} {
		want(t, moduletest.Send(t, d, delivery(body)), modules.Rejected, "postgresql_value", column, "rounded")
	}
	if err := moduletest.Send(t, d, delivery(`{"amount": 1.230, "whole": "2.0", "free": 1.239, "f": 1.5e1}`)); err != nil {
		t.Error(err)
	}
	if got := fmt.Sprint(b.rows("SELECT amount, whole, free, f FROM " + b.table)); got != "[[1.23 2 1.239 15.00]]" {
		t.Error(got)
	}
}

// Names that PostgreSQL would cut off stay apart.
func TestLongNames(t *testing.T) {
	b := newDatabase(t)
	table := (b.table + strings.Repeat("x", 63))[:63]
	t.Cleanup(func() { b.do("DROP TABLE IF EXISTS " + table) })
	b.do("CREATE TABLE " + table + " (id uuid, k bigint)")
	d, _ := destination(t, b.connection(), fmt.Sprintf(`{"table": %q, "storage_mode": "relational", "upsert": true, "upsert_key": "k", "schema": {"k": "integer", "v": "text"}}`, table))
	for _, v := range []string{"a", "b"} {
		if err := moduletest.Send(t, d, delivery(`{"k": 1, "v": "`+v+`"}`)); err != nil {
			t.Fatal(err)
		}
	}
	if got := fmt.Sprint(b.rows("SELECT k, v FROM " + table)); got != "[[1 b]]" {
		t.Error(got)
	}
}

// A session whose prepared statement went away, or no longer fits the table,
// prepares it anew.
func TestStatementGone(t *testing.T) {
	b := newDatabase(t)
	b.do("CREATE TABLE " + b.table + " (id uuid PRIMARY KEY, webhook_id text, created_at timestamptz, day text)")
	b.do(`CREATE FUNCTION ` + b.table + `_f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.day = 'forget' THEN EXECUTE 'DEALLOCATE ALL'; END IF; RETURN NEW; END $$`)
	b.do("CREATE TRIGGER forget BEFORE INSERT ON " + b.table + " FOR EACH ROW EXECUTE FUNCTION " + b.table + "_f()")
	t.Cleanup(func() { b.do("DROP FUNCTION " + b.table + "_f() CASCADE") })
	d, _ := destination(t, b.connection(), fmt.Sprintf(`{"table": %q, "storage_mode": "relational", "schema": {"day": "text"}}`, b.table))
	if err := moduletest.Send(t, d, delivery(`{"day": "forget"}`)); err != nil {
		t.Fatal(err)
	}
	if err := moduletest.Send(t, d, delivery(`{"day": "1"}`)); err != nil {
		t.Errorf("after the statement was gone: %v", err)
	}
	b.do("DROP TRIGGER forget ON " + b.table)
	b.do("DELETE FROM " + b.table + " WHERE day = 'forget'")
	b.do("ALTER TABLE " + b.table + " ALTER COLUMN day TYPE bigint USING day::bigint")
	if err := moduletest.Send(t, d, delivery(`{"day": "2"}`)); err != nil {
		t.Errorf("after the column has another type: %v", err)
	}
}

// Batches that update the same rows in different orders wait for each other.
func TestUpsertsInDifferentOrders(t *testing.T) {
	b := newDatabase(t)
	d, _ := destination(t, b.connection(), fmt.Sprintf(`{"table": %q, "storage_mode": "relational", "upsert": true, "upsert_key": "k", "schema": {"k": "integer", "v": "integer"}}`, b.table))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 10 {
				var ds []*event.Delivery
				for n := range 50 {
					ds = append(ds, delivery(fmt.Sprintf(`{"k": %d, "v": %d}`, (n*(2*i+1)+j)%50, j)))
				}
				for _, r := range d.SendBatch(t.Context(), ds) {
					if r.Err != nil {
						t.Errorf("%v", r.Err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	if n := b.rows("SELECT count(*) FROM " + b.table)[0][0]; n != "50" {
		t.Errorf("%v rows", n)
	}
}

// An id column of any text is one.
func TestTextID(t *testing.T) {
	b := newDatabase(t)
	b.do("CREATE TABLE " + b.table + " (id varchar(64) PRIMARY KEY, webhook_id text, timestamp timestamptz, payload jsonb, headers jsonb, created_at timestamptz)")
	d, _ := destination(t, b.connection(), fmt.Sprintf(`{"table": %q}`, b.table))
	x := delivery(`{}`)
	for range 2 {
		if err := moduletest.Send(t, d, x); err != nil {
			t.Fatal(err)
		}
	}
	if got := fmt.Sprint(b.rows("SELECT id FROM " + b.table)); got != "[["+x.ID.String()+"]]" {
		t.Error(got)
	}
}

// A row that somebody else holds locked does not cost the others of its batch
// their time.
func TestLockedRow(t *testing.T) {
	b := newDatabase(t)
	d, _ := destination(t, b.connection(), fmt.Sprintf(`{"table": %q, "storage_mode": "relational", "upsert": true, "upsert_key": "k", "schema": {"k": "integer", "v": "text"}}`, b.table))
	batch := func(v string) []modules.Result {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		return d.SendBatch(ctx, []*event.Delivery{delivery(`{"k": 1, "v": "` + v + `"}`), delivery(`{"k": 2, "v": "` + v + `"}`)})
	}
	if rs := batch("a"); rs[0].Err != nil || rs[1].Err != nil {
		t.Fatal(rs)
	}
	b.do("BEGIN")
	b.do("UPDATE " + b.table + " SET v = 'mine' WHERE k = 1")
	rs := batch("b")
	b.do("ROLLBACK")
	want(t, rs[0].Err, modules.Retryable, "postgresql_55p03", "lock timeout")
	if rs[1].Err != nil {
		t.Errorf("the other: %v", rs[1].Err)
	}
	if got := fmt.Sprint(b.rows("SELECT k, v FROM " + b.table + " ORDER BY k")); got != "[[1 a] [2 b]]" {
		t.Error(got)
	}
}
