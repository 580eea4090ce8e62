package redistest

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules"
)

// Destination is an open destination of one of the modules.
type Destination struct {
	modules.BatchDestination
	Log *strings.Builder
}

// Env is what a module gets: the real guard, and a log to read.
func Env(t testing.TB) (modules.Env, *strings.Builder) {
	t.Helper()
	guard, err := netguard.New(netguard.Policy{AllowLoopback: true})
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	return modules.Env{Log: slog.New(slog.NewTextHandler(&log, nil)), Dial: guard.DialContext, Owner: "hookd/test (redis)"}, &log
}

// Decode reads a connection or options.
func Decode(t testing.TB, text string, into spec.Described) {
	t.Helper()
	node, problems := spec.ParseJSON("test.json", []byte(text))
	if !problems.HasErrors() {
		problems = append(problems, spec.Decode(node, into, "")...)
	}
	if problems.HasErrors() {
		t.Fatalf("%s: %v", text, problems)
	}
}

// Try opens a connection and makes a destination, as the host does.
func Try(t testing.TB, m modules.Module, connection, options string) (*Destination, error) {
	t.Helper()
	env, log := Env(t)
	c, o := m.Connection(), m.Options()
	Decode(t, connection, c)
	Decode(t, options, o)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	k, err := m.Open(ctx, env, c)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		if err := k.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	d, err := m.New(env, k, o)
	if err != nil {
		return nil, err
	}
	return &Destination{d.(modules.BatchDestination), log}, nil
}

// Open is Try where it must not fail.
func Open(t testing.TB, m modules.Module, connection, options string) *Destination {
	t.Helper()
	d, err := Try(t, m, connection, options)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Send sends one.
func (d *Destination) Send(t testing.TB, x *event.Delivery) modules.Result {
	t.Helper()
	return d.SendAll(t, x)[0]
}

// SendAll sends a batch.
func (d *Destination) SendAll(t testing.TB, xs ...*event.Delivery) []modules.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return d.SendBatch(ctx, xs)
}

// Check runs the destination's check.
func (d *Destination) Check(t testing.TB) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return d.BatchDestination.(modules.Checker).Check(ctx)
}

var ids event.IDs

// Delivery makes the first attempt of a delivery.
func Delivery(body []byte) *event.Delivery {
	ev := &event.Event{
		ID: ids.Next(time.Now()), Hook: "github", Received: time.Now(), Remote: netip.MustParseAddr("192.0.2.1"),
		Header: http.Header{"X-Sender": {"one", "two"}}, Body: body,
	}
	d := &event.Delivery{ID: event.DeliveryID(ev.ID, "github/redis-1"), Event: ev, Lane: "github/redis-1", Attempt: 1, Body: body}
	d.Header = http.Header{
		"Hookd-Event-Id": {ev.ID.String()}, "Hookd-Delivery-Id": {d.ID.String()}, "Hookd-Hook": {ev.Hook}, "Hookd-Attempt": {"1"},
		"Traceparent": {"00-" + strings.Repeat("ab", 16) + "-" + strings.Repeat("cd", 8) + "-01"},
	}
	return d
}
