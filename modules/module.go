// Package modules defines what a destination is and how one is declared.
//
// A module does only what it alone can do: speak to its far end. Retries,
// reconnects, batching, limits, time-outs, panics, logging and metrics stand
// once, in the host (server/deliver).
package modules

import (
	"context"
	"log/slog"
	"net"
	"net/http"

	"github.com/hookd/hookd/internal/event"
)

// Destination takes deliveries.
//
// Send returns nil only when the far end has taken responsibility: a publisher
// confirm, a commit, a 2xx. It may be called from many goroutines at once. It
// returns soon after ctx ends. It never changes the delivery. Send is never
// called after Close of its connection has begun. An error is classified by
// FailureOf; an error that says nothing is retried.
type Destination interface {
	Send(ctx context.Context, d *event.Delivery) (event.Receipt, error)
}

// BatchDestination is a Destination that does better with many at once.
// SendBatch returns one Result per delivery, in order; one bad delivery does
// not sink the rest. A batch never exceeds BatchLimit, except that a single
// delivery may be larger than bytes. A zero limit means no limit.
type BatchDestination interface {
	Destination
	SendBatch(ctx context.Context, ds []*event.Delivery) []Result
	BatchLimit() (items, bytes int)
}

// Result is the outcome of one delivery of a batch.
type Result struct {
	Receipt event.Receipt
	Err     error
}

// Checker tests reachability and rights without sending an event. A connection
// or a Destination may implement it; `hookd doctor` calls it. It is read-only
// and bounded by ctx.
type Checker interface {
	Check(ctx context.Context) error
}

// Conn is an open connection that destinations share. Close flushes what was
// taken, and leaves no goroutine behind; the host calls it once, after the last
// Send has returned.
type Conn interface {
	Close(ctx context.Context) error
}

// Egress is implemented by options or connections that carry an allow-list of
// their own (allowed_hosts): host names, addresses or CIDRs that this
// destination may reach although the egress policy would refuse them.
type Egress interface {
	AllowedHosts() []string
}

// HeaderForwarder is implemented by options that forward some of the sender's
// headers. The names it returns are kept although they look like credentials:
// naming one is the operator's decision.
type HeaderForwarder interface {
	ForwardedHeaders() []string
}

// Env is everything that a module may reach for. Dialing goes through it, so
// that the network guard cannot be walked around.
type Env struct {
	Log *slog.Logger
	// Dial connects after the egress policy has looked at the address that is
	// really dialled.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// HTTP uses Dial, follows no proxy from the environment, and does not
	// decompress.
	HTTP http.RoundTripper
	// Owner names this process to the far end: "hookd/1.4.0 (host-7)".
	Owner string
}
