package quarantine

import (
	"sync"
	"time"
)

// allowance is a token bucket for each hook: a minute's worth at once, and then
// as many by the minute. A flood at one hook takes nothing from the others. It
// holds configured hooks only, so that it stays small.
type allowance struct {
	perMinute int

	mu   sync.Mutex
	left map[string]*bucket
}

type bucket struct {
	tokens float64
	last   time.Time
}

func (a *allowance) take(hook string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	b := a.left[hook]
	if b == nil {
		if a.left == nil {
			a.left = make(map[string]*bucket)
		}
		b = &bucket{tokens: float64(a.perMinute), last: now}
		a.left[hook] = b
	}
	if d := now.Sub(b.last); d > 0 {
		b.tokens = min(float64(a.perMinute), b.tokens+d.Minutes()*float64(a.perMinute))
		b.last = now
	}
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
