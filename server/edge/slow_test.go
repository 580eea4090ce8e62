package edge_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/server/edge"
	"github.com/hookd/hookd/server/ingest"
)

func dial(t testing.TB, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	// Far more than any limit of the server: who waits that long was forgotten.
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	return c
}

// ended waits until the server closes c and returns what it said before.
func ended(t testing.TB, c net.Conn) string {
	t.Helper()
	b, err := io.ReadAll(c)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection was not closed")
	}
	return string(b)
}

// Clients that never finish are closed, and cost those who do nothing.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	addr, q := newServer(t, edge.Options{
		HeaderTimeout: time.Second, BodyTimeout: time.Second, MaxBodyTime: 2 * time.Second, // far more than a good client takes
	})
	var wg sync.WaitGroup
	for name, sent := range map[string]string{
		"nothing":     "",
		"half a line": "POST /webho",
		"half header": "POST /webhook/a HTTP/1.1\r\nHost: x\r\nX-A: ",
		"no body":     "POST /webhook/a HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n",
		"half a body": "POST /webhook/a HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
		"half chunk":  "POST /webhook/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n{",
		"large body":  "POST /webhook/a HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 50_000),
	} {
		for range 8 {
			c := dial(t, addr)
			if _, err := io.WriteString(c, sent); err != nil {
				t.Fatal(err)
			}
			wg.Go(func() {
				if said := ended(t, c); strings.Contains(said, " 200 ") {
					t.Errorf("%s: answered %q", name, said)
				}
			})
		}
	}
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for range 50 {
		res, err := client.Post("http://"+addr+"/webhook/a", "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("a good client got %d", res.StatusCode)
		}
	}
	wg.Wait()
	if n := len(q.stored()); n != 50 {
		t.Errorf("%d events, want 50", n)
	}
}

// A body that keeps its rate may take longer than BodyTimeout, up to
// MaxBodyTime; one that does not, may not.
func TestBodyRate(t *testing.T) {
	t.Parallel()
	usual := edge.Options{BodyTimeout: 10 * time.Second, MinRate: 1 << 10, MaxBodyTime: 2 * time.Minute}
	anyRate := usual
	anyRate.MinRate = -1
	for name, c := range map[string]struct {
		o             edge.Options
		piece, pieces int
		every         time.Duration
		status        int
	}{
		"at once":             {usual, 100 << 10, 1, 0, 200},
		"steady":              {usual, 10 << 10, 10, 8 * time.Second, 200},
		"small and too slow":  {usual, 1 << 10, 10, 3 * time.Second, 408},
		"large and too slow":  {usual, 10 << 10, 10, 30 * time.Second, 408},
		"good rate, too long": {usual, 10 << 10, 100, 5 * time.Second, 408},
		"any rate":            {anyRate, 20 << 10, 4, 30 * time.Second, 200},
		"any rate, too long":  {anyRate, 20 << 10, 10, 30 * time.Second, 408},
		"patient by setting":  {edge.Options{BodyTimeout: time.Hour}, 10 << 10, 10, 6 * time.Minute, 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := c.o
				q := &memory{}
				o.Gate = &ingest.Gate{Hooks: hooks{"a": {ID: "a", Auth: auth.NewChain()}}, Queue: q}
				o.Log = slog.New(slog.DiscardHandler)
				in := make(chan net.Conn)
				s := edge.NewServer(o)
				done := make(chan error)
				go func() { done <- s.Serve(fakeListener{in}) }()
				near, far := net.Pipe()
				in <- far
				sent := make(chan struct{})
				go func() {
					defer close(sent)
					_, _ = fmt.Fprintf(near, "POST /webhook/a HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", c.piece*c.pieces)
					for i := range c.pieces {
						if i > 0 {
							<-time.After(c.every)
						}
						if _, err := near.Write(make([]byte, c.piece)); err != nil {
							return
						}
					}
				}()
				res, err := http.ReadResponse(bufio.NewReader(near), nil)
				if err != nil {
					t.Fatal(err)
				}
				if res.StatusCode != c.status || (c.status == 200) != (len(q.stored()) == 1) {
					t.Errorf("%d and %d events, want %d", res.StatusCode, len(q.stored()), c.status)
				}
				_ = near.Close()
				close(in)
				<-done
				<-sent
				if err := s.Shutdown(t.Context()); err != nil { // waits for the connection
					t.Error(err)
				}
				synctest.Wait()
			})
		})
	}
}

