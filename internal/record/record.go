// Package record keeps what happened: counters and a log of recent facts. Every
// stage tells it; telling never blocks.
package record

import (
	"net/netip"
	"time"

	"github.com/hookd/hookd/internal/event"
)

// Kind is what a Fact is about.
type Kind uint8

// The kinds of fact.
const (
	Accepted  Kind = iota // an event is in the queue
	Duplicate             // a request within the dedupe window of an earlier one
	Refused               // a request was refused
	Delivered             // a delivery was settled Done
	Filtered
	Retried // an attempt failed, another will follow
	Died    // a delivery went to the dead letters
	Breaker // a lane's breaker changed its state; Code is "open", "half_open", "closed"
	Handshake
)

// String is the word used in the API and in metrics.
func (k Kind) String() string {
	if int(k) < len(kinds) {
		return kinds[k]
	}
	return "unknown"
}

var kinds = [...]string{"accepted", "duplicate", "refused", "delivered", "filtered", "retried", "died", "breaker", "handshake"}

// MarshalText writes the word.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Fact is one thing that happened. It holds no secret and no payload.
type Fact struct {
	Time     time.Time
	Kind     Kind
	Hook     string
	Lane     string
	Event    event.ID // of a refused request: its id in the quarantine, zero where it is not kept
	Type     string
	Attempt  int
	Status   int           // HTTP status that the sender got
	Code     string        // stable slug
	Note     string        // a line for a person
	Bytes    int           // of the body
	Duration time.Duration // of the request or the attempt
	NextTry  time.Time     // for Retried
	Next     string        // lane that this settlement gave a delivery to: the next step of a chain
	Remote   netip.Addr
	Request  string // request id
}
