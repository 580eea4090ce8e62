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

	"github.com/hookd/hookd/internal/secret"
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
	// Once are marks that only one accepted request may have: a nonce, the id
	// of a token. They are checked and stored in the same durable write as the
	// event, after every proof of the hook has held, so that a refused request
	// uses none up.
	Once []Once

	held []held // which alternatives of groups held
}

// Once is a mark that may be accepted once. Key is scoped by the hook and the
// method, and holds no secret.
type Once struct {
	Key   string
	Until time.Time // forgotten after it: the proof refuses the request by then
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

// Handshake answers the requests with which a sender makes sure that the hook
// expects it. It is safe for concurrent use.
type Handshake interface {
	// Answer is asked twice: before the proofs with verified false, and after
	// them with true. It returns nil for any other request, and for a handshake
	// that has to prove itself while verified is false. Requests that are no
	// POST are refused where it returns nil both times.
	Answer(ctx context.Context, r *Request, verified bool) *Answer
}

// Answer is a complete response.
type Answer struct {
	Status int // 0 is 200
	Header map[string]string
	Body   []byte
	// Err says why the handshake is refused: a *Denial, for the log. Status is
	// 4xx or 5xx then, and Header and Body are not used: the sender learns no
	// more than from any other refusal.
	Err error
}

// Shaker is a Verifier whose sender has a handshake; nil: it has none.
type Shaker interface {
	Handshake() Handshake
}

// Challenged is a Signer that signs the challenge of a refusal: the sender
// sends a first request without a proof, and a second one with the answer.
type Challenged interface {
	// SignChallenge is Sign with the values of WWW-Authenticate of the first
	// answer. An error says that none of them can be answered.
	SignChallenge(ctx context.Context, r *Request, challenges []string) error
}

// Captures keeps secrets that a sender hands over in its handshake. It is safe
// for concurrent use.
type Captures interface {
	// Get is the secret of the hook; ok is false while there is none.
	Get(hook string) (s secret.String, ok bool)
	// Put keeps the first secret of the hook, durably. It reports false, and
	// keeps nothing, where there is one already.
	Put(ctx context.Context, hook string, s secret.String) (bool, error)
}

// Env is everything that a proof may reach for.
type Env struct {
	Log      *slog.Logger
	HTTP     http.RoundTripper // through the network guard; nil offline
	Hook     string            // id of the hook; "" where none is served
	Captures Captures          // nil offline
}