// Whoever does not read a long answer is given up.
func TestWriteTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		wrote := make(chan error, 1)
		long := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, err := w.Write(make([]byte, 1<<20))
			wrote <- err
		})
		s := edge.NewServer(edge.Options{
			Log: slog.New(slog.DiscardHandler), WriteTimeout: 7 * time.Second,
			Mount: []edge.Route{{Method: http.MethodGet, Path: "/long", Handler: long}},
		})
		in, done := make(chan net.Conn), make(chan error)
		go func() { done <- s.Serve(fakeListener{in}) }()
		near, far := net.Pipe()
		in <- far
		start := time.Now()
		if _, err := io.WriteString(near, "GET /long HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if err := <-wrote; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 7*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		_ = near.Close()
		close(in)
		<-done
		if err := s.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// How long a client may do nothing, by default, to the second.
func TestTimeouts(t *testing.T) {
	t.Parallel()
	const ask = "POST /webhook/a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"
	for name, c := range map[string]struct {
		sent string
		want time.Duration
	}{
		"half a header": {"POST /webhook/a HTTP/1.1\r\nHo", 5 * time.Second},
		"no body":       {ask, 35 * time.Second},
		"idle":          {ask + "{}", 60 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := edge.Options{Log: slog.New(slog.DiscardHandler)}
				o.Gate = &ingest.Gate{Hooks: hooks{"a": {ID: "a", Auth: auth.NewChain()}}, Queue: &memory{}}
				in, done := make(chan net.Conn), make(chan error)
				s := edge.NewServer(o)
				go func() { done <- s.Serve(fakeListener{in}) }()
				near, far := net.Pipe()
				in <- far
				start := time.Now()
				if _, err := io.WriteString(near, c.sent); err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadAll(near); err != nil {
					t.Fatal(err)
				}
				// net/http lingers half a second over an answer that closes.
				if took := time.Since(start); took < c.want || took > c.want+time.Second {
					t.Errorf("closed after %v, want %v", took, c.want)
				}
				close(in)
				<-done
				if err := s.Shutdown(t.Context()); err != nil {
					t.Error(err)
				}
				synctest.Wait()
			})
		})
	}
}

// The answer to a body that is refused unread reaches the client, and the rest
// is not waited for.
func TestTooLargeIsAnsweredAtOnce(t *testing.T) {
	t.Parallel()
	addr, _ := newServer(t, edge.Options{})
	c := dial(t, addr)
	if _, err := io.WriteString(c, "POST /webhook/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if said := ended(t, c); !strings.HasPrefix(said, "HTTP/1.1 413 ") || !strings.Contains(said, "body_too_large") {
		t.Errorf("answered %q", said)
	}
	c = dial(t, addr)
	if _, err := io.WriteString(c, "POST /webhook/a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1000000000\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if said := ended(t, c); !strings.HasPrefix(said, "HTTP/1.1 413 ") {
		t.Errorf("answered %q", said)
	}
}

// The listener is asked directly, with connections that claim to come from
// elsewhere.
func TestConnectionsPerAddress(t *testing.T) {
	t.Parallel()
	in := make(chan net.Conn)
	l := edge.NewListener(fakeListener{in}, edge.Options{MaxConns: 2, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	arrive := func(from string) *fakeConn {
		c := &fakeConn{from: from}
		in <- c
		return c
	}
	accepted := make(chan net.Conn)
	go func() {
		defer close(accepted)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	var open []net.Conn
	for _, from := range []string{"192.0.2.1:1", "192.0.2.1:2", "192.0.2.2:1", "[2001:db8::1]:1", "[2001:db8::2]:1"} {
		arrive(from)
		open = append(open, <-accepted)
	}
	// A connection that is refused is closed before the next is accepted.
	for _, from := range []string{"192.0.2.1:3", "[::ffff:192.0.2.1]:3", "[2001:db8::3]:1"} {
		refused := arrive(from)
		arrive("127.0.0.1:9")
		open = append(open, <-accepted)
		if !refused.closed {
			t.Errorf("%s: a third connection was accepted", from)
		}
	}
	for range 5 {
		arrive("10.0.0.1:1")
		open = append(open, <-accepted)
	}
	_ = open[0].Close()
	_ = open[0].Close() // counts once
	arrive("192.0.2.1:4")
	<-accepted
	refused := arrive("192.0.2.1:5")
	close(in)
	<-accepted
	if !refused.closed {
		t.Error("closing a connection twice freed two places")
	}
}

type fakeListener struct{ in chan net.Conn }

func (l fakeListener) Accept() (net.Conn, error) {
	c, ok := <-l.in
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (fakeListener) Close() error   { return nil }
func (fakeListener) Addr() net.Addr { return &net.TCPAddr{} }

type fakeConn struct {
	net.Conn
	from   string
	closed bool
}

func (c *fakeConn) Close() error { c.closed = true; return nil }
func (c *fakeConn) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(c.from))
}
