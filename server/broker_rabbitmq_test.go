package server_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"

	"github.com/hookd/hookd/internal/testinfra"
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
