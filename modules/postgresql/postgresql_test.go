package postgresql_test

import (
	"fmt"
	"testing"

	"github.com/hookd/hookd/modules/moduletest"
	"github.com/hookd/hookd/modules/postgresql"
)

// bad are mistakes in the configuration.
var bad = []moduletest.Bad{
	{Options: `{"table": "select"}`, Want: "word of SQL", Path: "table"},
	{Options: `{"table": "1x"}`, Want: "no name", Path: "table"},
	{Options: `{"table": "x; DROP TABLE y"}`, Want: "no name", Path: "table"},
	{Options: `{"storage_mode": "relational"}`, Want: "keeps nothing", Path: "storage_mode"},
	{Options: `{"storage_mode": "hybrid", "schema": {"a": "text", "A": "text"}}`, Want: "one column", Path: "schema"},
	{Options: `{"storage_mode": "hybrid", "upsert": true, "upsert_key": "nope"}`, Want: "no field", Path: "upsert_key"},
	{Connection: `{"port": 70000}`, Path: "port"},
	{Connection: `{"sslmode": "maybe"}`, Want: "verify-full", Path: "sslmode"},
	{Connection: `{"ssl_cert": "x.pem"}`, Want: "go together", Path: "ssl_cert"},
	{Connection: `{"connection_string": "postgresql://u:pw word@h"}`, Want: "percent", Path: "connection_string"},
	{Connection: `{"connection_string": "host=a,b"}`, Want: "one host", Path: "connection_string"},
	{Connection: `{"connection_string": "host='a"}`, Want: "not closed", Path: "connection_string"},
	{Connection: `{"connection_string": "nonsense"}`, Want: "key=value", Path: "connection_string"},
	{Connection: `{"connection_string": "postgresql://h/d?sslmode=sometimes"}`, Want: "sslmode", Path: "connection_string"},
	{Connection: `{"connection_string": "postgresql://h/d?passfile=/etc/passwd"}`, Want: "not known", Path: "connection_string"},
}

// TestJSON is the form that is the default: the body in one column.
func TestJSON(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module:  postgresql.Module(),
		Carries: document,
		Bad:     bad,
		Start: func(t *testing.T) *moduletest.Far {
			b := newDatabase(t)
			far := b.far(fmt.Sprintf(`{"table": %q}`, b.table), "SELECT id, payload::text, headers::text FROM "+b.table)
			far.Refuse = func() {
				b.do("CREATE TABLE IF NOT EXISTS " + b.table + " (id uuid PRIMARY KEY, webhook_id text NOT NULL, timestamp timestamptz, payload jsonb NOT NULL, headers jsonb, created_at timestamptz)")
				b.do("ALTER TABLE " + b.table + " ADD CONSTRAINT closed CHECK (false) NOT VALID")
			}
			far.Harmless = func(t *testing.T) { b.rows("SELECT count(*) FROM " + b.table) }
			return far
		},
	})
}

// TestRelational keeps the whole body in a column of the schema, so that the
// suite can read it back.
func TestRelational(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module:  postgresql.Module(),
		Carries: document,
		Start: func(t *testing.T) *moduletest.Far {
			b := newDatabase(t)
			far := b.far(fmt.Sprintf(`{"table": %q, "storage_mode": "relational", "schema": {"fields": {
				"whole": {"type": "json", "jq": "."}, "n": {"type": "text", "column": "number"}}, "indexes": {%q: {"columns": ["n"]}}}}`, b.table, b.table+"_n"),
				"SELECT id, whole::text FROM "+b.table)
			far.Break = func() { b.do("ALTER TABLE " + b.table + " RENAME TO " + b.table + "_away") }
			far.Options = far.Options[:len(far.Options)-1] + `, "create": false}`
			t.Cleanup(func() { b.do("DROP TABLE IF EXISTS " + b.table + "_away") })
			b.do("CREATE TABLE " + b.table + " (id uuid PRIMARY KEY, webhook_id text, created_at timestamptz, whole jsonb, number text)")
			return far
		},
	})
}

// TestHybrid has both, updates by a key, and finds its connection in one string.
func TestHybrid(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module:  postgresql.Module(),
		Carries: document,
		Start: func(t *testing.T) *moduletest.Far {
			b := newDatabase(t)
			far := b.far(fmt.Sprintf(`{"storage_mode": "hybrid", "schema": {"fields": {
				"event": {"type": "text", "jq": "$event.id"}}}, "upsert": true, "upsert_key": "event", "table": "public.%s"}`, b.table),
				"SELECT id, payload::text, headers::text FROM "+b.table)
			far.Connection = fmt.Sprintf(`{"connection_string": "postgresql://%s:%s@%s/postgres?sslmode=require", "pool_max_size": 3}`, b.User, b.Password, b.proxy.Addr())
			return far
		},
	})
}
