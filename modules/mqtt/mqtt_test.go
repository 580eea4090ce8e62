package mqtt_test

import (
	"fmt"
	"testing"

	"github.com/hookd/hookd/modules/moduletest"
	"github.com/hookd/hookd/modules/mqtt"
)

func TestQoS1(t *testing.T) { suite(t, 1) }

func TestQoS2(t *testing.T) { suite(t, 2) }

// suite runs with the delivery's id as the last level of the topic. A broker of
// MQTT 3.1.1 can refuse nothing and shows no rights: there is no Refuse and no
// Break. A killed Mosquitto forgets: Restart stops it.
func suite(t *testing.T, qos int) {
	moduletest.Run(t, moduletest.Harness{
		Module: mqtt.Module(),
		Start: func(t *testing.T) *moduletest.Far {
			b := newBroker(t)
			far := b.far(fmt.Sprintf(`{"topic": "%s/{hook}/{type}/{uuid}", "qos": %d}`, b.topic, qos))
			far.Restart = func() { b.Restart(t) }
			return far
		},
		Bad: []moduletest.Bad{
			{Options: `{}`, Want: "is required", Path: "topic"},
			{Options: `{"topic": "a/+/b"}`, Want: "wildcard", Path: "topic"},
			{Options: `{"topic": "a/#"}`, Want: "wildcard", Path: "topic"},
			{Options: `{"topic": "$SYS/x"}`, Want: "broker's own", Path: "topic"},
			{Options: `{"topic": "a//b"}`, Want: "empty level", Path: "topic"},
			{Options: `{"topic": "a--b"}`, Want: "double hyphen", Path: "topic"},
			{Options: `{"topic": "/"}`, Want: "empty", Path: "topic"},
			{Options: `{"topic": "a\u0000b"}`, Want: "control character", Path: "topic"},
			{Options: `{"topic": "a/{webhook_id}"}`, Want: "{hook}", Path: "topic"},
			{Options: `{"topic": "a", "topic_prefix": "b/#"}`, Want: "wildcard", Path: "topic_prefix"},
			{Options: `{"topic": "a", "topic_prefix": " "}`, Want: "empty", Path: "topic_prefix"},
			{Options: `{"topic": "a", "qos": 3}`, Path: "qos"},
			{Options: `{"topic": "a", "tasmota_format": true, "command": "x/+"}`, Want: "wildcard", Path: "device_name"},
			{Connection: `{"port": 70000}`, Path: "port"},
			{Connection: `{"host": " "}`, Want: "empty", Path: "host"},
			{Connection: `{"keepalive": 70000}`, Want: "65535", Path: "keepalive"},
			{Connection: `{"client_id": "a\u0001"}`, Want: "control character", Path: "client_id"},
			{Connection: `{"tls": true, "tls_cert_file": "x"}`, Want: "go together", Path: "tls_cert_file"},
			{Connection: `{"tls": {"ca_file": "a"}, "tls_ca_cert_file": "b"}`, Want: "two files", Path: "tls_ca_cert_file"},
			{Connection: `{"max_in_flight": 0}`, Path: "max_in_flight"},
		},
	})
}
