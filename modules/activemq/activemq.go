// Package activemq sends deliveries to ActiveMQ Classic or Artemis, or to
// another broker that speaks STOMP 1.2.
package activemq

import (
	"github.com/hookd/hookd/modules"
)

const doc = `
**When a delivery counts.** Every message asks for a receipt and counts when the broker has sent it. A persistent message, the default, is then in the broker's
store. Messages that wait at the same time share a transaction, which costs the broker one write to its disk, on up to ` + "`connections`" + ` connections; each is answered by itself, and one that is refused
does not take the others with it.

A **topic** keeps a message for the durable subscribers that it knows and hands it to those that listen now. Where there are neither, the broker sends the receipt and throws the
message away; STOMP has no way to tell. Send to a queue, or to a virtual topic (` + "`VirtualTopic.orders`" + `) that queues are bound to, where that is a loss.

**What is sent.** The delivered bytes as the body, with ` + "`content-length`" + `, so that consumers by JMS get a BytesMessage; ` + "`persistent`; `content-type`; `_AMQ_DUPL_ID`" + `: the delivery's id, the same on every
attempt; and as headers, with names in lower case, the sender's own (unless ` + "`forward_headers` is false), the configured `headers`, and `hookd-event-id`, `hookd-delivery-id`, `hookd-hook`, `hookd-attempt` and `traceparent`" + `.
Several values of one header are joined with a comma. A sender's header whose name means something to a broker (` + "`destination`, `receipt`, `content-length`, `transaction`, `expires`, `reply-to`, `AMQ_...`, `JMS...`" + ` and others) is left out.

**Repeats.** Artemis drops a message whose ` + "`_AMQ_DUPL_ID`" + ` it has seen at the address (its ` + "`id-cache-size`" + ` says how far back) and sends the receipt all the same. ActiveMQ Classic does not look at it: there a repeat,
which a lost receipt makes of all that shared its transaction, arrives twice with the same ` + "`hookd-delivery-id`" + `, and the consumer can drop it.

**What a failure means.**

| the broker | outcome |
|---|---|
| sends the receipt | delivered |
| refuses for want of rights | tried again, ` + "`auth_failed`" + `: an operator can give them, and nothing is lost meanwhile |
| finds the message or its headers too large | dead letter at once, ` + "`too_large`" + `; the others of its batch are sent |
| says that its memory or store is full | tried again, ` + "`throttled`" + ` |
| holds the receipt back, which is how ActiveMQ Classic slows producers down when it is full | tried again, ` + "`timeout`" + ` |
| sends another ERROR | tried again, ` + "`activemq_error`" + ` |
| closes the connection, or is gone | connected anew, then tried again |
| does not let hookd in: user, password | tried again without using attempts up, ` + "`auth_failed`" + ` |

After an ERROR the connection that it came on is not used again. The others stay.
`

// Module declares the module.
func Module() modules.Module {
	return modules.Define(modules.Definition[Connection, Options, *client]{
		Name:            "activemq",
		Title:           "ActiveMQ",
		Summary:         "Sends each event to an ActiveMQ queue or topic by STOMP and waits for the broker's receipt.",
		Doc:             doc,
		ConnectionTypes: []string{"activemq"},
		Guarantee:       modules.Keyed,
		Open:            open,
		New: func(_ modules.Env, k *client, o *Options) (modules.Destination, error) {
			return &destination{client: k, o: o}, nil
		},
	})
}

var (
	_ modules.BatchDestination = (*destination)(nil)
	_ modules.Checker          = (*destination)(nil)
	_ modules.Conn             = (*client)(nil)
)
