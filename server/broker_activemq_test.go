package server_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/hookd/hookd/internal/testinfra"
)

func activeFarEnd(t *testing.T) farEnd {
	s := testinfra.ActiveMQ(t)
	t.Logf("ActiveMQ %s, read back with stomp.py", s.Version)
	_, port := testinfra.Split(s.Addr)
	queue := testinfra.Unique(t)
	read := func() []string {
		peer := testinfra.NewPeer(t, "stomp", "../modules/activemq/testdata/peer.py", strconv.Itoa(port), s.User, s.Password, "/queue/"+queue)
		return peer.Ask(`["ids"]`)
	}
	return farEnd{
		module: "activemq",
		addr:   s.Addr,
		connection: func(addr string) string {
			host, port := testinfra.Split(addr)
			return fmt.Sprintf(`{"host": %q, "port": %d, "user": %q, "password": %q}`, host, port, s.User, s.Password)
		},
		options: fmt.Sprintf(`{"destination": %q}`, queue),
		// It begins to listen in the end: the messages are kept until then.
		ids:     read,
		kept:    func() []string { s.Restart(t); return read() },
		kill:    func() { s.Kill(t); s.Start(t) },
		restart: func() { s.Restart(t) },
	}
}

// What the broker refuses is a dead letter with the broker's own reason; the rest
// of what was accepted beside it arrives.
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
			f.deadLetters(t, c.pad, c.code, c.note)
		})
	}
}
