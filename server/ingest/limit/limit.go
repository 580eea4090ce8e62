// Package limit counts requests in sliding windows.
//
// A limiter remembers the time of every request that it let pass, so that it
// is exact: in no span of the window's length do more than Max pass, and the
// next passes in the very moment in which the oldest of them leaves the
// window. A request that is refused takes no place.
package limit

import (
	"net/netip"
	"sync"
	"time"
)

// Bounds on what one limiter remembers. Beyond them the client that was
// longest away is forgotten, and starts anew.
const (
	maxClients = 1 << 20 // clients
	maxStamps  = 1 << 24 // times, 8 bytes each
)

// Rule is what a limiter holds to.
type Rule struct {
	Max       int           // requests in a window; 0 lets none pass
	Window    time.Duration // more than 0
	PerClient bool          // each client address on its own; an IPv6 /64 is one
}

// Limiter is a sliding window over a Table. It is safe for concurrent use.
type Limiter struct {
	rule  Rule
	table *table
}

// New makes a limiter with a memory of its own. To keep the memory across a
// reload, take it from a Registry.
func New(r Rule) *Limiter { return &Limiter{rule: r, table: newTable(maxClients, maxStamps)} }

// Allow takes one place for the client, or tells how long until one is free.
// Where the rule is not per client, client is not looked at.
func (l *Limiter) Allow(client netip.Addr, now time.Time) (wait time.Duration, ok bool) {
	if l.rule.Max <= 0 {
		return l.rule.Window, false
	}
	key := netip.Addr{}
	if l.rule.PerClient {
		key = site(client)
	}
	return l.table.allow(key, now, l.rule)
}

// site is the unit that one client cannot leave by choosing another address.
func site(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if !a.Is6() {
		return a
	}
	p, err := a.Prefix(64)
	if err != nil {
		return a
	}
	return p.Addr()
}

// table is the memory of a limiter: one log of times per client, and the
// clients in the order in which they were last let pass.
type table struct {
	maxClients, maxStamps int

	mu     sync.Mutex
	start  time.Time // stamps count from here
	byAddr map[netip.Addr]*client
	recent client // ring: next is the latest, prev the one longest away
	stamps int    // capacity of all logs
}

type client struct {
	addr       netip.Addr
	prev, next *client
	log        []int64 // ring of times in ns since table.start, oldest at head
	head, n    int
}

func newTable(clients, stamps int) *table {
	t := &table{maxClients: clients, maxStamps: stamps, byAddr: make(map[netip.Addr]*client)}
	t.recent.prev, t.recent.next = &t.recent, &t.recent
	return t
}

func (t *table) allow(key netip.Addr, now time.Time, r Rule) (time.Duration, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.start.IsZero() {
		t.start = now
	}
	at := int64(now.Sub(t.start))
	c := t.byAddr[key]
	if c == nil {
		c = &client{addr: key}
		t.byAddr[key] = c
	} else {
		c.unlink()
	}
	c.linkAfter(&t.recent)
	if last := c.newest(); at < last {
		at = last // a clock set back must not reorder the log
	}
	c.expire(at - int64(r.Window))
	if c.n >= r.Max {
		// After a reload with a smaller Max more are in the log than may be.
		free := c.log[(c.head+c.n-r.Max)%len(c.log)] + int64(r.Window)
		return time.Duration(free - at), false
	}
	t.push(c, at, r.Max)
	t.evict(c)
	return 0, true
}

// push appends a time; the log grows as it is needed.
func (t *table) push(c *client, at int64, limit int) {
	if c.n == len(c.log) {
		grown := make([]int64, min(max(4, 2*c.n), max(limit, c.n+1)))
		for i := range c.n {
			grown[i] = c.log[(c.head+i)%len(c.log)]
		}
		t.stamps += len(grown) - len(c.log)
		c.log, c.head = grown, 0
	}
	c.log[(c.head+c.n)%len(c.log)] = at
	c.n++
}

// evict keeps the table within its bounds, and spares c.
func (t *table) evict(c *client) {
	for len(t.byAddr) > t.maxClients || t.stamps > t.maxStamps {
		old := t.recent.prev
		if old == c {
			return
		}
		old.unlink()
		delete(t.byAddr, old.addr)
		t.stamps -= len(old.log)
	}
}

// expire drops the times up to and including until: a window is half open.
func (c *client) expire(until int64) {
	for c.n > 0 && c.log[c.head] <= until {
		c.head = (c.head + 1) % len(c.log)
		c.n--
	}
}

func (c *client) newest() int64 {
	if c.n == 0 {
		return -1 << 63
	}
	return c.log[(c.head+c.n-1)%len(c.log)]
}

func (c *client) unlink() { c.prev.next, c.next.prev = c.next, c.prev }

func (c *client) linkAfter(p *client) {
	c.prev, c.next = p, p.next
	p.next.prev, p.next = c, c
}
