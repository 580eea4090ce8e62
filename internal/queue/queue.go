// Package queue is the durable work list between accepting an event and
// delivering it. It knows events and lanes, and nothing of HTTP, modules or
// configuration.
//
// A lane is one destination of one hook. Each lane is a queue of its own: its
// backlog, its delayed retries and its dead letters cost the other lanes
// nothing.
package queue

import (
	"context"
	"errors"
	"time"

	"github.com/hookd/hookd/internal/event"
)

// Errors that every backend returns, possibly wrapped.
var (
	// ErrFull: the queue holds as much as it may, or the disk has too little
	// left. Nothing was stored. It heals by itself as work is settled.
	ErrFull = errors.New("queue is full")
	// ErrReadOnly: a write to stable storage failed, so nothing more is
	// accepted and nothing was acknowledged. The wrapping error says what
	// failed and what to do. What was being written when it failed may turn
	// out to be there after a restart, as when a context ends.
	ErrReadOnly = errors.New("queue is read-only after a failed write")
	// ErrLost: the lease of the claim is gone: it expired, or was settled.
	ErrLost = errors.New("claim is no longer held")
	// ErrReplayed: a mark in Item.Once was stored before. Nothing was stored.
	ErrReplayed = errors.New("was accepted before")
	// ErrNotFound: no such event or dead letter.
	ErrNotFound = errors.New("not found")
	// ErrClosed: the queue was closed.
	ErrClosed = errors.New("queue is closed")
)

// Item is what Put stores: an event, and the lanes that it owes a delivery to.
type Item struct {
	// Event is stored as it is, but for its ID: a zero ID is set by Put, in an
	// order that never goes back.
	Event *event.Event
	// Lanes get one delivery each, in the same atomic write. Empty: the event
	// is kept in the history only.
	Lanes []string
	// DedupeKey, when not empty, makes a second Put of the same key within
	// DedupeWindow of the first a duplicate. Keys are compared whole; the
	// caller scopes them (by hook).
	DedupeKey    string
	DedupeWindow time.Duration
	// Once are marks that no Put before may have stored, in the same atomic
	// write: otherwise nothing is stored and Put returns ErrReplayed, also for
	// a duplicate by DedupeKey.
	Once []Once
}

// Once is a mark that is stored until a time. Keys are compared whole; the
// caller scopes them (by hook).
type Once struct {
	Key   string
	Until time.Time
}

// Put is the answer of Queue.Put.
type Put struct {
	ID    event.ID // of the event that is stored now, or was before
	Fresh bool     // false: a duplicate; nothing was stored
}

// Claim is one delivery on lease to a worker. Its fields are read-only.
type Claim struct {
	Event   *event.Event
	ID      event.ID // the delivery's
	Lane    string
	Attempt int // 1 for the first; uncounted attempts are not in it
	// Ready is when the delivery became due: the event's acceptance or the
	// retry's time.
	Ready time.Time

	// Token belongs to the backend.
	Token any
}

// Outcome is how an attempt ended.
type Outcome uint8

// The outcomes of an attempt.
const (
	Done     Outcome = iota // the far end took responsibility
	Filtered                // a filter said no: final, and not a failure
	Later                   // try again at At
	Dead                    // no more attempts: to the dead letters
)

// Verdict settles one claim.
type Verdict struct {
	Claim   *Claim
	Outcome Outcome
	// At is when to try again, for Later. A time that is past means now.
	At time.Time
	// Uncounted, with Later: the attempt does not count (hookd shut down, the
	// connection was not open).
	Uncounted bool
	// Next, with any final outcome, is a lane that gets a delivery of the same
	// event in the same atomic write: the next step of a sequential chain.
	Next string
	// Code is the stable slug of why ("timeout", "http_404"); Note a line for
	// a person: the receipt, or the error without secrets. Note is cut at 2 KiB.
	Code string
	Note string
}

// Depth counts the deliveries of a lane.
type Depth struct {
	Ready   int // due now, unclaimed
	Delayed int // waiting for a retry
	Leased  int // with a worker
	Dead    int
	// Oldest is when the oldest unsettled delivery was accepted; zero when
	// there is none. It may lag behind by a few seconds.
	Oldest time.Time
}

// Queue is the durable work list. All methods are safe for concurrent use.
// The cost of Put, Claim and Settle, and the memory that the queue takes, do
// not grow with the backlog.
type Queue interface {
	// Put stores the item. A nil error is a promise: the event and all its
	// deliveries survive a crash and a power cut. It returns ErrFull,
	// ErrReadOnly, ErrClosed or the context's error; then nothing that was
	// not there before will ever be delivered, save when the context ended, or
	// the storage failed (ErrReadOnly), while the write was under way.
	Put(ctx context.Context, it Item) (Put, error)

	// Claim waits for at least one due delivery of the lane and leases up to
	// max of them, oldest first; fewer where the bodies of more would take too
	// much memory. A lease that is neither settled nor renewed in
	// time makes the delivery due again, uncounted. A lane that was never heard
	// of is an empty lane. While the queue is read-only nothing is due, for no
	// outcome could be stored.
	Claim(ctx context.Context, lane string, max int, lease time.Duration) ([]*Claim, error)

	// Renew extends the lease to lease from now; ErrLost when it is gone.
	Renew(ctx context.Context, c *Claim, lease time.Duration) error

	// Settle ends the claims, all or none. ErrLost (wrapped) names a claim
	// whose lease is gone; the others are settled all the same. Settle is
	// ordered but not synced: after a crash a settled delivery may come again,
	// an unsettled one is never lost.
	Settle(ctx context.Context, vs ...Verdict) error

	// Depth counts all lanes that hold anything.
	Depth(ctx context.Context) (map[string]Depth, error)

	// Close ends waiting Claims with ErrClosed, puts all that is leased back,
	// uncounted, and releases the storage.
	Close(ctx context.Context) error

	History
}
