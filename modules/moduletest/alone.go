package moduletest

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules"
)

// Env is what the daemon gives a module, with the real guard; nothing is logged.
func Env(t testing.TB, p netguard.Policy) modules.Env {
	t.Helper()
	guard, err := netguard.New(p)
	if err != nil {
		t.Fatal(err)
	}
	transport := guard.Transport(netguard.TransportOptions{})
	t.Cleanup(transport.CloseIdleConnections)
	return modules.Env{Log: slog.New(slog.DiscardHandler), Dial: guard.DialContext, HTTP: transport, Owner: "hookd/1.2.3 (test)"}
}

// Open opens a connection, "" for none, that may reach this machine and is closed
// when the test ends. The environment is that of its destinations.
func Open(t testing.TB, m modules.Module, connection string) (modules.Env, modules.Conn, error) {
	t.Helper()
	return openWith(t, m, connection, slog.New(slog.DiscardHandler))
}

func openWith(t testing.TB, m modules.Module, connection string, log *slog.Logger) (modules.Env, modules.Conn, error) {
	t.Helper()
	var c spec.Described
	policy := netguard.Policy{AllowLoopback: true}
	if connection != "" {
		c = m.Connection()
		Decode(t, connection, c)
		if e, ok := c.(modules.Egress); ok {
			policy.Allow = e.AllowedHosts()
		}
	}
	env := Env(t, policy)
	env.Log = log
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, err := m.Open(ctx, env, c)
	if err == nil {
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
			defer cancel()
			if err := conn.Close(ctx); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
	return env, conn, err
}

// New makes a destination of an open connection.
func New(t testing.TB, m modules.Module, env modules.Env, conn modules.Conn, options string) modules.Destination {
	t.Helper()
	o := m.Options()
	Decode(t, options, o)
	d, err := m.New(env, conn, o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Destination opens a connection and makes a destination of it.
func Destination(t testing.TB, m modules.Module, connection, options string) modules.Destination {
	t.Helper()
	env, conn, err := Open(t, m, connection)
	if err != nil {
		t.Fatal(err)
	}
	return New(t, m, env, conn, options)
}

// Logged is Destination, with what the module logs.
func Logged(t testing.TB, m modules.Module, connection, options string) (modules.Destination, *Log) {
	t.Helper()
	log := new(Log)
	env, conn, err := openWith(t, m, connection, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return New(t, m, env, conn, options), log
}

// Log is a log that many goroutines write.
type Log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write adds to it.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String is all that was written.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Stranger is the address of a server that answers the first words of whoever
// connects with the bytes, and then only reads. It ends with the test.
func Stranger(t testing.TB, answer string) string {
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
				buf := make([]byte, 1000)
				if _, err := c.Read(buf); err != nil {
					return
				}
				_, err := c.Write([]byte(answer))
				for err == nil {
					_, err = c.Read(buf)
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		wg.Wait()
	})
	return l.Addr().String()
}

var ids event.IDs

// Delivery is the first attempt of one, with headers of each kind, a forged one
// among them.
func Delivery(lane, body string) *event.Delivery {
	ev := &event.Event{
		ID: ids.Next(time.Now()), Hook: "github", Type: "push", Received: time.Now(), Body: []byte(body),
		Header: http.Header{"X-Github-Event": {"push"}, "X-Two": {"a", "b"}, "Hookd-Hook": {"forged"}, "Content-Type": {"text/plain"}},
	}
	d := &event.Delivery{ID: event.DeliveryID(ev.ID, lane), Event: ev, Lane: lane, Attempt: 1, Body: ev.Body}
	d.Header = http.Header{
		"Hookd-Event-Id": {ev.ID.String()}, "Hookd-Delivery-Id": {d.ID.String()}, "Hookd-Hook": {ev.Hook}, "Hookd-Attempt": {"1"},
		"Traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}, "Content-Type": {"application/json"},
	}
	return d
}

// Send delivers x, as a test does that stands outside the suite.
func Send(t *testing.T, d modules.Destination, x *event.Delivery) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, err := d.Send(ctx, x)
	return err
}

// Check asks the destination whether all is well, as hookd doctor does.
func Check(t *testing.T, d modules.Destination) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return d.(modules.Checker).Check(ctx)
}

// Want fails the test when err is not the failure that is described; what names
// the case.
func Want(t *testing.T, what string, err error, kind modules.FailureKind, code, text string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", what)
		return
	}
	if f := modules.FailureOf(err); f.Kind != kind || f.Code != code || !strings.Contains(err.Error(), text) {
		t.Errorf("%s: %s (%s): %v, want %s (%s) with %q", what, f.Kind, f.Code, err, kind, code, text)
	}
}

// Table reads cases from a file: one a line, three columns with tabs between
// them; # begins a comment.
func Table(t *testing.T, file string) (cases [][3]string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSuffix(line, "\n"); line == "" || line[0] == '#' {
			continue
		}
		c := strings.Split(line, "\t")
		if len(c) != 3 {
			t.Fatalf("%s: %d columns: %s", file, len(c), line)
		}
		cases = append(cases, [3]string(c))
	}
	return cases
}
