// Package gcppubsub publishes deliveries to topics of Google Cloud Pub/Sub.
package gcppubsub

import "github.com/hookd/hookd/modules"

const doc = `
**When a delivery counts.** A delivery counts when Pub/Sub has answered with the message's id: the message is then stored in several zones. Many messages share a request.
Whether anybody is subscribed to the topic is not looked at: Pub/Sub drops messages of a topic without a subscription.

**What is sent.** The delivered bytes as the data. The attributes are ` + "`hookd-event-id`, `hookd-delivery-id`, `hookd-hook`, `hookd-attempt`, `traceparent`, `content-type`" + `, the
configured ones, and the sender's headers in lower case, as far as Pub/Sub takes them: at most 100, with names up to 256 and values up to 1024 bytes. Others of the sender's are left out.

**Duplicates.** A delivery may be there twice; ` + "`hookd-delivery-id`" + ` is the same on every attempt.

**Order.** Messages with the same ` + "`ordering_key`" + ` are received in the order in which they were published, by subscriptions that ask for it.

**What a failure means.**

| Pub/Sub | outcome |
|---|---|
| answers with an id | delivered |
| has no such topic (` + "`NOT_FOUND`" + `) | tried again, ` + "`not_found`" + `; with ` + "`create`" + ` it is created |
| ` + "`UNAUTHENTICATED`, `PERMISSION_DENIED`" + ` | tried again, ` + "`auth_failed`" + `: an operator can give rights, they hold with a delay, and nothing is lost meanwhile |
| ` + "`RESOURCE_EXHAUSTED`" + ` | tried again, ` + "`throttled`" + `, after a second |
| ` + "`INVALID_ARGUMENT`" + ` | dead letter at once, ` + "`refused`" + `; the others of its request are sent by themselves |
| message larger than 10 MB | dead letter at once, ` + "`too_large`" + ` |
| ` + "`UNAVAILABLE`, `DEADLINE_EXCEEDED`, `ABORTED`, `INTERNAL`" + ` or no answer | tried again, connected anew where the connection is gone |

**Credentials** come from ` + "`credentials_json` or `credentials_path`" + `, from the file that ` + "`GOOGLE_APPLICATION_CREDENTIALS`" + ` names, or with ` + "`instance_metadata`" + ` from the metadata
service of the machine. Publishing needs the right ` + "`pubsub.topics.publish`, `create` also `pubsub.topics.create`" + `.
`

// Module declares the module.
func Module() modules.Module {
	return modules.Define(modules.Definition[Connection, Options, *client]{
		Name:            "gcp_pubsub",
		Title:           "Google Cloud Pub/Sub",
		Summary:         "Publishes each event to a Pub/Sub topic.",
		Doc:             doc,
		ConnectionTypes: []string{"gcp_pubsub"},
		Guarantee:       modules.Keyed,
		Open:            open,
		New: func(_ modules.Env, k *client, o *Options) (modules.Destination, error) {
			return &destination{client: k, o: o, topic: o.topic(k.project)}, nil
		},
	})
}

var (
	_ modules.BatchDestination = (*destination)(nil)
	_ modules.Checker          = (*destination)(nil)
	_ modules.Conn             = (*client)(nil)
	_ modules.Egress           = (*Connection)(nil)
)
