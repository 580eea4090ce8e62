package conn_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/server/conn"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// broker counts what a pool does to its connections.
type broker struct {
	opened, closed, sends  atomic.Int64
	afterClose, underWrite atomic.Int64 // sends on a closed connection; closes with a send in flight
	twice                  atomic.Int64
}

type fake struct {
	b        *broker
	inFlight atomic.Int64
	closed   atomic.Bool
}

func (b *broker) open(context.Context) (modules.Conn, error) {
	b.opened.Add(1)
	return &fake{b: b}, nil
}

func (f *fake) send() {
	f.inFlight.Add(1)
	defer f.inFlight.Add(-1)
	if f.closed.Load() {
		f.b.afterClose.Add(1)
	}
	f.b.sends.Add(1)
}

func (f *fake) Close(context.Context) error {
	if f.closed.Swap(true) {
		f.b.twice.Add(1)
	}
	if f.inFlight.Load() > 0 {
		f.b.underWrite.Add(1)
	}
	f.b.closed.Add(1)
	return nil
}

func use(t *testing.T, l *conn.Lease) *conn.Handle {
	t.Helper()
	h, err := l.Use(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// pass lets simulated time go by.
func pass(d time.Duration) { <-time.After(d) }

// Configurations are swapped under load, some connections do not open, some
// are lost: nobody ever sends on a closed connection, and none stays open.
func TestSwapsUnderLoad(t *testing.T) {
	t.Parallel()
	const senders, swaps = 16, 300
	var b broker
	refused := errors.New("refused")
	p := conn.NewPool(conn.Options{MinBackoff: time.Microsecond, MaxBackoff: 10 * time.Microsecond})
	acquire := func(i int) *conn.Lease {
		open := b.open
		if i%10 == 9 {
			open = func(context.Context) (modules.Conn, error) { return nil, refused }
		}
		return p.Acquire(fmt.Sprintf("broker-%d-%d", i/3, i%10/9), open) // every third swap is another address
	}
	var (
		current atomic.Pointer[conn.Lease]
		stop    = make(chan struct{})
		wg      sync.WaitGroup
		served  [senders]atomic.Int64
	)
	current.Store(acquire(0))
	for g := range senders {
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				h, err := current.Load().Use(t.Context())
				if err != nil {
					var f *modules.Failure
					if !errors.Is(err, conn.ErrReleased) && !errors.As(err, &f) {
						t.Errorf("use: %v", err)
					}
					continue
				}
				h.Conn().(*fake).send()
				if n%50 == g {
					h.Lost(errors.New("reset by peer"))
				}
				h.Release()
				served[g].Add(1)
			}
		})
	}
	for i := range swaps {
		for before := b.sends.Load(); i%10 != 9 && b.sends.Load() < before+8; {
			h, err := current.Load().Use(t.Context()) // take part, rather than wait for time to pass
			if err == nil {
				h.Conn().(*fake).send()
				h.Release()
			}
		}
		next := acquire(i + 1)
		current.Swap(next).Release()
	}
	close(stop)
	wg.Wait()
	current.Load().Release()
	if err := p.Close(t.Context()); err != nil {
		t.Error(err)
	}
	t.Logf("%d sends, %d opened", b.sends.Load(), b.opened.Load())
	if b.afterClose.Load() != 0 || b.underWrite.Load() != 0 || b.twice.Load() != 0 || b.opened.Load() != b.closed.Load() {
		t.Errorf("%d sends on closed connections, %d closes under a send, %d double closes, %d opened and %d closed",
			b.afterClose.Load(), b.underWrite.Load(), b.twice.Load(), b.opened.Load(), b.closed.Load())
	}
}

func TestEqualKeysShare(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b broker
		p := conn.NewPool(conn.Options{})
		first := p.Acquire("a", b.open)
		if b.opened.Load() != 0 {
			t.Error("opened before it was used")
		}
		h := use(t, first)
		old := h.Conn()
		h.Release()
		second := p.Acquire("a", b.open) // the reload
		first.Release()
		first.Release()
		if !first.Same(second) || second.Same(p.Acquire("b", b.open)) {
			t.Error("Same")
		}
		h = use(t, second)
		if h.Conn() != old {
			t.Error("an unchanged connection was opened again")
		}
		if _, err := first.Use(t.Context()); !errors.Is(err, conn.ErrReleased) {
			t.Errorf("use after release: %v", err)
		}
		second.Release()
		synctest.Wait()
		if b.closed.Load() != 0 {
			t.Error("closed under its user")
		}
		h.Release()
		h.Release()
		synctest.Wait()
		if b.closed.Load() != 1 {
			t.Error("not closed after its last user")
		}
		if err := p.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := p.Acquire("c", b.open).Use(t.Context()); !errors.Is(err, conn.ErrReleased) {
			t.Errorf("use of a closed pool: %v", err)
		}
	})
}

func TestOpeningBacksOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var (
			b     broker
			tries []time.Duration
			start = time.Now()
			down  = true
		)
		p := conn.NewPool(conn.Options{})
		l := p.Acquire("a", func(ctx context.Context) (modules.Conn, error) {
			tries = append(tries, time.Since(start))
			if down {
				return nil, modules.Retry(modules.CodeAuthFailed, errors.New("wrong password"))
			}
			return b.open(ctx)
		})
		for range 400 {
			_, err := l.Use(t.Context())
			f := modules.FailureOf(err)
			if f.Code != modules.CodeAuthFailed || f.After <= 0 || f.After > time.Minute {
				t.Fatalf("%+v", f)
			}
			pass(time.Second)
		}
		want := []time.Duration{0, 1, 3, 7, 15, 31, 63, 123, 183, 243, 303, 363}
		if len(tries) != len(want) {
			t.Fatalf("tries at %v", tries)
		}
		for i := range want {
			if tries[i] != want[i]*time.Second {
				t.Errorf("try %d at %v, want %v", i, tries[i], want[i]*time.Second)
			}
		}
		if st := l.Status(); st.Open || st.Err == nil {
			t.Errorf("%+v", st)
		}
		down = false
		pass(time.Minute)
		use(t, l).Release()
		if st := l.Status(); !st.Open || st.Err != nil || st.Opened != 1 {
			t.Errorf("%+v", st)
		}
		l.Release()
		_ = p.Close(t.Context())
	})
}

// A connection that is lost is opened anew: at once when it had held for a
// while, with back-off when it is lost again and again.
func TestLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b broker
		p := conn.NewPool(conn.Options{})
		l := p.Acquire("a", b.open)
		one, two := use(t, l), use(t, l)
		pass(time.Minute)
		one.Lost(errors.New("reset"))
		two.Lost(errors.New("reset"))
		one.Release()
		synctest.Wait()
		if b.closed.Load() != 0 {
			t.Error("closed under its second user")
		}
		again := use(t, l)
		if again.Conn() == two.Conn() || b.opened.Load() != 2 {
			t.Error("not opened anew, or twice")
		}
		two.Lost(errors.New("late"))
		two.Release()
		synctest.Wait()
		if b.closed.Load() != 1 || use(t, l).Conn() != again.Conn() {
			t.Error("a late word of the old connection closed the new one")
		}
		again.Lost(errors.New("at once"))
		if _, err := l.Use(t.Context()); modules.FailureOf(err).After != time.Second {
			t.Errorf("flapping: %v", err)
		}
		pass(time.Second)
		use(t, l).Lost(errors.New("at once"))
		if _, err := l.Use(t.Context()); modules.FailureOf(err).After != 2*time.Second {
			t.Errorf("flapping again: %v", err)
		}
	})
}

// A broker that does not answer holds up nobody else, and an opening outlives
// the one who asked first.
func TestSlowOpeningBlocksNobodyElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b broker
		var asked atomic.Int64
		p := conn.NewPool(conn.Options{})
		slow := p.Acquire("slow", func(ctx context.Context) (modules.Conn, error) {
			asked.Add(1)
			select {
			case <-time.After(20 * time.Second):
				return b.open(ctx)
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		})
		fast := p.Acquire("fast", b.open)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := slow.Use(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		start := time.Now()
		use(t, fast).Release()
		if d := time.Since(start); d != 0 {
			t.Errorf("waited %v for another's connection", d)
		}
		use(t, slow).Release()
		if asked.Load() != 1 || time.Since(start) != 19*time.Second {
			t.Errorf("opened %d times, after %v", asked.Load(), time.Since(start))
		}
		slow.Release()
		fast.Release()
		_ = p.Close(t.Context())
	})
}

func TestClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b broker
		p := conn.NewPool(conn.Options{})
		used, opening := p.Acquire("a", b.open), p.Acquire("b", func(ctx context.Context) (modules.Conn, error) {
			pass(5 * time.Second)
			return b.open(ctx)
		})
		h := use(t, used)
		go func() {
			if _, err := opening.Use(t.Context()); !errors.Is(err, conn.ErrReleased) {
				t.Errorf("use while closing: %v", err)
			}
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := p.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("close with a user: %v", err)
		}
		h.Release()
		pass(10 * time.Second)
		if b.opened.Load() != 2 || b.closed.Load() != 2 {
			t.Errorf("%d opened, %d closed", b.opened.Load(), b.closed.Load())
		}
	})
}

func TestPanicsAreFailures(t *testing.T) {
	t.Parallel()
	p := conn.NewPool(conn.Options{})
	l := p.Acquire("a", func(context.Context) (modules.Conn, error) { panic("secret") })
	if _, err := l.Use(t.Context()); modules.FailureOf(err).Code != modules.CodePanic {
		t.Errorf("%v", err)
	}
	nothing := p.Acquire("b", func(context.Context) (modules.Conn, error) { return nil, nil })
	if _, err := nothing.Use(t.Context()); modules.FailureOf(err).Code != modules.CodeUnavailable {
		t.Errorf("%v", err)
	}
	if err := p.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
