// Package s3 stores deliveries as objects of Amazon S3, or of a server that
// speaks its protocol.
package s3

import "github.com/hookd/hookd/modules"

const doc = `
**When a delivery counts.** A delivery counts when the far end has answered with the tag of the object. It was given the body's checksum before the body, and refuses
bytes that are not those; S3 itself has then stored the object on several machines. Where ` + "`server_side_encryption`" + ` is set, the answer must confirm it. There is one
request for each object, whatever its size: nothing is uploaded in parts, and no half of an object is ever there.

**What is stored.** The delivered bytes, unchanged: indenting, as the original service did it, would be a change. ` + "`format: \"envelope\"` or a `transform`" + ` of the chain item
makes another body. The metadata are ` + "`hookd-event-id`, `hookd-delivery-id`, `hookd-hook`, `hookd-attempt` and `traceparent` and, with `include_headers`" + `, the sender's headers in lower
case with ` + "`_` for `-`: `x-amz-meta-x_github_event`" + `. Values that are not printable ASCII are encoded words (RFC 2047), as S3 itself writes them. S3 takes 2 KB of
metadata: what does not fit is left out, and ` + "`hookd-headers-left-out`" + ` counts it.

**Keys** are ` + "`prefix/partition/filename`" + `, by default ` + "`webhooks/2026/03/04/05/webhook_<delivery id>.json`" + `. All in a key is the same on every attempt: the time is that at which the event
was received, and the id is the delivery's. A pattern without an id gets one added. Texts of the sender lose all but letters, digits, ` + "`.`, `_` and `-`" + ` and what is beyond 100 bytes, so that none leads out of its folder.

**Duplicates.** A repeat of a delivery, after a lost answer or by a replay, has the key of the first and overwrites it: a reader never finds two objects. It may be
notified twice, and a bucket with versions has two of them; ` + "`if_exists: \"keep\"`" + ` prevents both where the far end knows ` + "`If-None-Match`" + `.

**Many in one object.** With ` + "`ndjson`" + ` the events that wait when a worker is free become lines of one object, up to ` + "`batch_events` and `batch_bytes`" + `; a quiet hook has objects
of one line. hookd does not wait for more. A line is an object with ` + "`id`" + ` (of the event), ` + "`hook`, `type`, `received`, `delivery`" + ` (what the metadata have otherwise), with ` + "`include_headers`" + `
` + "`headers`" + `, and at the end the body: JSON as ` + "`body`" + `, byte for byte but for line feeds between its values; other text as ` + "`body_text`" + `; other bytes as ` + "`body_base64`" + `.
Events whose keys differ by more than the id, such as those of two hours, have different objects. The id of an object is made from the ids of its deliveries: the same batch again overwrites itself.
After a failure, though, its events may be grouped anew, and where the answer was lost, the first object is there as well: **the same event can be a line of two objects**.
` + "`delivery.hookd-delivery-id`" + ` tells. Who must not have that stores an object for each event.

**What a failure means.**

| S3 | outcome |
|---|---|
| answers with a tag | delivered |
| answers without a tag, or without the encryption that was asked for | tried again, ` + "`bad_answer` or `s3_not_encrypted`" + ` |
| has no such bucket | tried again, ` + "`not_found`" + `; hookd creates none |
| finds no, wrong or expired credentials, or no right | tried again, ` + "`auth_failed`" + `: rights come with a delay, and nothing is lost meanwhile |
| has the bucket in another region | tried again, ` + "`s3_wrong_region`" + `, with the region where it is known; hookd does not follow |
| finds the clocks apart by more than 15 minutes | tried again, ` + "`s3_clock_skew`" + `, with both; requests are then signed with the far end's time |
| asks for time (` + "`SlowDown`" + `, 503, 429) | tried again, ` + "`throttled`, after `Retry-After`" + ` or a second |
| takes no object of this size | dead letter at once, ` + "`too_large`" + `; of a batch, only the event that is to blame |
| refuses the key | dead letter at once, ` + "`refused`" + ` |
| is full | tried again, ` + "`disk_full`" + ` |
| refuses anything else (a storage class, a key for encryption) | tried again, ` + "`refused`" + ` |
| does not answer, fails, or got other bytes than were sent | tried again |

**The check** of ` + "`hookd doctor`" + ` asks for the bucket and sends an object with a wrong checksum: it is refused, for want of rights where they are missing, and nothing is
stored. A far end that takes it does not look at checksums, and is reported.

**Rights.** ` + "`s3:PutObject`" + ` on the keys; with a key of KMS also ` + "`kms:GenerateDataKey`; with `acl` also `s3:PutObjectAcl`. `s3:ListBucket`" + ` lets the check tell more. Credentials are never taken from a metadata
service unless ` + "`instance_metadata`" + ` says so.
`

// Module declares the module.
func Module() modules.Module {
	return modules.Define(modules.Definition[Connection, Options, *client]{
		Name:            "s3",
		Title:           "Amazon S3",
		Summary:         "Stores each event as an object in S3 or a compatible store, or many as lines of one.",
		Doc:             doc,
		ConnectionTypes: []string{"s3"},
		// A repeat overwrites the object of its delivery. Lines of an object of
		// many can come again in another, and carry the delivery's id.
		Guarantee: modules.Keyed,
		Open:      open,
		New:       newDestination,
	})
}

var (
	_ modules.Destination      = (*destination)(nil)
	_ modules.BatchDestination = (*batches)(nil)
	_ modules.Checker          = (*destination)(nil)
	_ modules.Conn             = (*client)(nil)
	_ modules.Egress           = (*Connection)(nil)
)
