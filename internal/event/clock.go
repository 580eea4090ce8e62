package event

import (
	"crypto/rand"
	"encoding/binary"
	"sync"
	"time"
)

// IDs makes event IDs that only ever grow, also when the clock stands still or
// jumps back. It is safe for concurrent use.
type IDs struct {
	mu   sync.Mutex
	last uint64 // 48 bits of milliseconds and a 12 bit counter
}

// After makes every later ID greater than id: a queue calls it with the newest
// ID it holds, so that a clock set back before a restart loses nothing.
func (g *IDs) After(id ID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	hi := binary.BigEndian.Uint64(id[:8])
	if v := hi>>16<<12 | hi&0xfff; v > g.last {
		g.last = v
	}
}

// Next makes an ID for an event received at now. The low 62 bits are random,
// so that an ID says nothing of how many there were.
func (g *IDs) Next(now time.Time) ID {
	var id ID
	_, _ = rand.Read(id[8:]) // never fails since Go 1.24
	v := uint64(now.UnixMilli())<<12 | uint64(now.Nanosecond()%1e6)*4096/1e6
	g.mu.Lock()
	if v <= g.last {
		v = g.last + 1
	}
	g.last = v
	g.mu.Unlock()
	binary.BigEndian.PutUint64(id[:8], v>>12<<16|0x7000|v&0xfff)
	id[8] = id[8]&0x3f | 0x80
	return id
}
