package plan

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/hookd/hookd/internal/config"
	"github.com/hookd/hookd/internal/diag"
	"github.com/hookd/hookd/server/ingest"
)

// Current is the configuration in force. Requests read it without a lock; a
// reload compiles the next one whole, then swaps. It is safe for concurrent
// use.
type Current struct {
	plan atomic.Pointer[Plan]

	mu   sync.Mutex // one reload at a time
	deps Deps
}

// NewCurrent holds no plan yet.
func NewCurrent(deps Deps) *Current {
	deps.transports = &transports{}
	return &Current{deps: deps}
}

// fallback is the hook that answers for every id that is not configured, as the
// original service had it.
const fallback = "default"

// Hook finds a hook in the plan in force; see ingest.Hooks. A plan needs no
// release: what it points to lives as long as somebody uses it.
func (c *Current) Hook(id string) (h *ingest.Hook, release func(), ok bool) {
	p := c.plan.Load()
	if p == nil {
		return nil, nil, false
	}
	if h, ok = p.Hooks[id]; !ok {
		h, ok = p.Hooks[fallback]
	}
	return h, nothing, ok
}

func nothing() {}

// Plan is the plan in force; nil before the first Swap.
func (c *Current) Plan() *Plan { return c.plan.Load() }

// Swap compiles cfg and puts it into force: take is called with the new plan
// before requests see it, so that no event is stored for a lane that would still
// pass for one that is not configured, and before the old plan's connections are
// given back. With errors among the problems nothing in force changes.
func (c *Current) Swap(ctx context.Context, cfg *config.Config, take func(*Plan)) diag.List {
	c.mu.Lock()
	defer c.mu.Unlock()
	next, problems := Compile(ctx, cfg, c.deps)
	if next == nil {
		return problems
	}
	take(next)
	old := c.plan.Swap(next)
	if old != nil {
		old.Release() //nolint:contextcheck // the pool closes connections, in its own time
	}
	if c.deps.Limiters != nil {
		c.deps.Limiters.Keep(func(name string) bool { return next.Hooks[name] != nil })
	}
	return problems
}

// Close gives the connections back.
func (c *Current) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.plan.Swap(nil); p != nil {
		p.Release()
	}
	c.deps.transports.close()
}
