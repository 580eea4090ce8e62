package admin

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/internal/secret"
)

// ErrTokenRequired is returned by New for an address that others can reach when
// there is neither a token nor a demand for client certificates.
var ErrTokenRequired = errors.New("an admin listener that is not on loopback needs a token")

// Store is the part of the queue that the API shows and changes.
type Store interface {
	queue.History
	Depth(ctx context.Context) (map[string]queue.Depth, error)
}

// LaneControl shows and steers the configured lanes. It is safe for concurrent
// use.
type LaneControl interface {
	// Lanes lists what is configured now, in any order.
	Lanes() []LaneState
	// Pause stops new attempts of a lane, Resume ends that. Both are false for
	// a lane that is not configured; repeating them changes nothing.
	Pause(lane string) bool
	Resume(lane string) bool
}

// LaneState is a configured lane.
type LaneState struct {
	Name    string // "github/log-1"
	Hook    string
	Module  string
	Paused  bool
	Breaker string // closed, open, half_open; "" is closed
}

// Options make the handler. Store, Recorder, Lanes and Hooks are required.
type Options struct {
	// Addr is where the handler will be served: "127.0.0.1:8001". It decides
	// what is demanded of requests.
	Addr string
	// Token, when set, is demanded as a bearer token. It must be set for an Addr
	// that is not on loopback, unless ClientCerts says that the listener has
	// verified a client certificate.
	Token       secret.String
	ClientCerts bool
	// Hosts are names besides loopback that requests may be addressed to.
	Hosts []string

	Version string
	Started time.Time // zero is now

	Store    Store
	Recorder Recorder
	Lanes    LaneControl
	Hooks    func() []Hook
	// Quarantine keeps refused requests; nil: none are kept.
	Quarantine Quarantine
	// EventLog counts the rows of the event log; nil: there is none.
	EventLog func() EventLogStats
	// Config returns the configuration in force without secrets, ready for
	// encoding/json. Nil leaves the route unmounted.
	Config func() any
	// Reload reads the files again; an error means that it could not be tried.
	// Nil leaves the route unmounted.
	Reload func(ctx context.Context, r ReloadRequest) (ReloadResult, error)
	// Ready says why the daemon takes no events now. Its text is shown to
	// anyone who can reach the listener. Nil is always ready.
	Ready func(ctx context.Context) error
	// Stopping ends the tails when it is closed, so that a shutdown need not
	// wait for them. Nil never does.
	Stopping <-chan struct{}
	Pprof    bool
	Log      *slog.Logger // nil discards
}

type api struct {
	Options
	log   *slog.Logger
	tails chan struct{} // a place per open tail

	explaining chan struct{} // a place for the one search that may run
}

// New makes the handler of the admin listener. It returns ErrTokenRequired, or
// an error about an Addr that cannot be read.
func New(o Options) (http.Handler, error) {
	g, err := newGuard(o)
	if err != nil {
		return nil, err
	}
	if o.Store == nil || o.Recorder == nil || o.Lanes == nil || o.Hooks == nil {
		return nil, errors.New("admin: store, recorder, lanes and hooks are required")
	}
	if o.Started.IsZero() {
		o.Started = time.Now()
	}
	a := &api{Options: o, log: o.Log, tails: make(chan struct{}, maxTails), explaining: make(chan struct{}, 1)}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}

	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.RedirectTrailingSlash = false
	r.HandleMethodNotAllowed = true
	r.UseRawPath = true
	r.ForwardedByClientIP = false
	r.Use(a.recovered, headers, g.check)
	r.NoRoute(func(c *gin.Context) { refuse(c, http.StatusNotFound, "not_found", "there is nothing here") })
	r.NoMethod(func(c *gin.Context) {
		refuse(c, http.StatusMethodNotAllowed, "method_not_allowed", "this resource does not take "+c.Request.Method)
	})
	a.routes(r)
	return r, nil
}

func (a *api) routes(r *gin.Engine) {
	r.GET("/healthz", limited, a.healthz)
	r.HEAD("/healthz", limited, a.healthz)
	r.GET("/metrics", limited, a.metrics)
	if a.Pprof {
		mountPprof(r)
	}

	v1 := r.Group("/api/v1")
	v1.GET("/tail", a.tail)

	v1 = v1.Group("", limited)
	v1.GET("/version", a.version)
	v1.GET("/stats", a.stats)
	v1.GET("/hooks", a.hooks)

	v1.GET("/lanes", a.lanes)
	v1.POST("/lanes/:hook/:destination/pause", a.pause)
	v1.POST("/lanes/:hook/:destination/resume", a.resume)

	v1.GET("/events", a.events)
	v1.GET("/events/:id", a.event)
	v1.GET("/events/:id/body", a.eventBody)
	v1.POST("/events/:id/replay", a.replayEvent)
	v1.POST("/replay", a.replay)

	v1.GET("/dead", a.dead)
	v1.POST("/dead/replay", a.replayDead)
	v1.POST("/dead/purge", a.purge)
	v1.POST("/dead/:id/replay", a.replayDeadEvent)

	a.quarantineRoutes(v1)

	if a.Config != nil {
		v1.GET("/config", func(c *gin.Context) { c.JSON(http.StatusOK, a.Config()) })
	}
	if a.Reload != nil {
		v1.POST("/reload", a.reload)
	}
	v1.GET("/openapi.json", a.openapi)
}
