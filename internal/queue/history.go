package queue

import (
	"context"
	"time"

	"github.com/hookd/hookd/internal/event"
)

// Status is where one delivery of an event stands.
type Status string

// The states of a delivery.
const (
	StatusPending   Status = "pending"   // due or leased
	StatusDelayed   Status = "delayed"   // waiting for a retry
	StatusDelivered Status = "delivered" // settled Done
	StatusFiltered  Status = "filtered"
	StatusDead      Status = "dead"
)

// DeliveryState is what the history knows of one delivery.
type DeliveryState struct {
	ID       event.ID
	Lane     string
	Status   Status
	Attempts int
	Updated  time.Time // of the last attempt; zero before it
	NextTry  time.Time // for StatusDelayed
	Code     string    // of the last verdict
	Note     string
}

// Record is an event in the history with its deliveries, in the order of
// their lanes' names. List leaves Event.Body and Event.Header nil; Size is the
// length of the body in either case.
type Record struct {
	Event      *event.Event
	Size       int
	Deliveries []DeliveryState
}

// Filter narrows a list. Zero fields do not narrow. The fields are and-ed.
type Filter struct {
	Hook   string
	Lane   string
	Status Status // at least one delivery (of Lane, where set) has it
	Type   string
	Since  time.Time // accepted at or after
	Until  time.Time // accepted before
}

// Page is one page of a list. A Next that is empty is the last page's.
type Page struct {
	Records []Record
	Next    string // opaque cursor
}

// History is what the queue remembers, within its limits of age and bytes.
// What is not settled is never forgotten.
type History interface {
	// Get returns one event whole, or ErrNotFound.
	Get(ctx context.Context, id event.ID) (Record, error)
	// List returns up to limit records, newest first, from the cursor on ("" is
	// the newest).
	List(ctx context.Context, f Filter, cursor string, limit int) (Page, error)
	// Dead is List for dead letters alone; a record lists its dead deliveries
	// only. The cost of a page depends on the dead letters, not on the history.
	Dead(ctx context.Context, f Filter, cursor string, limit int) (Page, error)
	// Replay makes deliveries due again with a fresh count of attempts: those of
	// lane, or with an empty lane those the event had at first; a lane that the
	// event never had is allowed. A delivery that is still pending is left
	// alone; a dead one is revived, and its dead letter goes, in the same
	// synced write. It returns how many became due.
	Replay(ctx context.Context, id event.ID, lane string) (int, error)
	// Purge removes the dead letters that match, and returns how many. With
	// ids only those events' dead letters are looked at.
	Purge(ctx context.Context, f Filter, ids ...event.ID) (int, error)
}
