package moduletest

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules"
)

const (
	// patience bounds waits that end at once when all is well.
	patience = 20 * time.Second
	// soon is how long a module may take to notice that its context has ended.
	soon = time.Second
)

// world is a far end with one open destination.
type world struct {
	h     Harness
	far   *Far
	env   modules.Env
	conn  modules.Conn
	dest  modules.Destination
	log   *Log
	dials atomic.Int64
	ids   event.IDs
	close func()
}

// start opens a destination as the host does: decode, open, new.
func start(t *testing.T, h Harness) *world {
	t.Helper()
	w := &world{h: h, far: h.Start(t), log: new(Log)}
	guard, err := netguard.New(netguard.Policy{AllowLoopback: true})
	if err != nil {
		t.Fatal(err)
	}
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		w.dials.Add(1)
		return guard.DialContext(ctx, network, addr)
	}
	transport := netguard.NewTransport(dial, netguard.TransportOptions{})
	w.env = modules.Env{
		Log:   slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Dial:  dial,
		HTTP:  transport,
		Owner: "hookd/test (suite)",
	}
	w.open(t)
	w.close = sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
		defer cancel()
		if err := w.conn.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
		transport.CloseIdleConnections()
	})
	t.Cleanup(w.close)
	return w
}

func (w *world) open(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var (
		c   spec.Described
		err error
	)
	if c = w.h.Module.Connection(); c != nil {
		Decode(t, w.far.Connection, c)
	}
	if w.conn, err = w.h.Module.Open(ctx, w.env, c); err != nil {
		t.Fatalf("Open: %v", err)
	}
	o := w.h.Module.Options()
	Decode(t, w.far.Options, o)
	if w.dest, err = w.h.Module.New(w.env, w.conn, o); err != nil {
		t.Fatalf("New: %v", err)
	}
}

// reopen does what the host does after a lost connection.
func (w *world) reopen(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_ = w.conn.Close(ctx) // it is lost: nothing can be flushed
	w.open(t)
}

// heal does what the host does after a failure.
func (w *world) heal(t *testing.T, err error) {
	t.Helper()
	if modules.FailureOf(err).Kind == modules.Lost {
		w.reopen(t)
	}
}

// Decode reads the text of options or of a connection; "" is none.
func Decode(t testing.TB, text string, into spec.Described) {
	t.Helper()
	if text == "" {
		text = "{}"
	}
	node, problems := spec.ParseJSON("options.json", []byte(text))
	if !problems.HasErrors() {
		problems = append(problems, spec.Decode(node, into, "options")...)
	}
	if problems.HasErrors() {
		t.Fatalf("%s: %v", text, problems)
	}
}

// delivery makes one with all that hookd says about it.
func (w *world) delivery(body []byte) *event.Delivery {
	const lane = "github/" + "suite-1"
	ev := &event.Event{
		ID: w.ids.Next(time.Now()), Hook: "github", Type: "push", Received: time.Now(),
		Remote: netip.MustParseAddr("192.0.2.1"), Subject: "hmac:github",
		Header: http.Header{"Content-Type": {"application/json"}, "X-Sender": {"one", "two"}},
		Body:   body,
	}
	d := &event.Delivery{ID: event.DeliveryID(ev.ID, lane), Event: ev, Lane: lane, Attempt: 1, Body: body}
	d.Header = http.Header{
		"Hookd-Event-Id":    {ev.ID.String()},
		"Hookd-Delivery-Id": {d.ID.String()},
		"Hookd-Hook":        {ev.Hook},
		"Hookd-Attempt":     {strconv.Itoa(d.Attempt)},
		"Traceparent":       {"00-" + strings.Repeat("ab", 16) + "-" + strings.Repeat("cd", 8) + "-01"},
		"Content-Type":      {"application/json"},
	}
	return d
}

func (w *world) carries(body []byte) bool { return w.h.Carries == nil || w.h.Carries(body) }

// send sends and wants success.
func (w *world) send(t *testing.T, d *event.Delivery) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := w.dest.Send(ctx, d); err != nil {
		t.Errorf("Send: %v", err)
	}
}

// fail sends and wants a failure of one of the kinds, with a known code.
func (w *world) fail(t *testing.T, d *event.Delivery, kinds ...modules.FailureKind) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, err := w.dest.Send(ctx, d)
	w.judge(t, err, kinds...)
	return err
}

func (w *world) judge(t *testing.T, err error, kinds ...modules.FailureKind) {
	t.Helper()
	if err == nil {
		t.Error("no error")
		return
	}
	f := modules.FailureOf(err)
	if !modules.KnownCode(w.h.Module.Name(), f.Code) {
		t.Errorf("code %q is not in modules/codes.go: %v", f.Code, err)
	}
	for _, k := range kinds {
		if f.Kind == k {
			return
		}
	}
	t.Errorf("%s (%s), want one of %v: %v", f.Kind, f.Code, kinds, err)
}

// arrived finds the messages of a delivery.
func (w *world) arrived(d *event.Delivery) []Message {
	var all []Message
	for _, m := range w.far.Received() {
		if m.ID == d.ID.String() {
			all = append(all, m)
		}
	}
	return all
}

// within runs f and fails t when it does not return.
func within(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("%s did not return within %v", what, patience)
	}
}

// prompt runs f, a send whose context ends at the time that ended tells, and
// wants it to return soon after that.
func (w *world) prompt(t *testing.T, ended func() time.Time, f func()) {
	t.Helper()
	watch := StartWatch()
	within(t, "the send", f)
	if late := watch.Stop(ended()); late > soon {
		t.Errorf("it returned %v after its context had ended", late)
	}
}

// cancelAfter is a context that ends when something happened, and says when that
// was.
func cancelAfter(t *testing.T, happened <-chan struct{}) (ctx context.Context, ended func() time.Time) {
	ctx, cancel := context.WithCancel(t.Context())
	at := make(chan time.Time, 1)
	go func() {
		select {
		case <-happened:
		case <-ctx.Done(): // the test is over
		}
		at <- time.Now()
		cancel()
	}()
	t.Cleanup(cancel)
	return ctx, func() time.Time { return <-at }
}

// isContext reports an error that is the context's own.
func isContext(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
