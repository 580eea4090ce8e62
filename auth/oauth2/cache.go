package oauth2

import (
	"crypto/sha256"
	"sync"
	"time"
)

// cache remembers answers by the hash of the token: the token itself is not
// kept. It has two generations; when the young one is full, the old one is
// dropped, so that neither its size nor its work grows. It is safe for
// concurrent use.
type cache[V any] struct {
	half int

	mu         sync.Mutex
	young, old map[[sha256.Size]byte]cached[V]
}

type cached[V any] struct {
	value V
	until time.Time
}

func newCache[V any](size int) *cache[V] {
	return &cache[V]{half: size / 2, young: make(map[[sha256.Size]byte]cached[V])}
}

func (c *cache[V]) get(key [sha256.Size]byte) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.young[key]
	if !ok {
		e, ok = c.old[key]
	}
	if !ok || !time.Now().Before(e.until) {
		var none V
		return none, false
	}
	return e.value, true
}

func (c *cache[V]) put(key [sha256.Size]byte, v V, lifetime time.Duration) {
	if lifetime <= 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.young) >= c.half {
		c.young, c.old = make(map[[sha256.Size]byte]cached[V]), c.young
	}
	c.young[key] = cached[V]{v, time.Now().Add(lifetime)}
}
