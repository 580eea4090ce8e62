package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/hookd/hookd/internal/testinfra"
)

// postgres is the server and psycopg2, with a table of the test.
type postgres struct {
	*testinfra.Server
	peer  *testinfra.Peer
	table string
}

func newPostgres(t *testing.T) *postgres {
	s := testinfra.Postgres(t)
	t.Logf("PostgreSQL %s, read back with psycopg2", s.Version)
	_, port := testinfra.Split(s.Addr)
	return &postgres{
		Server: s, table: sqlName(testinfra.Unique(t)),
		peer: testinfra.NewPeer(t, "psycopg2", "../modules/postgresql/testdata/peer.py", strconv.Itoa(port), s.User, s.Password, "postgres"),
	}
}

// sqlName makes a table's name of a test's.
func sqlName(s string) string {
	return "t_" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

func (p *postgres) connection(addr string) string {
	host, port := testinfra.Split(addr)
	return fmt.Sprintf(`{"host": %q, "port": %d, "user": %q, "password": %q}`, host, port, p.User, p.Password)
}

// column is the first column of a query.
func (p *postgres) column(t *testing.T, sql string) []string {
	line, err := json.Marshal([]string{"rows", sql})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, text := range p.peer.Ask(string(line)) {
		var row []string
		if err := json.Unmarshal([]byte(text), &row); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		all = append(all, row[0])
	}
	return all
}

func postgresFarEnd(t *testing.T) farEnd {
	p := newPostgres(t)
	return farEnd{
		module:     "postgresql",
		addr:       p.Addr,
		connection: p.connection,
		options:    fmt.Sprintf(`{"table": %q}`, p.table),
		ids:        func() []string { return p.column(t, "SELECT id FROM "+p.table) },
		kill:       func() { p.Kill(t); p.Start(t) },
		restart:    func() { p.Restart(t) },
		inLoop:     func(n int) { p.inLoop(t, n) },
	}
}

// inLoop inserts n documents, each in a transaction of its own.
func (p *postgres) inLoop(t *testing.T, n int) {
	ctx := context.WithoutCancel(t.Context())
	conn, err := pgx.Connect(ctx, fmt.Sprintf("postgresql://%s:%s@%s/postgres?sslmode=require", p.User, p.Password, p.Addr))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	table := p.table + "_loop"
	if _, err := conn.Exec(ctx, "CREATE TABLE "+table+" (id uuid PRIMARY KEY, webhook_id text NOT NULL, timestamp timestamptz, payload jsonb NOT NULL, headers jsonb, created_at timestamptz DEFAULT now())"); err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`{"n":0,"pad":%q}`, strings.Repeat("x", 1500))
	for i := range n {
		if _, err := conn.Exec(ctx, "INSERT INTO "+table+" (id, webhook_id, timestamp, payload) VALUES ($1, $2, now(), $3) ON CONFLICT (id) DO NOTHING",
			fmt.Sprintf("00000000-0000-4000-8000-%012d", i), "github", body); err != nil {
			t.Fatal(err)
		}
	}
}
