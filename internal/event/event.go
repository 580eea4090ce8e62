// Package event holds the vocabulary that both halves of hookd share: an
// accepted webhook, and one delivery of it to one lane.
package event

import (
	"net/http"
	"net/netip"
	"time"
)

// Event is one accepted webhook. It is immutable once it is in the queue: Body
// is the bytes as they were received, byte for byte.
type Event struct {
	ID       ID
	Hook     string // the configured hook id, without a namespace
	Type     string // the sender's name for what happened ("push"); may be empty
	Received time.Time
	Remote   netip.Addr  // the client, after trusted proxies
	Subject  string      // who proved themselves ("hmac:github"); safe to log
	Query    string      // raw query string, without credential parameters
	Header   http.Header // the sender's headers, without credentials
	Body     []byte
}

// Delivery is one attempt to bring an event to one lane. A module reads Header
// and Body and nothing else of the event unless its options ask for it.
type Delivery struct {
	ID      ID // DeliveryID(Event.ID, Lane): the same on every attempt and after a crash
	Event   *Event
	Lane    string // "github/http_webhook-1"
	Attempt int    // 1 for the first

	// Header is what hookd says about the delivery: Hookd-Event-Id,
	// Hookd-Delivery-Id, Hookd-Hook, Hookd-Attempt, traceparent, Content-Type.
	// A module places it wherever its far end has headers or attributes. The
	// sender's own headers are Event.Header.
	Header http.Header

	// Body is what to deliver: the event's own bytes unless a transform, a
	// cleanup or a format changed them.
	Body []byte
}

// Receipt is what a far end said when it took responsibility. It is kept in
// the history for a person to read and is safe to show.
type Receipt struct {
	Status string // "204 No Content", "offset 17", "/var/spool/x.json"
}
