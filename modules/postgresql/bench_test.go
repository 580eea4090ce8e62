package postgresql_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/testinfra"
)

// BenchmarkBatch is how the rows of a batch go out: as statements that are sent
// together, which hookd does, or by COPY into a table for the session and from
// there. One operation is 200 rows of 1.5 kB and their commit.
func BenchmarkBatch(b *testing.B) {
	const rows = 200
	s := testinfra.Postgres(b)
	body := fmt.Sprintf(`{"pad":%q}`, strings.Repeat("x", 1500))
	setup := func(b *testing.B) (*pgx.Conn, string) {
		conn, err := pgx.Connect(b.Context(), fmt.Sprintf("postgresql://%s:%s@%s/postgres?sslmode=require", s.User, s.Password, s.Addr))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = conn.Close(b.Context()) })
		table := name(testinfra.Unique(b))
		for _, sql := range []string{
			"CREATE TABLE " + table + " (id uuid PRIMARY KEY, webhook_id text NOT NULL, payload jsonb NOT NULL)",
			"CREATE TEMP TABLE staging (id uuid, webhook_id text, payload jsonb) ON COMMIT DELETE ROWS",
		} {
			if _, err := conn.Exec(b.Context(), sql); err != nil {
				b.Fatal(err)
			}
		}
		return conn, table
	}
	b.Run("statements", func(b *testing.B) {
		_, table := setup(b)
		host, port := testinfra.Split(s.Addr)
		d, _ := destination(b, fmt.Sprintf(`{"host": %q, "port": %d, "user": %q, "password": %q, "sslmode": "require"}`, host, port, s.User, s.Password),
			fmt.Sprintf(`{"table": %q, "storage_mode": "hybrid", "include_headers": false}`, table))
		for b.Loop() {
			ds := make([]*event.Delivery, rows)
			for i := range ds {
				ds[i] = delivery(body)
			}
			for _, r := range d.SendBatch(b.Context(), ds) {
				if r.Err != nil {
					b.Fatal(r.Err)
				}
			}
		}
		b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
	})
	b.Run("copy", func(b *testing.B) {
		conn, table := setup(b)
		for b.Loop() {
			all := make([][]any, rows)
			for i := range all {
				x := delivery(body)
				all[i] = []any{x.ID.String(), "github", body}
			}
			tx, err := conn.Begin(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			if _, err := tx.CopyFrom(b.Context(), pgx.Identifier{"staging"}, []string{"id", "webhook_id", "payload"}, pgx.CopyFromRows(all)); err != nil {
				b.Fatal(err)
			}
			if _, err := tx.Exec(b.Context(), "INSERT INTO "+table+" SELECT * FROM staging ON CONFLICT (id) DO NOTHING"); err != nil {
				b.Fatal(err)
			}
			if err := tx.Commit(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}
