// Package kafka writes deliveries to a topic of Apache Kafka, or of another
// cluster that speaks its protocol.
package kafka

import "github.com/hookd/hookd/modules"

const doc = `
**When a delivery counts.** Every message waits for all in-sync replicas (acks=all), whatever the configuration says; how many those must be is the topic's
` + "`min.insync.replicas`" + `. Messages are numbered (idempotent producer): what is repeated within one connection, because an answer was lost or a leader changed, is stored once.
A message is there twice only when hookd had to open another connection before it knew that the first was stored, or stopped at that moment.

**What is sent.** The delivered bytes as the value, never changed; the key of ` + "`key` or `key_expr`" + `, none without; and as headers, with names in lower case, the sender's own
(with ` + "`forward_headers`), the configured `headers`, and `hookd-event-id`, `hookd-delivery-id`, `hookd-hook`, `hookd-attempt`, `traceparent` and `content-type`" + `. A header with several values is there several
times. ` + "`hookd-delivery-id`" + ` is the same on every attempt: a consumer can drop what it has seen.

**Partitions.** With a key the partition is the one that Kafka's own Java client chooses (murmur2). Without one it is chosen by the delivery's id, so that a repeat lands where the first was.
The order of events of one key is kept as far as the hook's own settings keep it.

**Topics** are not created by being written to. With ` + "`create`" + ` a missing one is made with the cluster's defaults.

**What a failure means.**

| the cluster | outcome |
|---|---|
| stored it on all in-sync replicas | delivered |
| has no such topic or partition | tried again, ` + "`not_found`" + `: it may come; dead letter after the last attempt |
| has too few in-sync replicas | tried again, ` + "`kafka_not_enough_replicas`" + ` |
| has no leader for the partition | tried again, ` + "`unavailable`" + ` |
| refuses for want of rights | tried again, ` + "`auth_failed`" + `: an operator can give them, and nothing is lost meanwhile |
| finds the message too large, or hookd does (` + "`max_message_bytes`" + `) | dead letter at once, ` + "`too_large`" + `; the others of its batch are sent |
| finds the message wrong: without a key for a compacted topic, against a policy | dead letter at once, ` + "`refused`" + `; the others of its batch are sent |
| is not reached, or does not answer | connected anew, then tried again |
| does not let hookd in | tried again without using attempts up, ` + "`auth_failed`" + ` |
| asks for more time (quotas) | sent more slowly |
`

// Module declares the module.
func Module() modules.Module {
	return modules.Define(modules.Definition[Connection, Options, *client]{
		Name:            "kafka",
		Title:           "Apache Kafka",
		Summary:         "Writes each event to a Kafka topic and waits for all in-sync replicas.",
		Doc:             doc,
		ConnectionTypes: []string{"kafka"},
		Guarantee:       modules.Keyed,
		Open:            open,
		New:             newDestination,
	})
}

var (
	_ modules.BatchDestination = (*destination)(nil)
	_ modules.Checker          = (*destination)(nil)
	_ modules.Conn             = (*client)(nil)
)
