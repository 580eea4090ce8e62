package mysql_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/moduletest"
)

// An error that hookd cannot tell may be one row's alone: it is tried again, and
// does not take the others of its batch along.
func TestUnknownRefusal(t *testing.T) {
	b := newServer(t)
	b.exec("CREATE TABLE %s (id CHAR(36) PRIMARY KEY, webhook_id TEXT, created_at DATETIME(6), day VARCHAR(20))")
	b.exec("CREATE TRIGGER `" + b.table + "_t` BEFORE INSERT ON %s FOR EACH ROW IF NEW.day = 'never' THEN SIGNAL SQLSTATE 'HK001' SET MESSAGE_TEXT = 'not today', MYSQL_ERRNO = 30001; END IF")
	d := destination(t, b.connection(), fmt.Sprintf(`{"table": %q, "storage_mode": "relational", "schema": {"day": "varchar(20)"}}`, b.table))
	rs := d.SendBatch(t.Context(), []*event.Delivery{delivery(`{"day": "today"}`), delivery(`{"day": "never"}`), delivery(`{"day": "today"}`)})
	moduletest.Want(t, "the one", rs[1].Err, modules.Retryable, "mysql_30001", "not today")
	if rs[0].Err != nil || rs[2].Err != nil {
		t.Errorf("it sank the others: %v, %v", rs[0].Err, rs[2].Err)
	}
	if n := len(b.rows(t, "id")); n != 2 {
		t.Errorf("%d rows", n)
	}
}

// Numbers are not rounded into a column that is there, whatever its type.
func TestNarrowerColumns(t *testing.T) {
	b := newServer(t)
	b.exec("CREATE TABLE %s (id CHAR(36) PRIMARY KEY, webhook_id TEXT, created_at DATETIME(6), n INT, f INT, d DECIMAL(8,2))")
	d := destination(t, b.connection(), fmt.Sprintf(`{"table": %q, "storage_mode": "relational", "schema": {"n": "numeric", "f": "number", "d": "float"}}`, b.table))
	for body, column := range map[string]string{`{"n": 1.5}`: "column n", `{"f": 1.5}`: "column f", `{"d": 1.005}`: "column d"} {
		moduletest.Want(t, body, moduletest.Send(t, d, delivery(body)), modules.Rejected, "mysql_value", column+" (")
	}
	if err := moduletest.Send(t, d, delivery(`{"n": "2.0", "f": 1e3, "d": 1.25}`)); err != nil {
		t.Error(err)
	}
	if got := fmt.Sprint(b.ask(t, "SELECT n, f, d FROM %s")); got != "[map[d:1.25 f:1000 n:2]]" {
		t.Error(got)
	}
}

// A repeat is known by its id, also where another unique index, which has the
// row as well, is looked at first.
func TestRepeatWithAnotherIndex(t *testing.T) {
	b := newServer(t)
	b.exec("CREATE TABLE %s (id BIGINT AUTO_INCREMENT PRIMARY KEY, email VARCHAR(50) UNIQUE)")
	d := destination(t, b.connection(), fmt.Sprintf(`{"table": %q, "storage_mode": "relational", "schema": {"email": "varchar(50)"}}`, b.table))
	x := delivery(`{"email": "a"}`)
	if err := moduletest.Send(t, d, x); err != nil {
		t.Fatal(err)
	}
	if err := moduletest.Send(t, d, x); err != nil {
		t.Errorf("the repeat: %v", err)
	}
	rs := d.SendBatch(t.Context(), []*event.Delivery{x, delivery(`{"email": "a"}`), delivery(`{"email": "b"}`)})
	if rs[0].Err != nil || rs[2].Err != nil {
		t.Errorf("in a batch: %v, %v", rs[0].Err, rs[2].Err)
	}
	moduletest.Want(t, "another", rs[1].Err, modules.Rejected, "mysql_1062", `the unique index "email"`)
	if n := len(b.rows(t, "id")); n != 2 {
		t.Errorf("%d rows", n)
	}
}

// An index may have the name of a column that is unique by itself.
func TestIndexOfAColumnsName(t *testing.T) {
	b := newServer(t)
	d := destination(t, b.connection(), fmt.Sprintf(`{"table": %q, "storage_mode": "relational", "schema": {"fields": {"email": {"type": "varchar(50)", "constraints": ["UNIQUE"]}, "n": {"type": "integer"}},
		"indexes": {"Email": {"columns": ["n"]}}}}`, b.table))
	if err := moduletest.Send(t, d, delivery(`{"email": "a", "n": 1}`)); err != nil {
		t.Fatal(err)
	}
	moduletest.Want(t, "twice", moduletest.Send(t, d, delivery(`{"email": "a"}`)), modules.Rejected, "mysql_1062", "has the value already")
}

// Batches that update the same rows in different orders wait for each other.
func TestUpsertsInDifferentOrders(t *testing.T) {
	b := newServer(t)
	d := destination(t, b.connection(), fmt.Sprintf(`{"table": %q, "storage_mode": "relational", "upsert": true, "upsert_key": "k", "schema": {"k": "integer", "v": "integer"}}`, b.table))
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
	if n := len(b.rows(t, "id")); n != 50 {
		t.Errorf("%d rows", n)
	}
}

// A table that cannot get the unique index that an upsert needs is the
// operator's to mend: no event is given up for it.
func TestKeyThatIsNotUnique(t *testing.T) {
	b := newServer(t)
	b.exec("CREATE TABLE %s (id CHAR(36) PRIMARY KEY DEFAULT (UUID()), webhook_id TEXT, created_at DATETIME(6), k INT)", "INSERT INTO %s (k) VALUES (1), (1)")
	d := destination(t, b.connection(), fmt.Sprintf(`{"table": %q, "storage_mode": "relational", "upsert": true, "upsert_key": "k", "schema": {"k": "integer", "v": "text"}}`, b.table))
	moduletest.Want(t, "not unique", moduletest.Send(t, d, delivery(`{"k": 2}`)), modules.Retryable, "mysql_1062", "has the value already")
	b.exec("DELETE FROM %s LIMIT 1")
	if err := moduletest.Send(t, d, delivery(`{"k": 2}`)); err != nil {
		t.Errorf("after it was mended: %v", err)
	}
}

// What does not fit the schema is told whether or not the server is there.
func TestBadRowWithoutAServer(t *testing.T) {
	b := newServer(t)
	d := destination(t, b.connection(), fmt.Sprintf(`{"table": %q, "storage_mode": "relational", "schema": {"n": "integer"}}`, b.table))
	b.proxy.Cut()
	rs := d.SendBatch(t.Context(), []*event.Delivery{delivery(`{"n": 1}`), delivery(`{"n": "x"}`)})
	if f := modules.FailureOf(rs[0].Err); rs[0].Err == nil || f.Kind == modules.Rejected {
		t.Errorf("the good one: %v", rs[0].Err)
	}
	moduletest.Want(t, "the bad one", rs[1].Err, modules.Rejected, "mysql_value", "column n")
	b.proxy.Restore()
}
