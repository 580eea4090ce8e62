package server_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/hookd/hookd/internal/testinfra"
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
