package websocket_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/moduletest"
	"github.com/hookd/hookd/modules/websocket"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, testinfra.Cleanup()) }

// server is Python's websockets.
type server struct {
	*testinfra.Peer
	t    testing.TB
	args []string
	addr string
}

// newServer starts one. file, "" for none, is where it writes what arrives before
// it replies.
func newServer(t testing.TB, file string, more ...string) *server {
	t.Helper()
	port := testinfra.FreePort(t)
	s := &server{t: t, args: append([]string{strconv.Itoa(port), file}, more...), addr: fmt.Sprintf("127.0.0.1:%d", port)}
	s.run()
	return s
}

func (s *server) run() {
	s.t.Helper()
	s.Peer = testinfra.NewPeer(s.t, "websockets", "testdata/peer.py", s.args...)
	s.do("start")
}

func (s *server) do(op string, arguments ...any) []string {
	s.t.Helper()
	line, err := json.Marshal(append([]any{op}, arguments...))
	if err != nil {
		s.t.Fatal(err)
	}
	return s.Ask(string(line))
}

// message is what the server got.
type message struct {
	Text bool   `json:"text"`
	Data []byte `json:"data"`
}

func (s *server) received() []message {
	var all []message
	for _, line := range s.do("received") {
		var m message
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			panic(fmt.Sprintf("%v: %s", err, line))
		}
		all = append(all, m)
	}
	return all
}

// opened are the requests that opened connections.
func (s *server) opened() []request {
	var all []request
	for _, line := range s.do("asked") {
		var r request
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			panic(fmt.Sprintf("%v: %s", err, line))
		}
		all = append(all, r)
	}
	return all
}

type request struct {
	Path    string            `json:"path"`
	Headers map[string]string `json:"headers"`
}

// parsed is a message of the format json with headers.
func parsed(m message) moduletest.Message {
	var e struct {
		Payload json.RawMessage   `json:"payload"`
		Base64  []byte            `json:"payload_base64"`
		Headers map[string]string `json:"headers"`
		ID      string            `json:"id"`
	}
	if err := json.Unmarshal(m.Data, &e); err != nil {
		panic(fmt.Sprintf("%v: %.80q", err, m.Data))
	}
	r := moduletest.Message{Header: make(http.Header), Body: e.Base64}
	for name, v := range e.Headers {
		r.Header.Add(name, v)
	}
	r.ID = r.Header.Get("Hookd-Delivery-Id")
	if rest, ok := bytes.CutPrefix(m.Data, []byte(`{"payload":`)); ok {
		r.Body = rest[:bytes.LastIndex(rest, []byte(`,"headers":{`))]
		var text string
		if json.Unmarshal(e.Payload, &text) == nil { // it was no JSON
			r.Body = []byte(text)
		}
	}
	return r
}

func (s *server) messages() []moduletest.Message {
	var all []moduletest.Message
	for _, m := range s.received() {
		all = append(all, parsed(m))
	}
	return all
}

func delivery(body string) *event.Delivery { return moduletest.Delivery("github/websocket-1", body) }

// host is an open connection, and the environment of a hook.
type host struct {
	env  modules.Env
	conn modules.Conn
}

// open makes the connection, "" for none. A hook's destinations have the right to
// reach this machine only where hook says so; a connection always has it.
func open(t testing.TB, connection string, hook bool) host {
	t.Helper()
	m := websocket.Module()
	_, conn, err := moduletest.Open(t, m, connection)
	if err != nil {
		t.Fatal(err)
	}
	return host{env: moduletest.Env(t, netguard.Policy{AllowLoopback: hook}), conn: conn}
}

func (h host) destination(t testing.TB, options string) modules.BatchDestination {
	t.Helper()
	return moduletest.New(t, websocket.Module(), h.env, h.conn, options).(modules.BatchDestination)
}

// to is a destination of the server with more options.
func (s *server) to(t testing.TB, more string) modules.BatchDestination {
	t.Helper()
	return open(t, "", true).destination(t, fmt.Sprintf(`{"url": "ws://%s/events"%s}`, s.addr, more))
}

// send gives a delivery twenty seconds, which a busy machine may take.
func send(t *testing.T, d modules.Destination, x *event.Delivery) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r, err := d.Send(ctx, x)
	return r.Status, err
}
