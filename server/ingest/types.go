// Package ingest turns a request into a durable event: it proves, checks and
// stores, and knows nothing of where the event goes.
package ingest

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/record"
)

// Request is a request to a hook, freed of the HTTP framework. It must not
// outlive the call of Accept. Header becomes Accept's own: it is changed, and
// kept with the event.
type Request struct {
	ID        string // request id, for the log and the answer
	Method    string
	Namespace string // "" for /webhook/{id}
	Hook      string // as in the path
	URL       *url.URL
	Host      string
	Header    http.Header
	Peer      netip.Addr
	TLS       *tls.ConnectionState
	Length    int64 // declared; -1 when unknown
	Body      io.Reader
	Received  time.Time
}

// Hooks finds the hook of a request: one snapshot of the configuration for the
// whole request. release is called when the request is done.
type Hooks interface {
	Hook(id string) (h *Hook, release func(), ok bool)
}

// Hook is a compiled hook. It is immutable; what it points to is safe for
// concurrent use.
type Hook struct {
	ID    string
	Lanes []string // that get a delivery at Put

	Auth *auth.Chain // never nil; empty when there is no proof
	// Client finds the client's address behind trusted proxies. An error
	// refuses the request.
	Client func(peer netip.Addr, h http.Header) (netip.Addr, error)
	Limit  Limiter // nil is no limit
	Body   Body
	Dedupe Dedupe
	// Handshake answers a sender's verification requests; nil has none.
	Handshake auth.Handshake
	// Forward are credential-looking headers that a destination names; they are
	// kept with the event.
	Forward []string

	Reply Reply
}

// Limiter is a sliding window. It is safe for concurrent use.
type Limiter interface {
	// Allow takes one place for the client, or says how long until one is free.
	Allow(client netip.Addr, now time.Time) (wait time.Duration, ok bool)
}

// Body is what a hook accepts as a body.
type Body struct {
	Type  string                                                           // "json", "form", "blob"
	Max   int64                                                            // bytes, as sent and after decompression; 0 is DefaultMaxBody
	Check func(ctx context.Context, contentType string, body []byte) error // *Refusal
}

// Dedupe says what makes two requests the same.
type Dedupe struct {
	// Key returns the hook's own key; nil uses the proof's Marks. An empty key
	// is never a duplicate.
	Key func(ctx context.Context, r *auth.Request, body []byte) (string, error)
	// Window is how long a key is remembered; 0 takes the Marks' window, and no
	// deduplication where that is 0 too.
	Window time.Duration
}

// Reply is what the sender is told on acceptance.
type Reply struct {
	Status int // 0 is 200
	Body   string
	Header map[string]string
	// Delivered waits until every lane is settled, at most until the request's
	// context ends, and tells the outcome.
	Delivered bool
}

// Accepted is the answer of Gate.Accept for a request that is stored, or that
// was a handshake.
type Accepted struct {
	ID        event.ID
	Duplicate bool
	Hook      *Hook
	Answer    *auth.Answer // of a handshake: nothing was stored, ID is zero
	Outcome   *Outcome     // with Reply.Delivered; nil when it is not known in time
}

// Outcome is how the deliveries of an event ended.
type Outcome struct {
	Delivered, Filtered, Dead int
}

// Waiter knows when an event is settled. It is safe for concurrent use.
type Waiter interface {
	// Wait returns when no delivery of the event is open any more, also when
	// that was before the call; otherwise the context's error.
	Wait(ctx context.Context, id event.ID) (Outcome, error)
}

// Recorder is told what happened. Tell never blocks and is safe for concurrent
// use.
type Recorder interface {
	Tell(f record.Fact)
}

// Refusal is why a request is not accepted. Public is all that the sender
// learns; Code and Err are for the log.
type Refusal struct {
	Status     int
	Code       string // stable slug, also sent: "malformed_json", "unauthorized"
	Public     string // the "detail" of the problem document
	Challenge  string // WWW-Authenticate
	RetryAfter time.Duration
	Violations []Violation // of a JSON Schema
	Reason     string      // the slug for the log only, where Code must not say it
	Err        error
	// Asked: the first request of a scheme of challenge and answer, not a fault.
	Asked bool
}

// Violation is one breach of a JSON Schema.
type Violation struct {
	Pointer string `json:"pointer"` // RFC 6901
	Detail  string `json:"detail"`
}

// Error is for the log.
func (r *Refusal) Error() string {
	if r.Err != nil {
		return r.Code + ": " + r.Err.Error()
	}
	return r.Code
}

// Unwrap is the cause.
func (r *Refusal) Unwrap() error { return r.Err }
