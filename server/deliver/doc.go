// Package deliver brings what is in the queue to its destinations. Everything
// that all destinations need stands here once: filters, transforms, formats,
// retries, time-outs, batches, breakers, panics, dead letters.
//
//	            ┌──────────────── one runner for each lane ────────────────┐
//	queue ──Claim──▶ filter ▶ cleanup ▶ transform ▶ format ▶ Send(Batch) ──┼──▶ settler ──Settle──▶ queue
//	            │  paused? breaker open? then nothing is claimed           │       └────────────▶ record
//	            └──────────────────────────────────────────────────────────┘
//
// # What counts as an attempt
//
// An attempt counts when the delivery was given to the module, whatever came of
// it: an error, a time-out, a panic, a connection lost on the way. What never
// reached the module does not count: hookd shutting down, a lane whose breaker
// opened in between, a connection that could not be opened. So an outage uses up
// no attempts of the backlog. The probe of an open breaker is an attempt like
// any other, made when the policy of that delivery says it is due; a delivery
// that can never succeed therefore reaches the dead letters.
//
// # What a reload does
//
// Engine.Apply takes the whole set of lanes. A lane keeps its work, its pause
// and, if its fingerprint is the same, its breaker and its destination. What
// lies in the queue for a lane that is not configured any more becomes a dead
// letter with the code destination_removed, which can be revived.
package deliver
