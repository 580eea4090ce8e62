// Package pebble is the embedded queue: a durable work list on one disk, in
// one process, on github.com/cockroachdb/pebble.
//
// # What is stored
//
// One ordered key space; the first byte of a key says what it is. IDs are the
// 16 bytes of the event ID, lanes 4 bytes big-endian, times 8 bytes of
// nanoseconds since 1970, big-endian.
//
//	key                     value                                  written by    removed by
//	!format                 "hookd queue, format 1\n"              Open          never
//	l <name>                lane number                            first use     never
//	w lane                  no r key of the lane is below this ID  janitor       overwritten
//
//	e id                    facts and headers of the event         Put           retention
//	b id                    body, S2 where that helps; not if empty  Put         retention
//	k sha256(key)[:16]      id and expiry of a dedupe key or mark  Put           sweep
//	r lane id               (nothing) owed since the Put           Put           Settle
//	d lane due id           attempts so far; owed from due on      Settle, Replay   Settle
//	h id lane               state of a delivery after the Put      Settle, Replay   retention
//	x id lane               (nothing) dead letter                  Settle        Replay, Purge
//
// A delivery is owed exactly while it has an r or a d key, and never has both:
//
//	Put ──▶ r ──Claim──▶ lease ──Done, Filtered──▶ h
//	                     │  ▲ └───Dead────────────▶ h + x ──Replay──▶ d
//	                Later│  │Claim                    └──Purge──▶ h
//	                     ▼  │
//	                     d ─┘
//
// An r key is set once in its life, so it is removed by a single delete, which
// vanishes together with it in the first compaction that sees both. Bodies lie
// apart from everything that lists and scans.
//
// # How it is written
//
// All writes pass through one commit loop (group.go). Callers add their
// mutations to the open group under one lock, which also gives events their
// IDs, so that IDs, commits and acknowledgements have the same order. The loop
// hands a group to Pebble as one batch; a second goroutine waits for the fsync
// of the write-ahead log and only then tells the callers. Settles ride along
// and do not wait for the fsync: the log keeps them behind their Puts.
//
//	Put ─┐                         ┌─ apply ─▶ settles are told
//	Put ─┼─▶ open group ─▶ commit ─┤
//	Settle┘                        └─ fsync ─▶ puts are told, lanes wake up
//
// A Claim reads the r keys of its lane behind a cursor, up to the newest ID
// that was acknowledged, and the d keys that are due. It writes nothing:
// leases, and what comes back uncounted, live in memory (lane.go), a few
// hundred bytes for each delivery that a worker holds and none for the backlog.
//
// # When the disk fails
//
// Pebble panics or exits when its log cannot be written. So it never hears of
// it: guardfs.go stands between Pebble and the disk, and with the first write,
// sync, create or rename that fails the store is frozen. From then on nothing
// reaches the disk, no sync is tried again, and the commit loop fails every
// caller that was not told before. A full disk is tried again by opening the
// store anew once there is room (heal.go); anything else stays read-only until
// the process is restarted.
package pebble
