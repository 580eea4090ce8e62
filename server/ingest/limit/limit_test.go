package limit_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/server/ingest"
	"github.com/hookd/hookd/server/ingest/limit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var _ ingest.Limiter = (*limit.Limiter)(nil)

var someone = netip.MustParseAddr("192.0.2.1")

func TestWindowSlides(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := limit.New(limit.Rule{Max: 2, Window: time.Minute})
		start := time.Now()
		for _, step := range []struct {
			at   time.Duration
			wait time.Duration
			ok   bool
		}{
			{0, 0, true},
			{10 * time.Second, 0, true},
			{20 * time.Second, 40 * time.Second, false},
			{time.Minute - 1, 1, false},
			{time.Minute, 0, true},
			{time.Minute + 1, 10*time.Second - 1, false},
			{70 * time.Second, 0, true},
			{10 * time.Minute, 0, true},
		} {
			<-time.After(step.at - time.Since(start))
			wait, ok := l.Allow(someone, time.Now())
			if ok != step.ok || wait != step.wait {
				t.Errorf("at %v: Allow = %v, %v; want %v, %v", step.at, wait, ok, step.wait, step.ok)
			}
		}
	})
}

func TestZeroLetsNonePass(t *testing.T) {
	t.Parallel()
	wait, ok := limit.New(limit.Rule{Max: 0, Window: time.Minute}).Allow(someone, time.Now())
	if ok || wait != time.Minute {
		t.Errorf("Allow = %v, %v; want 1m0s, false", wait, ok)
	}
}

func TestParallelCallsPassExactlyMax(t *testing.T) {
	t.Parallel()
	for range 50 {
		l := limit.New(limit.Rule{Max: 5, Window: time.Hour})
		now := time.Now()
		var passed atomic.Int32
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if _, ok := l.Allow(someone, now); ok {
					passed.Add(1)
				}
			})
		}
		wg.Wait()
		if passed.Load() != 5 {
			t.Fatalf("%d passed, want 5", passed.Load())
		}
	}
}

// The limiter is compared with the definition: a request passes exactly when
// fewer than Max passed in the window before it.
func TestExactness(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 1))
		rule := limit.Rule{Max: 1 + r.IntN(40), Window: time.Duration(1+r.IntN(1000)) * time.Millisecond, PerClient: true}
		l := limit.New(rule)
		passed := map[netip.Addr][]time.Time{}
		now := time.Unix(1_700_000_000, 0)
		for i := range 25_000 {
			now = now.Add(time.Duration(r.Int64N(int64(rule.Window) / int64(rule.Max))))
			client := netip.AddrFrom4([4]byte{192, 0, 2, byte(r.IntN(3))})
			log := passed[client]
			for len(log) > 0 && now.Sub(log[0]) >= rule.Window {
				log = log[1:]
			}
			want := len(log) < rule.Max
			wait, ok := l.Allow(client, now)
			if ok != want {
				t.Fatalf("seed %d, request %d: Allow = %v, want %v (%d of %d in the window)", seed, i, ok, want, len(log), rule.Max)
			}
			if ok {
				log = append(log, now)
			} else if free := log[0].Add(rule.Window).Sub(now); wait != free {
				t.Fatalf("seed %d, request %d: wait %v, want %v", seed, i, wait, free)
			}
			passed[client] = log
		}
	}
}

func TestClients(t *testing.T) {
	t.Parallel()
	one := limit.Rule{Max: 1, Window: time.Minute, PerClient: true}
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"2001:db8::1", "2001:db8::ffff", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
		{"fe80::1%eth0", "fe80::1%eth1", true},
	} {
		l := limit.New(one)
		now := time.Now()
		l.Allow(netip.MustParseAddr(c.a), now)
		if _, ok := l.Allow(netip.MustParseAddr(c.b), now); ok == c.same {
			t.Errorf("%s after %s: passed = %v", c.b, c.a, ok)
		}
	}
	all := limit.New(limit.Rule{Max: 1, Window: time.Minute})
	now := time.Now()
	all.Allow(netip.MustParseAddr("192.0.2.1"), now)
	if _, ok := all.Allow(netip.MustParseAddr("192.0.2.2"), now); ok {
		t.Error("a rule for all clients let a second client pass")
	}
}

func TestClockSetBack(t *testing.T) {
	t.Parallel()
	l := limit.New(limit.Rule{Max: 2, Window: time.Minute})
	now := time.Now().Round(0)
	l.Allow(someone, now)
	l.Allow(someone, now.Add(-time.Hour))
	if wait, ok := l.Allow(someone, now.Add(-2*time.Hour)); ok || wait != time.Minute {
		t.Errorf("Allow = %v, %v; want 1m0s, false", wait, ok)
	}
	if _, ok := l.Allow(someone, now.Add(time.Minute)); !ok {
		t.Error("the window did not slide after the clock was right again")
	}
}

func TestRegistryKeepsMemory(t *testing.T) {
	t.Parallel()
	var g limit.Registry
	now := time.Now()
	small, large := limit.Rule{Max: 2, Window: time.Minute}, limit.Rule{Max: 4, Window: time.Minute}
	before := g.Limiter("github", large)
	for range 3 {
		before.Allow(someone, now)
	}
	if _, ok := g.Limiter("github", small).Allow(someone, now); ok {
		t.Error("a reload with a smaller limit gave a fresh start")
	}
	if _, ok := before.Allow(someone, now); !ok {
		t.Error("compiling another rule changed the one in use")
	}
	if _, ok := g.Limiter("stripe", small).Allow(someone, now); !ok {
		t.Error("two names share a memory")
	}
	g.Keep(func(name string) bool { return name != "github" })
	if _, ok := g.Limiter("github", small).Allow(someone, now); !ok {
		t.Error("a name that was dropped is still remembered")
	}
}

func ExampleLimiter_Allow() {
	l := limit.New(limit.Rule{Max: 1, Window: time.Minute})
	now := time.Now()
	fmt.Println(l.Allow(netip.Addr{}, now))
	fmt.Println(l.Allow(netip.Addr{}, now.Add(time.Second)))
	// Output:
	// 0s true
	// 59s false
}

func BenchmarkAllow(b *testing.B) {
	for _, clients := range []int{1, 1 << 16} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			b.ReportAllocs()
			l := limit.New(limit.Rule{Max: 100, Window: time.Second, PerClient: true})
			now := time.Now()
			for i := 0; b.Loop(); i++ {
				now = now.Add(time.Microsecond)
				n := i % clients
				l.Allow(netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}), now)
			}
		})
	}
}
