// Package redisstream appends deliveries to a Redis stream.
package redisstream

import (
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/redisconn"
)

const doc = `
**When a delivery counts.** When Redis has answered ` + "`XADD`" + ` with the id of the entry. What that is worth is the server's setting: only with ` + "`appendonly yes`" + ` and ` + "`appendfsync always`" + `
is the entry on disk by then, and a failover to a replica may lose what was not replicated. hookd warns in its log when it opens a connection to a server without an append-only file, or one that removes keys when memory is full.

**What is stored.** An entry with the field ` + "`payload`" + `: the delivered bytes; ` + "`headers`" + `: a JSON object of the sender's headers (unless ` + "`forward_headers`" + ` is false) and the configured ones,
with names in lower case; and a field each for ` + "`hookd-event-id`, `hookd-delivery-id`, `hookd-hook`, `hookd-attempt`, `traceparent` and `content-type`" + `.

**Repeats.** hookd delivers at least once: when an answer is lost the entry is added again, with the same ` + "`hookd-delivery-id`" + `, by which a reader can drop it. With ` + "`deduplicate`" + ` Redis drops it: behind the entry a key is
set, ` + "`{<stream>}:hookd:<delivery id>`" + `, that remembers the delivery for so long, and a repeat adds nothing. A crash of Redis between the two can still lead to a second entry, never to none. It needs the rights to
` + "`EVAL`, `EVALSHA`, `GET`, `SET`, `XADD` and `XREVRANGE`" + `.

**Length.** Without ` + "`maxlen`" + ` a stream grows until memory is full. With it Redis removes the oldest entries, **also those that nobody has read**.

**What a failure means.**

| Redis | outcome |
|---|---|
| answers with an id | delivered |
| has no such stream, and ` + "`create`" + ` is false | tried again, ` + "`not_found`" + ` |
| has something else under the name (` + "`WRONGTYPE`" + `) | tried again, ` + "`redis_wrongtype`" + `
` + redisconn.Doc

// Module declares the module.
func Module() modules.Module {
	return modules.Define(modules.Definition[redisconn.Connection, Options, *redisconn.Client]{
		Name:            "redis_stream",
		Title:           "Redis stream",
		Summary:         "Appends each event to a Redis stream with XADD.",
		Doc:             doc,
		ConnectionTypes: redisconn.Types(),
		Guarantee:       modules.Keyed,
		Open:            redisconn.OpenStore,
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
