package server_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/server/admin"
)

// TestEventLog: every accepted event is written to ClickHouse besides, also what
// was accepted while that was away; deliveries go on meanwhile.
func TestEventLog(t *testing.T) {
	s := testinfra.ClickHouse(t)
	t.Logf("ClickHouse %s, read back by plain HTTP", s.Version)
	table := strings.ReplaceAll(testinfra.Unique(t), ".", "_")
	cfg := newDaemonConfig(t, t.TempDir())
	host, port := testinfra.Split(s.Addr)
	for file, v := range map[string]any{
		"connections.json": map[string]any{"analytics": map[string]any{
			"type": "clickhouse", "host": host, "port": port, "user": s.User, "password": s.Password,
		}},
		"webhooks.json": map[string]any{"github": map[string]any{
			"provider": "github", "secret": webhookSecret, "credential_cleanup": map[string]any{"enabled": true, "fields": []string{"pad"}},
			"chain": []any{map[string]any{"module": "save_to_disk", "name": brokerLane, "module-config": map[string]any{"path": "out", "base_dir": cfg.data}}},
		}},
	} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(cfg.dir, file), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg.env = append(cfg.env, "HOOKD_EVENT_LOG_CONNECTION=analytics", "HOOKD_EVENT_LOG_TABLE="+table)
	d := cfg.start(t)
	book := newLedger()
	send := newSender("http://"+cfg.listen, book)
	defer send.client.CloseIdleConnections()
	for n := range 20 {
		send.send(n)
	}
	rows := func() []string {
		if s.ClickHouseQuery(t, "EXISTS TABLE "+table) == "0\n" {
			return nil
		}
		return strings.Fields(s.ClickHouseQuery(t, "SELECT id FROM "+table))
	}
	if !poll(20*time.Second, func() bool { return len(rows()) == 20 }) {
		t.Fatalf("%d rows\n%s", len(rows()), d.log)
	}
	s.Kill(t)
	for n := range 20 {
		send.send(20 + n)
	}
	drain(t, cfg, d)              // all delivered, though ClickHouse is away
	<-time.After(3 * time.Second) // longer than rows wait for more
	s.Start(t)
	if !poll(40*time.Second, func() bool { return len(rows()) == 40 }) {
		t.Errorf("%d rows after ClickHouse came back", len(rows()))
	}
	client := admin.Client{BaseURL: "http://" + cfg.admin, HTTP: admin.NewHTTPClient()}
	defer client.HTTP.CloseIdleConnections()
	if !poll(10*time.Second, func() bool {
		now, err := client.Stats(t.Context())
		return err == nil && now.EventLog != nil && *now.EventLog == (admin.EventLogStats{Written: 40})
	}) {
		now, err := client.Stats(t.Context())
		t.Errorf("counters %+v, %v", now.EventLog, err)
	}
	send.send(40)
	d.stop(t) // writes what waits
	if got, want := slices.Sorted(slices.Values(rows())), slices.Sorted(maps.Keys(book.accepted)); len(want) != 41 || !slices.Equal(got, want) {
		t.Errorf("rows %v of %d accepted", got, len(want))
	}
	one := s.ClickHouseQuery(t, fmt.Sprintf("SELECT DISTINCT webhook_id, position(payload, 'xxx'), position(headers, 'x-github-event') > 0, position(headers, 'signature') FROM %s", table))
	if want := "github\t0\t1\t"; !strings.HasPrefix(one, want) {
		t.Errorf("a row is %q, want %q", one, want)
	}
	if n := strings.Count(d.log.String(), "the event log cannot be written"); n != 1 {
		t.Errorf("said %d times that it cannot be written\n%s", n, d.log)
	}
	if strings.Contains(d.log.String(), s.Password) {
		t.Error("the log shows the password")
	}
}

// A connection that is not there is a mistake to find at the start.
func TestEventLogWithoutConnection(t *testing.T) {
	cfg := newDaemonConfig(t, t.TempDir(), "http://127.0.0.1:1")
	cfg.env = append(cfg.env, "HOOKD_EVENT_LOG_CONNECTION=analytics")
	out, err := cfg.fails(t)
	if err == nil || !strings.Contains(out, `event_log.connection`) || !strings.Contains(out, `HOOKD_EVENT_LOG_CONNECTION: event_log.connection: there is no connection "analytics"`) {
		t.Errorf("%v\n%s", err, out)
	}
}

// fails runs a daemon that does not start.
func (c daemonConfig) fails(t *testing.T) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), c.bin, "serve", "--webhooks", "webhooks.json", "--connections", "connections.json",
		"--listen", c.listen, "--admin-listen", c.admin, "--data-dir", c.data)
	cmd.Dir, cmd.Env = c.dir, append(os.Environ(), c.env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}
