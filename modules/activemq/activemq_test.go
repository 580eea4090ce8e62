package activemq_test

import (
	"fmt"
	"testing"

	"github.com/hookd/hookd/modules/activemq"
	"github.com/hookd/hookd/modules/moduletest"
)

// deny takes the right to send away, which takes a restart.
func deny(t *testing.T, b *broker) func() (allow func()) {
	return func() func() {
		b.ActiveMQWriters(t, "nobody")
		return func() { b.ActiveMQWriters(t, "users") }
	}
}

func TestQueue(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module: activemq.Module(),
		Start: func(t *testing.T) *moduletest.Far {
			b := newBroker(t, "queue")
			far := b.far(fmt.Sprintf(`{"destination": %q}`, b.name))
			far.Restart = func() {
				b.Kill(t)
				b.Start(t)
			}
			far.Deny = deny(t, b)
			return far
		},
		Bad: []moduletest.Bad{
			{Options: `{"destination": ""}`, Want: "empty", Path: "destination"},
			{Options: `{"destination": "/queue/"}`, Want: "no name", Path: "destination"},
			{Options: `{"destination": "a\nreceipt:1"}`, Want: "control characters", Path: "destination"},
			{Options: `{"destination": "/topic/a", "destination_type": "queue"}`, Want: "/topic/", Path: "destination_type"},
			{Options: `{"destination": "a", "destination_type": "temp-queue"}`, Want: "topic", Path: "destination_type"},
			{Options: `{"destination": "a", "headers": {"Hookd-Hook": "x"}}`, Want: "set by hookd", Path: "headers"},
			{Options: `{"destination": "a", "headers": {"receipt": "x"}}`, Want: "set by hookd", Path: "headers"},
			{Options: `{"destination": "a", "headers": {"a:b": "x"}}`, Want: "no name", Path: "headers"},
			{Options: `{"destination": "a", "expiration": 0}`, Want: "1 millisecond", Path: "expiration"},
			{Connection: `{"port": 70000}`, Path: "port"},
			{Connection: `{"password": "x"}`, Want: "no user", Path: "password"},
			{Connection: `{"heartbeat": 0}`, Want: "1 second", Path: "heartbeat"},
			{Connection: `{"tls": {"cert_file": "x"}}`, Want: "go together", Path: "tls"},
		},
	})
}

// TestTopic has a subscriber that listens from the start.
func TestTopic(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module: activemq.Module(),
		Start: func(t *testing.T) *moduletest.Far {
			b := newBroker(t, "topic")
			far := b.far(fmt.Sprintf(`{"destination": %q, "destination_type": "topic"}`, b.name))
			far.Break = func() { t.Cleanup(deny(t, b)()) }
			return far
		},
	})
}
