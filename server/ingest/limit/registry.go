package limit

import "sync"

// Registry keeps the memory of limiters by name, so that a reload of the
// configuration gives nobody a fresh start. It is safe for concurrent use; the
// zero value is ready.
type Registry struct {
	mu     sync.Mutex
	tables map[string]*table
}

// Limiter returns a limiter for r that shares the memory of every other one of
// that name. Limiters of one name with different rules may be in use at the
// same time: nothing changes for those that were there before.
func (g *Registry) Limiter(name string, r Rule) *Limiter {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.tables[name]
	if t == nil {
		t = newTable(maxClients, maxStamps)
		if g.tables == nil {
			g.tables = make(map[string]*table)
		}
		g.tables[name] = t
	}
	return &Limiter{rule: r, table: t}
}

// Keep forgets the names for which keep is false. Call it after a reload took
// effect.
func (g *Registry) Keep(keep func(name string) bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for name := range g.tables {
		if !keep(name) {
			delete(g.tables, name)
		}
	}
}
