package testinfra_test

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/testinfra"
)

// echo answers each byte with itself.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		wg.Wait()
	})
	return l.Addr().String()
}

// ask sends one byte and waits for it to come back.
func ask(c net.Conn, patience time.Duration) error {
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write([]byte("x")); err != nil {
		return err
	}
	_, err := io.ReadFull(c, make([]byte, 1))
	return err
}

const (
	long  = 20 * time.Second
	short = 100 * time.Millisecond
)

func TestProxyCutsAndRestores(t *testing.T) {
	t.Parallel()
	p := testinfra.NewProxy(t, echo(t))
	c := dial(t, p.Addr())
	if err := ask(c, long); err != nil {
		t.Fatal(err)
	}
	p.Cut()
	if err := ask(c, long); err == nil {
		t.Error("an open connection survived")
	}
	if _, err := net.Dial("tcp", p.Addr()); err == nil {
		t.Error("a new connection was taken")
	}
	p.Restore()
	if err := ask(dial(t, p.Addr()), long); err != nil {
		t.Error(err)
	}
	c = dial(t, p.Addr())
	if err := ask(c, long); err != nil {
		t.Error(err)
	}
	p.Reset()
	if err := ask(c, long); err == nil {
		t.Error("an open connection survived a reset")
	}
	if err := ask(dial(t, p.Addr()), long); err != nil {
		t.Error(err)
	}
	if n := p.Accepted(); n != 4 {
		t.Errorf("%d connections", n)
	}
}

// Freeze and Mute keep the connection and hold the bytes.
func TestProxyHoldsBytes(t *testing.T) {
	t.Parallel()
	p := testinfra.NewProxy(t, echo(t))
	for name, hold := range map[string]func() (<-chan struct{}, func()){"freeze": p.Freeze, "mute": p.Mute} {
		c := dial(t, p.Addr())
		if err := ask(c, long); err != nil {
			t.Fatal(err)
		}
		entered, release := hold()
		if err := ask(c, short); err == nil {
			t.Errorf("%s: an answer", name)
		}
		<-entered
		release()
		_ = c.SetDeadline(time.Now().Add(long))
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			t.Errorf("%s: what was held is lost: %v", name, err)
		}
		if err := ask(c, long); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestProxyDelays(t *testing.T) {
	t.Parallel()
	p := testinfra.NewProxy(t, echo(t))
	c := dial(t, p.Addr())
	p.Delay(short)
	start := time.Now()
	if err := ask(c, long); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < 2*short {
		t.Errorf("there and back in %v", took)
	}
}

// A held connection that is cut does not keep the test from ending.
func TestProxyEndsWhileFrozen(t *testing.T) {
	t.Parallel()
	p := testinfra.NewProxy(t, echo(t))
	c := dial(t, p.Addr())
	entered, _ := p.Freeze()
	_ = ask(c, short)
	<-entered
}
