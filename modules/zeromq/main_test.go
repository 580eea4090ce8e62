package zeromq_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/moduletest"
	"github.com/hookd/hookd/modules/zeromq"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, testinfra.Cleanup()) }

// other is a socket of libzmq's.
type other struct {
	*testinfra.Peer
	t    testing.TB
	args []string
}

// newOther starts a process with a socket that is not yet bound or connected.
func newOther(t testing.TB, args ...string) *other {
	t.Helper()
	return &other{t: t, args: args, Peer: testinfra.NewPeer(t, "zmq", "testdata/peer.py", args...)}
}

func started(t testing.TB, args ...string) *other {
	t.Helper()
	o := newOther(t, args...)
	o.do("start")
	return o
}

// again kills the process and starts another one in its place.
func (o *other) again() {
	o.Kill()
	o.Peer = testinfra.NewPeer(o.t, "zmq", "testdata/peer.py", o.args...)
	o.do("start")
}

func (o *other) do(op string, arguments ...any) []string {
	line, err := json.Marshal(append([]any{op}, arguments...))
	if err != nil {
		panic(err)
	}
	return o.Ask(string(line))
}

// message is what pyzmq got.
type message struct {
	Frames  [][]byte          `json:"frames"`
	Headers map[string]string `json:"headers"`
}

func (o *other) received() []message {
	var all []message
	for _, line := range o.do("drain") {
		var m message
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			panic(fmt.Sprintf("%v: %s", err, line))
		}
		all = append(all, m)
	}
	return all
}

// messages are those that carry headers.
func (o *other) messages() []moduletest.Message {
	var all []moduletest.Message
	for _, m := range o.received() {
		h := make(http.Header)
		for name, v := range m.Headers {
			h.Add(name, v)
		}
		all = append(all, moduletest.Message{ID: h.Get("Hookd-Delivery-Id"), Body: m.Frames[len(m.Frames)-1], Header: h})
	}
	return all
}

func tcp(port int) string { return fmt.Sprintf("tcp://127.0.0.1:%d", port) }

func delivery(body string) *event.Delivery { return moduletest.Delivery("github/zeromq-1", body) }

// host is an open connection, and the environment of a hook.
type host struct {
	env  modules.Env
	conn modules.Conn
}

func open(t *testing.T, connection string) host {
	t.Helper()
	guard, err := netguard.New(netguard.Policy{AllowLoopback: true})
	if err != nil {
		t.Fatal(err)
	}
	h := host{env: modules.Env{Log: slog.New(slog.DiscardHandler), Dial: guard.DialContext}}
	operator := h.env
	rights, err := netguard.New(netguard.Policy{AllowLoopback: true, Operator: true})
	if err != nil {
		t.Fatal(err)
	}
	operator.Dial = rights.DialContext
	m := zeromq.Module()
	c := m.Connection()
	moduletest.Decode(t, connection, c)
	if h.conn, err = m.Open(t.Context(), operator, c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.conn.Close(context.WithoutCancel(t.Context())) })
	return h
}

func (h host) make(t *testing.T, options string) (modules.Destination, error) {
	t.Helper()
	m := zeromq.Module()
	o := m.Options()
	moduletest.Decode(t, options, o)
	return m.New(h.env, h.conn, o)
}

func (h host) destination(t *testing.T, options string) modules.BatchDestination {
	t.Helper()
	d, err := h.make(t, options)
	if err != nil {
		t.Fatal(err)
	}
	return d.(modules.BatchDestination)
}

func destination(t *testing.T, options string) modules.BatchDestination {
	t.Helper()
	return open(t, `{}`).destination(t, options)
}

// send gives a delivery d three seconds.
func send(t *testing.T, d modules.Destination, x *event.Delivery) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	r, err := d.Send(ctx, x)
	return r.Status, err
}

// want fails the test when err is not the failure that is described.
func want(t *testing.T, what string, err error, code, text string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", what)
		return
	}
	if f := modules.FailureOf(err); f.Kind != modules.Retryable || f.Code != code || !strings.Contains(err.Error(), text) {
		t.Errorf("%s: %s (%s): %v, want %s with %q", what, f.Kind, f.Code, err, code, text)
	}
}
