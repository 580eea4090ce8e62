package admin

import (
	"net/netip"
	"sync"
	"time"
)

// maxClients bounds the memory of a window: beyond it clients share one count.
const maxClients = 10000

// window counts calls per client and minute. The minute of a client begins with
// its first call. It is safe for concurrent use.
type window struct {
	limit int

	mu    sync.Mutex
	since map[netip.Prefix]*minute
}

type minute struct {
	from time.Time
	n    int
}

func newWindow(limit int) *window {
	return &window{limit: limit, since: map[netip.Prefix]*minute{}}
}

// take counts a call, or says how long until the next is allowed.
func (w *window) take(client netip.Addr, now time.Time) (wait time.Duration, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := w.of(client, now)
	if m.n >= w.limit {
		return m.from.Add(time.Minute).Sub(now), false
	}
	m.n++
	return 0, true
}

// spent reports whether the client has no call left, without counting one.
func (w *window) spent(client netip.Addr, now time.Time) (wait time.Duration, spent bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := w.of(client, now)
	return m.from.Add(time.Minute).Sub(now), m.n >= w.limit
}

func (w *window) of(client netip.Addr, now time.Time) *minute {
	key := clientKey(client)
	m := w.since[key]
	if m == nil && len(w.since) >= maxClients {
		w.forget(now)
		if len(w.since) >= maxClients {
			key = netip.Prefix{}
			m = w.since[key]
		}
	}
	if m == nil {
		m = &minute{from: now}
		w.since[key] = m
	}
	if now.Sub(m.from) >= time.Minute || now.Before(m.from) {
		*m = minute{from: now}
	}
	return m
}

func (w *window) forget(now time.Time) {
	for k, m := range w.since {
		if now.Sub(m.from) >= time.Minute {
			delete(w.since, k)
		}
	}
}

// clientKey is the address, or for IPv6 the /64: one host has all of that.
func clientKey(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // no address: all such clients share a count
	}
	return p
}
