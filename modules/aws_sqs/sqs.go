// Package awssqs sends deliveries to queues of Amazon SQS, or of a server that
// speaks its protocol.
package awssqs

import "github.com/hookd/hookd/modules"

const doc = `
**When a delivery counts.** A delivery counts when SQS has answered with the message's id and with a checksum of the body that is the right one: the message is
then stored on several machines. Up to 10 messages share a request, and each has an answer of its own: one that is refused does not take the others with it.

**What is sent.** The delivered bytes as the body. SQS takes only text that XML can hold, and no empty one: any other body is sent in base64, and the attribute ` +
	"`hookd-body-encoding`" + ` then says ` + "`base64`" + `. A body of no bytes is a line feed with that attribute, which is base64 for nothing. The attributes are ` +
	"`hookd-event-id`, `hookd-delivery-id`, `hookd-hook`, `hookd-attempt`, `traceparent`, `content-type`" + `, the configured ones, and the sender's headers in lower case.
SQS takes 10 attributes: those that do not fit, or whose name or value it refuses, are in the attribute ` + "`hookd-headers`" + `, a JSON object.

**Duplicates.** A FIFO queue has the delivery's id as the deduplication id: SQS drops what it has had in the last 5 minutes, a replay among it. On other queues, and after
that time, a delivery may be there twice; ` + "`hookd-delivery-id`" + ` is the same on every attempt.

**FIFO queues** have a name that ends in ` + "`.fifo`" + `. What shares a ` + "`message_group_id`" + ` is read in the order in which it was sent. One that SQS would refuse (empty, longer than 128,
or not visible ASCII) is replaced by its SHA-256.

**What a failure means.**

| SQS | outcome |
|---|---|
| answers with an id and the right checksum | delivered |
| has no such queue | tried again, ` + "`not_found`" + `; with ` + "`create`" + ` it is created |
| finds no, wrong or expired credentials, or no right to send | tried again, ` + "`auth_failed`" + `: an operator can give rights, they hold with a delay, and nothing is lost meanwhile |
| throttles | tried again, ` + "`throttled`" + `, after a second |
| takes no message of this size (1 MiB with attributes, or the queue's own limit) | dead letter at once, ` + "`too_large`" + ` |
| refuses the characters of the body | dead letter at once, ` + "`refused`" + ` |
| refuses anything else | tried again, ` + "`refused`" + ` |
| does not answer, or fails | tried again |

**Rights.** ` + "`sqs:SendMessage`" + `; with ` + "`queue_name`" + ` also ` + "`sqs:GetQueueUrl`" + `; with ` + "`create`" + ` also ` + "`sqs:CreateQueue`" + `; ` + "`sqs:GetQueueAttributes`" + ` lets the check tell more. Credentials are
never taken from a metadata service unless ` + "`instance_metadata`" + ` says so.
`

// Module declares the module.
func Module() modules.Module {
	return modules.Define(modules.Definition[Connection, Options, *client]{
		Name:            "aws_sqs",
		Title:           "Amazon SQS",
		Summary:         "Sends each event to an SQS queue, standard or FIFO.",
		Doc:             doc,
		ConnectionTypes: []string{"aws_sqs"},
		Guarantee:       modules.Keyed,
		Open:            open,
		New:             newDestination,
	})
}

var (
	_ modules.BatchDestination = (*destination)(nil)
	_ modules.Checker          = (*destination)(nil)
	_ modules.Conn             = (*client)(nil)
	_ modules.Egress           = (*Connection)(nil)
)
