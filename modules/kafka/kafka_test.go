package kafka_test

import (
	"testing"

	"github.com/hookd/hookd/modules/kafka"
	"github.com/hookd/hookd/modules/moduletest"
)

// TestKafka is the whole suite against Apache Kafka.
func TestKafka(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module: kafka.Module(),
		Start: func(t *testing.T) *moduletest.Far {
			return newBroker(t, 3).far("")
		},
		Bad: []moduletest.Bad{
			{Options: `{}`, Path: "topic"},
			{Options: `{"topic": "a/b"}`, Want: "letters", Path: "topic"},
			{Options: `{"topic": ".."}`, Want: "..", Path: "topic"},
			{Options: `{"topic": "a", "key": "x", "key_expr": ".x"}`, Want: "exclude", Path: "key_expr"},
			{Options: `{"topic": "a", "key_expr": ".x |"}`, Path: "key_expr"},
			{Options: `{"topic": "a", "partition": -1}`, Path: "partition"},
			{Options: `{"topic": "a", "compression": "brotli"}`, Want: "zstd", Path: "compression"},
			{Options: `{"topic": "a", "headers": {"Hookd-Hook": "x"}}`, Want: "set by hookd", Path: "headers"},
			{Options: `{"topic": "a", "max_message_bytes": 10}`, Path: "max_message_bytes"},
			{Connection: `{"bootstrap_servers": ""}`, Want: "empty", Path: "bootstrap_servers"},
			{Connection: `{"bootstrap_servers": "kafka:99999"}`, Want: "host", Path: "bootstrap_servers"},
			{Connection: `{"sasl_username": "x", "sasl_password": "y"}`, Want: "SCRAM", Path: "sasl_mechanism"},
			{Connection: `{"sasl_username": "x", "sasl_mechanism": "PLAIN"}`, Want: "required", Path: "sasl_password"},
			{Connection: `{"sasl_mechanism": "PLAIN"}`, Want: "required", Path: "sasl_username"},
			{Connection: `{"security_protocol": "SASL_SSL"}`, Want: "sasl_username", Path: "security_protocol"},
			{Connection: `{"security_protocol": "PLAINTEXT", "tls": true}`, Want: "SSL", Path: "security_protocol"},
			{Connection: `{"request_timeout": 0}`, Want: "1 second", Path: "request_timeout"},
			{Connection: `{"client_id": ""}`, Want: "ASCII", Path: "client_id"},
		},
	})
}
