package server_test

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/hookd/hookd/internal/testinfra"
)

// TestOverviewConfigurations: the connections and the three storage modes that
// the original service's documentation shows run as they stand there, one mode
// after the other, each read back by the database's own client.
func TestOverviewConfigurations(t *testing.T) {
	pg, maria, ch := testinfra.Postgres(t), testinfra.MariaDB(t), testinfra.ClickHouse(t)
	ask(t, psql(pg, "postgres", "CREATE DATABASE webhook_db"))
	ask(t, exec.Command("mariadb", "--no-defaults", "-u", "root", "-S", filepath.Join(maria.Dir, "s.sock"), "-e",
		"CREATE DATABASE webhook_db; GRANT ALL ON webhook_db.* TO '"+maria.User+"'@'127.0.0.1'"))
	ask(t, clickhouse(ch, "CREATE DATABASE webhook_analytics"))
	env := []string{
		"RABBITMQ_HOST=rabbit.example.com", "RABBITMQ_USER=u", "RABBITMQ_PASS=p",
		"AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=s", "GCP_PROJECT_ID=some-project",
		"POSTGRES_USER=" + pg.User, "POSTGRES_PASSWORD=" + pg.Password,
		"MYSQL_USER=" + maria.User, "MYSQL_PASSWORD=" + maria.Password,
		"CLICKHOUSE_USER=" + ch.User, "CLICKHOUSE_PASSWORD=" + ch.Password,
	}
	for name, s := range map[string]*testinfra.Server{"POSTGRES": pg, "MYSQL": maria, "CLICKHOUSE": ch} {
		host, port := testinfra.Split(s.Addr)
		env = append(env, name+"_HOST="+host, name+"_PORT="+strconv.Itoa(port))
	}
	const body = `{"event_id": 9007199254740993, "event_type": "o'clock", "timestamp": "2026-03-01T12:00:00Z", "data": {"a": [1, null]}}`
	for _, step := range []struct {
		file  string
		hooks []string
		read  map[string]*exec.Cmd // what reads the body back
		want  string
	}{
		{"json", []string{"webhook_id"}, map[string]*exec.Cmd{
			"postgresql": psql(pg, "webhook_db", "SELECT payload->>'event_id', payload->>'event_type' FROM webhook_events ORDER BY 1"),
		}, "9007199254740993|o'clock"},
		{"relational", []string{"webhook_id"}, map[string]*exec.Cmd{
			"postgresql": psql(pg, "webhook_db", "SELECT event_id, event_type, timestamp, data FROM webhook_events WHERE event_id IS NOT NULL"),
		}, `9007199254740993|o'clock|2026-03-01 12:00:00+00|{"a": [1, null]}`},
		{"hybrid", []string{"webhook_id"}, map[string]*exec.Cmd{
			"postgresql": psql(pg, "webhook_db", "SELECT event_id, event_type, payload->'data' FROM webhook_events WHERE event_id IS NOT NULL AND payload IS NOT NULL"),
		}, `9007199254740993|o'clock|{"a": [1, null]}`},
		{"databases", []string{"to_mysql", "to_clickhouse"}, map[string]*exec.Cmd{
			"mysql": exec.Command("mariadb", "--no-defaults", "-N", "-u", "root", "-S", filepath.Join(maria.Dir, "s.sock"), "webhook_db", "-e",
				"SELECT JSON_VALUE(payload, '$.event_id') FROM webhook_events"),
			"clickhouse": clickhouse(ch, "SELECT visitParamExtractRaw(payload, 'event_id') FROM webhook_analytics.webhook_logs"),
		}, "9007199254740993"},
	} {
		t.Run(step.file, func(t *testing.T) {
			cfg := newDaemonConfig(t, t.TempDir())
			cfg.env = env
			copyFile(t, filepath.Join("../testdata/overview", step.file+".webhooks.json"), filepath.Join(cfg.dir, "webhooks.json"))
			copyFile(t, "../testdata/overview/connections.json", filepath.Join(cfg.dir, "connections.json"))
			ask(t, psql(pg, "webhook_db", "DROP TABLE IF EXISTS webhook_events")) // each mode has its own columns
			d := cfg.start(t)
			for _, hook := range step.hooks {
				res, err := http.Post(d.base+"/webhook/"+hook, "application/json", strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
				if res.StatusCode != http.StatusOK {
					t.Fatalf("%s: %s", hook, res.Status)
				}
			}
			drain(t, cfg, d)
			for name, read := range step.read {
				if got := ask(t, read); !strings.Contains(got, step.want) {
					t.Errorf("%s: read back %q, want %q\n%s", name, got, step.want, tail(d.log.String()))
				}
			}
			d.stop(t)
		})
	}
}

func psql(s *testinfra.Server, database, query string) *exec.Cmd {
	cmd := exec.Command("psql", "-X", "-q", "-t", "-A", "-d", "postgres://"+s.User+"@"+s.Addr+"/"+database, "-c", query)
	cmd.Env = append(os.Environ(), "PGPASSWORD="+s.Password, "PGTZ=UTC")
	return cmd
}

func clickhouse(s *testinfra.Server, query string) *exec.Cmd {
	host, port := testinfra.Split(s.Addr)
	return exec.Command("clickhouse-client", "--host", host, "--port", strconv.Itoa(port), "--user", s.User, "--password", s.Password, "--query", query)
}

// ask runs a database's own client.
func ask(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd.Args[0], err, out)
	}
	return strings.TrimSpace(string(out))
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
