package server_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/server/admin"
)

func rabbitFarEnd(t *testing.T) farEnd {
	s := testinfra.RabbitMQ(t)
	t.Logf("RabbitMQ %s, read back with pika", s.Version)
	_, port := testinfra.Split(s.Addr)
	peer := testinfra.NewPeer(t, "pika", "../modules/rabbitmq/testdata/peer.py", strconv.Itoa(port), testinfra.RabbitVhost, s.User, s.Password)
	queue := testinfra.Unique(t)
	return farEnd{
		module: "rabbitmq",
		addr:   s.Addr,
		connection: func(addr string) string {
			host, port := testinfra.Split(addr)
			return fmt.Sprintf(`{"host": %q, "port": %d, "user": %q, "pass": %q, "vhost": %q}`, host, port, s.User, s.Password, testinfra.RabbitVhost)
		},
		options: fmt.Sprintf(`{"queue_name": %q}`, queue),
		ids: func() []string {
			line, err := json.Marshal([]string{"ids", queue})
			if err != nil {
				t.Fatal(err)
			}
			return peer.Ask(string(line))
		},
		kill:    func() { s.Kill(t); s.Start(t) },
		restart: func() { s.Restart(t) },
	}
}

// What the broker refuses for good is a dead letter with the broker's own
// reason; the rest of what was accepted beside it arrives.
func TestRabbitMQDeadLetters(t *testing.T) {
	for name, c := range map[string]struct {
		change     func(*farEnd)
		pad        int
		code, note string
	}{
		"no right": {
			func(f *farEnd) {
				as := f.connection
				f.connection = func(addr string) string {
					return strings.Replace(as(addr), `"user": "hookd"`, `"user": "`+testinfra.RabbitGuest+`"`, 1)
				}
			}, 100, "auth_failed", "ACCESS_REFUSED",
		},
		"too large": {func(*farEnd) {}, testinfra.RabbitMaxMessage, "too_large", "larger than configured max size"},
	} {
		t.Run(name, func(t *testing.T) {
			f := rabbitFarEnd(t)
			c.change(&f)
			cfg := f.configure(t, f.addr)
			cfg.env = append(cfg.env, "HOOKD_LIMITS_STRING=16MiB")
			d := cfg.start(t)
			book := newLedger()
			send := newSender("http://"+cfg.listen, book)
			small := len(send.pad)
			for n, pad := range []int{small, c.pad, small} {
				send.pad = strings.Repeat("x", pad)
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
			ids := f.ids()
			if len(book.accepted) != 3 || len(page.Events) == 0 || len(page.Events)+len(ids) != 3 {
				t.Errorf("accepted %d, dead %d, read back %d; refused %v", len(book.accepted), len(page.Events), len(ids), book.refused)
			}
			for _, e := range page.Events {
				got := e.Deliveries[0]
				if got.Code != c.code || !strings.Contains(got.Note, c.note) || got.Attempts != 1 {
					t.Errorf("after %d attempts: %s: %s", got.Attempts, got.Code, got.Note)
				}
			}
			d.stop(t)
		})
	}
}
