package record

import "sync"

// ring holds the last facts. The lock is held for one copy.
type ring struct {
	mu    sync.Mutex
	facts []Fact
	total int
}

func (r *ring) add(f *Fact) {
	r.mu.Lock()
	r.facts[r.total%len(r.facts)] = *f
	r.total++
	r.mu.Unlock()
}

func (r *ring) last(n int) []Fact {
	r.mu.Lock()
	defer r.mu.Unlock()
	n = max(0, min(n, r.total, len(r.facts)))
	out := make([]Fact, 0, n)
	for i := r.total - 1; len(out) < n; i-- {
		out = append(out, r.facts[i%len(r.facts)])
	}
	return out
}
