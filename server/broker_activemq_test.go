package server_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/server/admin"
)

func activeFarEnd(t *testing.T) farEnd {
	s := testinfra.ActiveMQ(t)
	t.Logf("ActiveMQ %s, read back with stomp.py", s.Version)
	_, port := testinfra.Split(s.Addr)
	queue := testinfra.Unique(t)
	return farEnd{
		module: "activemq",
		addr:   s.Addr,
		connection: func(addr string) string {
			host, port := testinfra.Split(addr)
			return fmt.Sprintf(`{"host": %q, "port": %d, "user": %q, "password": %q}`, host, port, s.User, s.Password)
		},
		options: fmt.Sprintf(`{"destination": %q}`, queue),
		// It begins to listen in the end: the messages are kept until then.
		ids: func() []string {
			peer := testinfra.NewPeer(t, "stomp", "../modules/activemq/testdata/peer.py", strconv.Itoa(port), s.User, s.Password, "/queue/"+queue)
			return peer.Ask(`["ids"]`)
		},
		kill:    func() { s.Kill(t); s.Start(t) },
		restart: func() { s.Restart(t) },
	}
}

// What the broker refuses for good is a dead letter with the broker's own
// reason, after one attempt; the rest of what was accepted beside it arrives.
func TestActiveMQDeadLetters(t *testing.T) {
	for name, c := range map[string]struct {
		user       string
		pad        int
		code, note string
	}{
		"no right":  {testinfra.ActiveMQGuest, 100, "auth_failed", "not authorized to write"},
		"too large": {"hookd", testinfra.ActiveMQMaxMessage, "too_large", "maximum data length"},
	} {
		t.Run(name, func(t *testing.T) {
			f := activeFarEnd(t)
			as := f.connection
			f.connection = func(addr string) string {
				return strings.Replace(as(addr), `"user": "hookd"`, `"user": "`+c.user+`"`, 1)
			}
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
