package server_test

import (
	"fmt"
	"path"
	"strings"
	"testing"

	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/server/admin"
)

// mqttFarEnd is restarted and never killed: Mosquitto acknowledges before it
// writes to disk, and loses what it took since the last time.
func mqttFarEnd(t *testing.T) farEnd {
	s := testinfra.Mosquitto(t)
	t.Logf("Mosquitto %s, read back with mosquitto_sub", s.Version)
	topic := "hookd/" + testinfra.Unique(t)
	reader := s.Subscriber(t, 1, topic)
	return farEnd{
		module: "mqtt",
		addr:   s.Addr,
		connection: func(addr string) string {
			host, port := testinfra.Split(addr)
			return fmt.Sprintf(`{"host": %q, "port": %d, "username": %q, "password": %q}`, host, port, s.User, s.Password)
		},
		options: fmt.Sprintf(`{"topic": "%s/{uuid}"}`, topic),
		ids: func() []string {
			var ids []string
			for _, m := range reader.Messages() {
				ids = append(ids, path.Base(m.Topic))
			}
			return ids
		},
		restart: func() { s.Restart(t) },
	}
}

// What is larger than the broker takes is a dead letter with its reason; the
// rest of what was accepted beside it arrives.
func TestMQTTDeadLetters(t *testing.T) {
	f := mqttFarEnd(t)
	connection := f.connection
	f.connection = func(addr string) string {
		return strings.TrimSuffix(connection(addr), "}") + `, "max_message_size": "64KiB"}`
	}
	cfg := f.configure(t, f.addr)
	d := cfg.start(t)
	book := newLedger()
	send := newSender("http://"+cfg.listen, book)
	small := send.pad
	for n, pad := range []string{small, strings.Repeat("x", 64<<10), small} {
		send.pad = pad
		send.send(n)
	}
	send.client.CloseIdleConnections()
	drain(t, cfg, d)
	client := admin.Client{BaseURL: "http://" + cfg.admin, HTTP: admin.NewHTTPClient()}
	defer client.HTTP.CloseIdleConnections()
	page, err := client.Dead(t.Context(), admin.Filter{}, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(f.ids()); len(book.accepted) != 3 || len(page.Events) != 1 || n != 2 {
		t.Fatalf("accepted %d, dead %d, read back %d; refused %v", len(book.accepted), len(page.Events), n, book.refused)
	}
	if got := page.Events[0].Deliveries[0]; got.Code != "too_large" || !strings.Contains(got.Note, "more than 65536") || got.Attempts != 1 {
		t.Errorf("after %d attempts: %s: %s", got.Attempts, got.Code, got.Note)
	}
	d.stop(t)
}
