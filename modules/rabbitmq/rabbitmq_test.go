package rabbitmq_test

import (
	"fmt"
	"testing"

	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules/moduletest"
	"github.com/hookd/hookd/modules/rabbitmq"
)

// TestQueue is the form that the original service had: a queue's name.
func TestQueue(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module: rabbitmq.Module(),
		Start: func(t *testing.T) *moduletest.Far {
			b := newBroker(t)
			far := b.far(fmt.Sprintf(`{"queue_name": %q}`, b.queue))
			far.Restart = func() {
				// RabbitMQ forgets a queue that was declared a moment before it is
				// killed, with all that it confirmed for it: see the module's page.
				b.RabbitCtl(t, "eval", "mnesia:sync_log().")
				b.Kill(t)
				b.Start(t)
			}
			return far
		},
		Bad: []moduletest.Bad{
			{Options: `{}`, Want: "without exchange", Path: "queue_name"},
			{Options: `{"queue_name": "a", "routing_key": "b"}`, Want: "needs an exchange", Path: "routing_key"},
			{Options: `{"queue_name": "amq.x"}`, Want: "for itself", Path: "queue_name"},
			{Options: `{"queue_name": "a", "headers": {"Hookd-Hook": "x"}}`, Want: "set by hookd", Path: "headers"},
			{Options: `{"queue_name": "a", "expiration": 0}`, Want: "1 millisecond", Path: "expiration"},
			{Options: `{"queue_name": "a", "queue_type": "stream"}`, Want: "quorum", Path: "queue_type"},
			{Connection: `{"port": 70000}`, Path: "port"},
			{Connection: `{"pass": ""}`, Want: "empty", Path: "pass"},
			{Connection: `{"heartbeat": 0}`, Want: "1 second", Path: "heartbeat"},
			{Connection: `{"tls": {"cert_file": "x"}}`, Want: "go together", Path: "tls"},
		},
	})
}

// TestExchange publishes by an exchange, with a queue that is declared and bound.
func TestExchange(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module: rabbitmq.Module(),
		Start: func(t *testing.T) *moduletest.Far {
			b := newBroker(t)
			exchange := b.queue + ".x"
			b.do("exchange", exchange, "topic")
			far := b.far(fmt.Sprintf(`{"queue_name": %q, "exchange": %q, "routing_key": "github.push"}`, b.queue, exchange))
			far.Break = func() { b.do("delete_exchange", exchange) }
			far.Deny = func() (allow func()) {
				write := func(what string) {
					b.RabbitCtl(t, "set_permissions", "-p", testinfra.RabbitVhost, b.User, ".*", what, ".*")
				}
				write("^$")
				return func() { write(".*") }
			}
			return far
		},
	})
}
