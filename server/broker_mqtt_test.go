package server_test

import (
	"fmt"
	"path"
	"testing"

	"github.com/hookd/hookd/internal/testinfra"
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
