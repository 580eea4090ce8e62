// Package edge is the public HTTP listener: routes, limits of the protocol,
// security headers and the form of every answer. What happens to a webhook is
// decided in package ingest.
package edge

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/hookd/hookd/server/ingest"
)

// Acceptor is the part of ingest.Gate that the edge needs.
type Acceptor interface {
	Accept(ctx context.Context, r *ingest.Request) (ingest.Accepted, error)
}

// Options are all that the edge depends on. Only Gate is required; the zero
// value of every other field is its default.
type Options struct {
	Gate Acceptor
	Log  *slog.Logger     // slog.Default
	Now  func() time.Time // time.Now

	// Draining reports that hookd shuts down: webhooks are answered with 503
	// and their connections closed.
	Draining func() bool
	// Ready returns why hookd should get no webhooks now; nil means it should.
	// The text is not shown.
	Ready func(ctx context.Context) error
	// Health is asked by GET /health.
	Health func(ctx context.Context) Health
	// RootLimit bounds GET / per client; nil is no limit.
	RootLimit ingest.Limiter
	// Mount are further routes: /stats, /openapi.json, /docs, /admin. Their
	// handlers find the security headers set, and may replace them.
	Mount []Route

	Security Security // DefaultSecurity
	// Origins may read answers from a browser; see ParseOrigins.
	Origins []string
	// TrustedProxies may say X-Forwarded-Proto and, for GET /, X-Forwarded-For,
	// and may open any number of connections.
	TrustedProxies []netip.Prefix

	HeaderTimeout time.Duration // whole header section; 5 s
	BodyTimeout   time.Duration // whole body, more only while MinRate is kept; 30 s
	MinRate       int           // bytes a second; 4096; negative is any rate
	MaxBodyTime   time.Duration // whole body, at whatever rate; 5 min, and never less than BodyTimeout
	IdleTimeout   time.Duration // between requests of a connection; 60 s
	// WaitTimeout is the longest that Gate takes after the body is read; it
	// bounds how late an answer may be written. 30 s
	WaitTimeout time.Duration
	// WriteTimeout is how long a client may take to read an answer. 30 s
	WriteTimeout time.Duration
	// MaxHeader bounds request line and header section; net/http allows about
	// 4 KiB more. 64 KiB
	MaxHeader int
	// MaxConns bounds the connections of one address, where an IPv6 /64 is one.
	// Loopback and TrustedProxies are exempt. 1024; negative is no bound.
	MaxConns int
}

// Route is a route next to the edge's own.
type Route struct {
	Method  string
	Path    string // gin pattern: "/docs", "/docs/*file"
	Handler http.Handler
}

// Health is the answer of GET /health.
type Health struct {
	Unhealthy  bool // answered with 503
	Components map[string]string
}

func (o Options) withDefaults() Options {
	set(&o.HeaderTimeout, 5*time.Second)
	set(&o.BodyTimeout, 30*time.Second)
	set(&o.MinRate, 4096)
	set(&o.MaxBodyTime, 5*time.Minute)
	o.MaxBodyTime = max(o.MaxBodyTime, o.BodyTimeout)
	set(&o.IdleTimeout, 60*time.Second)
	set(&o.WaitTimeout, 30*time.Second)
	set(&o.WriteTimeout, 30*time.Second)
	set(&o.MaxHeader, 64<<10)
	set(&o.MaxConns, 1024)
	if o.Security == (Security{}) {
		o.Security = DefaultSecurity()
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Draining == nil {
		o.Draining = func() bool { return false }
	}
	if o.Ready == nil {
		o.Ready = func(context.Context) error { return nil }
	}
	if o.Health == nil {
		o.Health = func(context.Context) Health { return Health{} }
	}
	return o
}

func set[T comparable](field *T, value T) {
	if *field == *new(T) {
		*field = value
	}
}

func (o *Options) trusts(peer netip.Addr) bool { return contains(o.TrustedProxies, peer) }

func contains(nets []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(nets, func(p netip.Prefix) bool { return p.Contains(a) })
}
