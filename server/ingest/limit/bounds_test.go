package limit

import (
	"net/netip"
	"testing"
	"time"
)

// What a limiter remembers is bounded whatever addresses come, and who was
// last seen is the last to be forgotten.
func TestBounds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ clients, stamps int }{{100, 1 << 20}, {1 << 20, 400}} {
		l := &Limiter{rule: Rule{Max: 3, Window: time.Hour, PerClient: true}, table: newTable(c.clients, c.stamps)}
		now := time.Now()
		regular := netip.MustParseAddr("192.0.2.1")
		for range 3 {
			l.Allow(regular, now)
		}
		for i := range 10_000 {
			l.Allow(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), now)
			if _, ok := l.Allow(regular, now); ok {
				t.Fatalf("the regular client was forgotten after %d others", i)
			}
			if n := len(l.table.byAddr); n > c.clients || l.table.stamps > c.stamps {
				t.Fatalf("%d clients and %d stamps, want at most %d and %d", n, l.table.stamps, c.clients, c.stamps)
			}
		}
	}
}
