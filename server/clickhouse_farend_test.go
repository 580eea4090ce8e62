package server_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	ch "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/hookd/hookd/internal/testinfra"
)

// clickhouseFarEnd is read back by plain HTTP: every row, also those that a
// merge would drop as repeats.
func clickhouseFarEnd(t *testing.T) farEnd {
	s := testinfra.ClickHouse(t)
	t.Logf("ClickHouse %s, read back by plain HTTP", s.Version)
	return clickhouseTable(t, s, strings.ReplaceAll(testinfra.Unique(t), ".", "_"))
}

// clickhouseTableEnd is read with clickhouse-client, as readers are told to: with
// FINAL, because a row whose answer was lost is there twice until a merge.
func clickhouseTableEnd(t *testing.T) tableEnd {
	s := testinfra.ClickHouse(t)
	t.Logf("ClickHouse %s, read back with clickhouse-client", s.Version)
	table := strings.ReplaceAll(testinfra.Unique(t), ".", "_")
	f := clickhouseTable(t, s, table)
	f.options = fmt.Sprintf(`{"table": %q, "schema": %s}`, table, rowSchema)
	return tableEnd{farEnd: f, numbers: func() []string {
		t.Logf("%s rows before merges", strings.TrimSpace(s.ClickHouseQuery(t, "SELECT count() FROM "+table)))
		out, err := clickhouse(s, "SELECT n FROM "+table+" FINAL").Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Fields(string(out))
	}}
}

func clickhouseTable(t *testing.T, s *testinfra.Server, table string) farEnd {
	return farEnd{
		module: "clickhouse",
		addr:   s.Addr,
		connection: func(addr string) string {
			host, port := testinfra.Split(addr)
			return fmt.Sprintf(`{"host": %q, "port": %d, "user": %q, "password": %q}`, host, port, s.User, s.Password)
		},
		options: fmt.Sprintf(`{"table": %q}`, table),
		ids: func() []string {
			return strings.Fields(s.ClickHouseQuery(t, "SELECT id FROM "+table))
		},
		kill:    func() { s.Kill(t); s.Start(t) },
		restart: func() { s.Restart(t) },
		inLoop: func(n int) {
			db, err := ch.Open(&ch.Options{Addr: []string{s.Addr}, Auth: ch.Auth{Username: s.User, Password: s.Password}})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			ctx := context.WithoutCancel(t.Context())
			s.ClickHouseQuery(t, "CREATE TABLE "+table+"_loop (id UInt64, payload String) ENGINE = MergeTree() ORDER BY id")
			body := strings.Repeat("x", 1520)
			for i := range n {
				b, err := db.PrepareBatch(ctx, "INSERT INTO "+table+"_loop (id, payload)")
				if err != nil {
					t.Fatal(err)
				}
				if err := b.Append(uint64(i), body); err != nil { //nolint:gosec // not negative
					t.Fatal(err)
				}
				if err := b.Send(); err != nil {
					t.Fatal(err)
				}
			}
		},
	}
}
