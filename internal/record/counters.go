package record

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// HookStats is a read-out of one hook's counters since the start.
type HookStats struct {
	Windows    Windows          `json:"windows"` // of accepted events
	Accepted   int64            `json:"accepted"`
	Duplicates int64            `json:"duplicates"`
	Handshakes int64            `json:"handshakes"`
	Refused    map[string]int64 `json:"refused"` // by code
	Bytes      int64            `json:"bytes"`   // of accepted bodies
	Accept     Histogram        `json:"accept"`  // duration of accepted requests
	Last       time.Time        `json:"last"`    // accepted; zero when there was none
}

// LaneStats is a read-out of one lane's counters since the start.
type LaneStats struct {
	Delivered int64            `json:"delivered"`
	Filtered  int64            `json:"filtered"`
	Retried   int64            `json:"retried"`
	Died      int64            `json:"died"`
	Failed    map[string]int64 `json:"failed"` // retried and died, by code
	Bytes     int64            `json:"bytes"`  // delivered
	Delivery  Histogram        `json:"delivery"`
	Last      time.Time        `json:"last"` // delivered; zero when there was none
}

// codes counts by code, up to maxCodes of them.
type codes struct {
	mu sync.RWMutex
	by map[string]*atomic.Int64
}

func (c *codes) add(code string) {
	c.mu.RLock()
	n := c.by[code]
	c.mu.RUnlock()
	if n == nil {
		n = c.make(code)
	}
	n.Add(1)
}

func (c *codes) make(code string) *atomic.Int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == nil {
		c.by = make(map[string]*atomic.Int64)
	}
	if len(c.by) >= maxCodes && c.by[code] == nil {
		code = Other
	}
	if c.by[code] == nil {
		c.by[code] = new(atomic.Int64)
	}
	return c.by[code]
}

func (c *codes) read() map[string]int64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	out := make(map[string]int64, len(c.by))
	for code, n := range maps.All(c.by) {
		out[code] = n.Load()
	}
	return out
}

// moment is a time that many set and few read.
type moment struct{ ns atomic.Int64 }

func (m *moment) set(t time.Time) { m.ns.Store(t.UnixNano()) }

func (m *moment) read() time.Time {
	if ns := m.ns.Load(); ns != 0 {
		return time.Unix(0, ns)
	}
	return time.Time{}
}

type hookCounters struct {
	windows                          windows
	duplicates, handshakes, bytesSum atomic.Int64
	refused                          codes
	accept                           histogram
	last                             moment
}

func newHookCounters() *hookCounters { return &hookCounters{} }

func (h *hookCounters) count(f *Fact) {
	switch f.Kind {
	case Accepted:
		h.windows.add(f.Time)
		h.bytesSum.Add(int64(f.Bytes))
		h.accept.add(f.Duration)
		h.last.set(f.Time)
	case Duplicate:
		h.duplicates.Add(1)
	case Handshake:
		h.handshakes.Add(1)
	case Refused:
		h.refused.add(f.Code)
	default: // of a lane
	}
}

func (h *hookCounters) read(now time.Time) HookStats {
	w := h.windows.read(now)
	return HookStats{
		Windows: w, Accepted: w.Total, Duplicates: h.duplicates.Load(), Handshakes: h.handshakes.Load(),
		Refused: h.refused.read(), Bytes: h.bytesSum.Load(), Accept: h.accept.read(), Last: h.last.read(),
	}
}

type laneCounters struct {
	delivered, filtered, retried, died, bytesSum atomic.Int64
	failed                                       codes
	delivery                                     histogram
	last                                         moment
}

func (l *laneCounters) count(f *Fact) {
	switch f.Kind {
	case Delivered:
		l.delivered.Add(1)
		l.bytesSum.Add(int64(f.Bytes))
		l.delivery.add(f.Duration)
		l.last.set(f.Time)
	case Filtered:
		l.filtered.Add(1)
	case Retried:
		l.retried.Add(1)
		l.failed.add(f.Code)
	case Died:
		l.died.Add(1)
		l.failed.add(f.Code)
	default: // of a hook
	}
}

func (l *laneCounters) read() LaneStats {
	return LaneStats{
		Delivered: l.delivered.Load(), Filtered: l.filtered.Load(), Retried: l.retried.Load(), Died: l.died.Load(),
		Failed: l.failed.read(), Bytes: l.bytesSum.Load(), Delivery: l.delivery.read(), Last: l.last.read(),
	}
}
