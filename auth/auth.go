// Package auth defines how a caller proves who they are and how each proof is
// declared. Every proof can be checked (Verifier) and, where a sender can
// produce it, made (Signer): `hookd test-send` signs with the same code that
// serve verifies with.
package auth

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// Request is the part of an HTTP request that a proof can depend on. Verify
// never changes it; Sign adds to Header, URL and Body.
type Request struct {
	Method string
	// URL is the request target as it was received: Path, RawPath and RawQuery
	// are the sender's own. Host is the Host header.
	URL    *url.URL
	Host   string
	Header http.Header
	// Peer is the address of the connection; Remote is the client after trusted
	// proxies. They are equal where no proxy is trusted.
	Peer   netip.Addr
	Remote netip.Addr
	TLS    *tls.ConnectionState // nil for plain HTTP
	// Body is the bytes as sent, before any content coding is undone.
	Body []byte
	Now  time.Time
}

// Identity is who proved themselves.
type Identity struct {
	Method  string
	Subject string // "hmac:0", "basic:ci"; safe to log, never a secret
}

// Cost orders the proofs of a hook: cheap before expensive, remote last.
type Cost uint8

// The costs, in the order in which proofs are checked.
const (
	CostAddress Cost = iota // looks at the peer; checked before the body is read
	CostHeader              // looks at headers and the query
	CostBody                // computes over the body
	CostRemote              // asks another service
)

// Verifier checks a request. A nil error lets it pass. Any other is a refusal;
// a *Denial says more. It is safe for concurrent use, keeps nothing of r, and
// compares secrets in constant time. A verifier of CostAddress or CostHeader
// never looks at Body, which may be nil then.
type Verifier interface {
	Verify(ctx context.Context, r *Request) (Identity, error)
	Cost() Cost
}

// Signer makes a request pass. Now, Method, URL and Body are set by the caller.
type Signer interface {
	Sign(ctx context.Context, r *Request) error
}

// Preparer adds what a sender puts into a request besides its proof: headers
// such as User-Agent, the event's name, the delivery id. Headers that are set
// already stay. An empty event or deliveryID is left out or replaced by a
// usual one. It is called before Sign, which may cover what it sets.
type Preparer interface {
	Prepare(r *Request, event, deliveryID string)
}

// Challenger is a Verifier whose scheme has a challenge for WWW-Authenticate
// (RFC 9110 section 11.6.1). r is the refused request.
type Challenger interface {
	Challenge(r *Request) string
}

// Sourced is a Verifier that knows where its credentials travel, so that they
// can be refused when doubled, and removed before anything is stored.
type Sourced interface {
	CredentialHeaders() []string // canonical names
	CredentialParams() []string  // query parameters
}

// Marks are what a verified request says about itself.
type Marks struct {
	DeliveryID string // the sender's own id; "" when it has none
	// Covered reports whether the proof covers DeliveryID. Where it does not, a
	// digest of the body is mixed into the dedupe key.
	Covered bool
	Type    string // event type; may be empty
	Window  time.Duration
}

// Marker is a Verifier that can tell a sender's delivery id and event type.
// Mark is called only after Verify let the request pass.
type Marker interface {
	Mark(r *Request) Marks
}

// Replays remembers marks, so that a captured request works once. It is safe
// for concurrent use.
type Replays interface {
	// Seen records key until the time given and reports whether it was there.
	Seen(ctx context.Context, key string, until time.Time) (bool, error)
}

// Env is everything that a proof may reach for.
type Env struct {
	Log     *slog.Logger
	HTTP    http.RoundTripper // through the network guard; nil offline
	Replays Replays           // nil offline
}
