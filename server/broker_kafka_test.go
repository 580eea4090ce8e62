package server_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/hookd/hookd/internal/testinfra"
)

func kafkaFarEnd(t *testing.T) farEnd {
	s := testinfra.Kafka(t)
	t.Logf("Kafka %s, read back with librdkafka", s.Version)
	peer := testinfra.NewPeer(t, "confluent_kafka", "../modules/kafka/testdata/peer.py", s.Addr)
	topic := testinfra.Unique(t)
	ask := func(op string, more ...any) []string {
		line, err := json.Marshal(append([]any{op, topic}, more...))
		if err != nil {
			t.Fatal(err)
		}
		return peer.Ask(string(line))
	}
	ask("create", 3)
	return farEnd{
		module:     "kafka",
		addr:       s.Addr,
		connection: func(addr string) string { return fmt.Sprintf(`{"bootstrap_servers": %q}`, addr) },
		options:    fmt.Sprintf(`{"topic": %q}`, topic),
		proxy:      func() *testinfra.Proxy { return s.FixedProxy(t) },
		ids:        func() []string { return ask("ids") },
		kill:       func() { s.Kill(t); s.Start(t) },
		restart:    func() { s.Restart(t) },
	}
}

// What Kafka refuses for good is a dead letter with Kafka's own reason; the rest
// of what was accepted beside it arrives.
func TestKafkaDeadLetters(t *testing.T) {
	s := testinfra.Kafka(t)
	for name, c := range map[string]struct {
		change     func(*farEnd)
		pad        int
		code, note string
	}{
		"no right": {
			func(f *farEnd) {
				f.connection = func(string) string {
					return fmt.Sprintf(`{"bootstrap_servers": %q, "idempotent": false, "sasl_mechanism": "SCRAM-SHA-256", "sasl_username": %q, "sasl_password": %q, "tls": {"ca_file": %q}}`,
						s.TLSAddr, testinfra.KafkaGuest, s.Password, s.Certs.CA)
				}
			}, 100, "auth_failed", "not authorized",
		},
		"too large": {
			func(f *farEnd) { f.options = strings.Replace(f.options, "{", `{"max_message_bytes": 4194304, `, 1) },
			testinfra.KafkaMaxMessage, "too_large", "too large",
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := kafkaFarEnd(t)
			c.change(&f)
			f.deadLetters(t, c.pad, c.code, c.note)
		})
	}
}
