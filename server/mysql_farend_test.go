package server_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/hookd/hookd/internal/testinfra"
)

func mysqlFarEnd(t *testing.T) farEnd { return mysqlTable(t, "").farEnd }

func mysqlTableEnd(t *testing.T) tableEnd {
	return mysqlTable(t, `, "storage_mode": "relational", "schema": `+rowSchema)
}

// mysqlTable is a table with more in the options.
func mysqlTable(t *testing.T, more string) tableEnd {
	s := testinfra.MariaDB(t)
	t.Logf("MariaDB %s, read back with PyMySQL", s.Version)
	_, port := testinfra.Split(s.Addr)
	peer := testinfra.NewPeer(t, "pymysql", "../modules/mysql/testdata/peer.py", strconv.Itoa(port), s.User, s.Password, testinfra.Database)
	table := strings.NewReplacer("-", "_", ".", "_").Replace(testinfra.Unique(t))
	column := func(name string) []string {
		line, err := json.Marshal([]string{"ids", table, name})
		if err != nil {
			t.Fatal(err)
		}
		return peer.Ask(string(line))
	}
	f := farEnd{
		module: "mysql",
		addr:   s.Addr,
		connection: func(addr string) string {
			host, port := testinfra.Split(addr)
			return fmt.Sprintf(`{"host": %q, "port": %d, "database": %q, "user": %q, "password": %q}`, host, port, testinfra.Database, s.User, s.Password)
		},
		options: fmt.Sprintf(`{"table": %q%s}`, table, more),
		ids:     func() []string { return column("id") },
		kill:    func() { s.Kill(t); s.Start(t) },
		restart: func() { s.Restart(t) },
		inLoop:  func(n int) { insertInLoop(t, s, table+"_loop", n) },
	}
	return tableEnd{farEnd: f, numbers: func() []string { return column("n") }}
}

// insertInLoop stores n bodies, a commit each, with a statement that is prepared
// once.
func insertInLoop(t *testing.T, s *testinfra.Server, table string, n int) {
	cfg := mysql.NewConfig()
	cfg.Net, cfg.Addr, cfg.User, cfg.Passwd, cfg.DBName = "tcp", s.Addr, s.User, s.Password, testinfra.Database
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	create := "CREATE TABLE `" + table + "` (id CHAR(36) PRIMARY KEY, webhook_id VARCHAR(512), timestamp DATETIME(6), payload JSON NOT NULL, headers JSON, created_at DATETIME(6)) CHARSET utf8mb4"
	if _, err := db.ExecContext(t.Context(), create); err != nil {
		t.Fatal(err)
	}
	stmt, err := db.PrepareContext(t.Context(), "INSERT INTO `"+table+"` VALUES (UUID(), 'github', NOW(6), ?, ?, NOW(6))")
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	body := fmt.Sprintf(`{"n":1,"pad":%q}`, strings.Repeat("x", len(newSender("", newLedger()).pad)))
	for range n {
		if _, err := stmt.ExecContext(t.Context(), body, `{"content-type":"application/json","x-github-event":"push"}`); err != nil {
			t.Fatal(err)
		}
	}
}
