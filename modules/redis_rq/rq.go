// Package redisrq queues deliveries as jobs for workers of RQ, the job queue in
// Python.
package redisrq

import (
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/redisconn"
)

const doc = `
**When a delivery counts.** When Redis has the job and its place in the queue. What that is worth is the server's setting: only with ` + "`appendonly yes`" + ` and ` + "`appendfsync always`" + ` is the
job on disk by then, and a failover to a replica may lose what was not replicated. hookd warns in its log when it opens a connection to a server without an append-only file, or one that removes keys when memory is full.
That the job *ran* is not part of it: a job that raises is RQ's to keep and to run again.

**The call.** A worker calls ` + "`function(payload, headers)`" + `, as with the original service. ` + "`payload`" + ` is the value of a JSON body, and the bytes of any other; with the serializer ` + "`json`" + `, which has none, its text, from which ` + "`payload.encode(\"utf-8\", \"surrogateescape\")`" + ` makes the bytes;
` + "`payload`" + ` in the options chooses another form. ` + "`headers`" + ` is a dict with names in lower case: the sender's (unless ` + "`forward_headers`" + ` is false), the configured ones, and ` + "`hookd-event-id`, `hookd-delivery-id`, `hookd-hook`, `hookd-attempt` and `traceparent`" + `.
Numbers keep their value: whole ones become ` + "`int`" + ` of any size, others ` + "`float`" + `. Half of a UTF-16 surrogate pair becomes U+FFFD in a pickle.

**The serializer** must be the worker's: ` + "`pickle`" + ` is RQ's own default, ` + "`json`" + ` is for ` + "`rq worker -S rq.serializers.JSONSerializer`" + `. With the wrong one every job fails with a DeserializationError, which hookd does not see.
hookd writes pickles of plain data only, and never reads one.

**Repeats.** The job's id is the delivery's. hookd delivers at least once, but as long as RQ keeps the job, queued, running, failed or finished, a repeat changes nothing. RQ keeps a finished job for ` + "`result_ttl`" + `, 500 s unless set, and a failed one for
` + "`failure_ttl`" + `, a year unless set; after that, or when somebody deletes it, a repeat runs again. Where that matters more than memory, set ` + "`result_ttl`" + ` to more than a delivery is retried: 2 days.

Tried with RQ 1.13 and 3.0. RQ itself writes in transactions, and Redis up to the end of 2025 leaves transactions out when it loads its append-only file while the user ` + "`default`" + ` is off: a restart loses what RQ wrote
since the last rewrite, though not what hookd did. ` + "`user default off ~* &* +@all`" + ` keeps that user out all the same, and loses nothing.

**Rights.** ` + "`EVAL`, `EVALSHA`, `SADD`, `EXISTS`, `HSET`, `HMGET`, `LRANGE` and `RPUSH` on `rq:*`" + `. RQ does not work on a cluster.

**What a failure means.**

| Redis | outcome |
|---|---|
| has the job | delivered |
| has something else under the name of the queue (` + "`WRONGTYPE`" + `) | tried again, ` + "`redis_wrongtype`" + `
| – (the body cannot be handed over in the form that is wanted) | dead letter at once, ` + "`redis_payload`" + `
` + redisconn.Doc

// Module declares the module.
func Module() modules.Module {
	return modules.Define(modules.Definition[redisconn.Connection, Options, *redisconn.Client]{
		Name:            "redis_rq",
		Title:           "Redis RQ",
		Summary:         "Queues each event as a job for a worker of RQ (Redis Queue, in Python).",
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
