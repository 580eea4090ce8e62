// Package redispublish publishes deliveries on a Redis channel.
package redispublish

import (
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/redisconn"
)

const doc = `
**When a delivery counts.** When Redis has answered ` + "`PUBLISH`" + `. **Redis keeps nothing:** it hands a message to those who are subscribed at that moment, and whoever is away, slow, or cut off never gets it. How many there were is
in the delivery's receipt; with ` + "`require_receivers`" + ` none is a failure, and the delivery is tried again until somebody listens. Where each event counts, use ` + "`redis_stream`" + `.

**What is sent.** With ` + "`format`: `json`" + `, as the original service did, a JSON object: ` + "`payload`" + `, the delivered body, byte for byte where it is JSON, and as a JSON string where it is other text; ` + "`payload_base64`" + ` instead where it is
neither; and ` + "`headers`" + `, an object with names in lower case: the sender's (unless ` + "`forward_headers`" + ` is false), the configured ones, and ` + "`hookd-event-id`, `hookd-delivery-id`, `hookd-hook`, `hookd-attempt` and `traceparent`" + `.
With ` + "`raw`" + ` the delivered bytes and nothing else.

**Repeats.** When an answer is lost the message is published again, in JSON with the same ` + "`hookd-delivery-id`" + `.

**Rights.** ` + "`PUBLISH`" + ` on the channel. The check asks with ` + "`MULTI`" + ` and ` + "`DISCARD`, with `ACL DRYRUN`, or in a script (`EVAL`, Redis 7), and publishes nothing; without the right to any of them it publishes an empty message on the channel `hookd-check`" + `.

**What a failure means.**

| Redis | outcome |
|---|---|
| answers with the number of receivers | delivered |
| answers 0, and ` + "`require_receivers`" + ` is set | tried again, ` + "`redis_no_receivers`" + `
` + redisconn.Doc

// Module declares the module.
func Module() modules.Module {
	return modules.Define(modules.Definition[redisconn.Connection, Options, *redisconn.Client]{
		Name:            "redis_publish",
		Title:           "Redis channel",
		Summary:         "Publishes each event on a Redis channel, to whoever is subscribed at that moment.",
		Doc:             doc,
		ConnectionTypes: redisconn.Types(),
		Guarantee:       modules.Keyed,
		Open:            redisconn.Open,
		New: func(_ modules.Env, c *redisconn.Client, o *Options) (modules.Destination, error) {
			return &destination{client: c, o: o}, nil
		},
	})
}

var (
	_ modules.BatchDestination = (*destination)(nil)
	_ modules.Checker          = (*destination)(nil)
	_ modules.Conn             = (*redisconn.Client)(nil)
)
