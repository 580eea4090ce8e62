// Package plan turns configuration into running objects, and swaps one
// configuration for the next. It is the only place, beside the wiring, that
// knows both halves of the flow.
package plan

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/config"
	"github.com/hookd/hookd/internal/diag"
	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/server/conn"
	"github.com/hookd/hookd/server/deliver"
	"github.com/hookd/hookd/server/ingest"
	"github.com/hookd/hookd/server/ingest/limit"
)

// Deps is what plans are compiled with. The zero value of everything but the
// registries is enough to check a configuration.
type Deps struct {
	Modules *modules.Registry
	Auth    *auth.Registry
	AuthEnv auth.Env
	Log     *slog.Logger
	Owner   string // "hookd/1.4.0 (host-7)"

	// Egress guards what hooks name, Operator what connections.json names.
	Egress, Operator *netguard.Guard
	Pool             *conn.Pool      // nil compiles no lanes: a check only
	Limiters         *limit.Registry // nil gives every plan fresh ones

	MaxBody        int64 // bytes, where a hook sets none
	Depth, String  int   // of a JSON body; 0 is the usual
	Timeout        time.Duration
	Concurrency    int
	CleanupDefault bool // hooks without credential_cleanup are cleaned
	OriginalStatus bool // JSON Schema violations are 400 instead of 422

	EventLog EventLogSettings

	// Key keys the fingerprints; it is made anew for each process.
	Key []byte

	transports *transports
}

// Plan is one configuration, compiled. It is immutable.
type Plan struct {
	Config *config.Config
	// Hooks by id; disabled ones are not in it.
	Hooks map[string]*ingest.Hook
	Lanes []*deliver.Lane
	// EventLog is nil when there is none.
	EventLog *EventLog

	leases []*conn.Lease
}

// Compile makes the objects of a configuration. Nothing is opened and nothing
// in force is touched. With an error among the problems the plan is nil.
func Compile(ctx context.Context, cfg *config.Config, deps Deps) (*Plan, diag.List) {
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	if deps.transports == nil {
		deps.transports = &transports{}
	}
	c := &compiler{deps: deps, cfg: cfg, plan: &Plan{Config: cfg, Hooks: make(map[string]*ingest.Hook)}}
	for i := range cfg.Hooks {
		h := &cfg.Hooks[i]
		lanes, forward := c.lanes(ctx, h)
		hook := c.hook(h, lanes, forward)
		if h.Enabled {
			c.plan.Hooks[h.ID] = hook
		}
	}
	c.eventLog()
	c.problems.Sort()
	if c.problems.HasErrors() {
		c.plan.Release() //nolint:contextcheck // the pool closes connections, in its own time
		return nil, c.problems
	}
	return c.plan, c.problems
}

// Release gives the plan's connections back; those that the next plan shares
// stay open. Call it when the plan is out of force.
func (p *Plan) Release() {
	for _, l := range p.leases {
		l.Release()
	}
}

// LaneNames are the names of all lanes, sorted.
func (p *Plan) LaneNames() []string {
	names := make([]string, 0, len(p.Lanes))
	for _, l := range p.Lanes {
		names = append(names, l.Name)
	}
	slices.Sort(names)
	return names
}

// HookIDs are the ids of the hooks that are served, sorted.
func (p *Plan) HookIDs() []string { return slices.Sorted(maps.Keys(p.Hooks)) }

type compiler struct {
	deps     Deps
	cfg      *config.Config
	plan     *Plan
	problems diag.List
}

func (c *compiler) fail(pos diag.Pos, path string, err error) {
	c.problems.Add(problem(pos, path, err))
}
