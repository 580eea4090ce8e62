package websocket_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/moduletest"
	"github.com/hookd/hookd/modules/websocket"
)

// The request that opens a connection shows what the configuration says, and
// nothing more.
func TestRequest(t *testing.T) {
	t.Parallel()
	s := newServer(t, "")
	s.do("stop")
	s.do("set", "subprotocols", []string{"v2.events", "v1.events"})
	s.do("start")
	h := open(t, fmt.Sprintf(`{"url": "ws://user:pass%%20word@%s/a%%2Fb?x=1", "query": {"key": "a b&c"}, "headers": {"x-own": "1", "X-Both": "connection"}}`, s.addr), false)
	if _, err := send(t, h.destination(t, `{"headers": {"x-both": "destination", "Origin": "https://hookd.example"}, "query": {"more": "ü"}, "subprotocols": ["v1.events", "v2.events"]}`), delivery(`{}`)); err != nil {
		t.Fatal(err)
	}
	r := s.opened()[0]
	if r.Path != "/a%2Fb?x=1&key=a+b%26c&more=%C3%BC" {
		t.Errorf("path %q", r.Path)
	}
	for name, want := range map[string]string{
		"authorization": "Basic dXNlcjpwYXNzIHdvcmQ=", "x-own": "1", "x-both": "destination", "origin": "https://hookd.example", "user-agent": "hookd/1.2.3",
		"host": s.addr, "sec-websocket-protocol": "v1.events, v2.events", "upgrade": "websocket", "connection": "Upgrade", "sec-websocket-version": "13",
	} {
		if r.Headers[name] != want {
			t.Errorf("%s is %q, want %q", name, r.Headers[name], want)
		}
	}
	if len(r.Headers) != 11 { // those and the key
		t.Errorf("%v", r.Headers)
	}
}

// A destination with a url of its own gets nothing of the connection's, and has
// no more rights than a hook.
func TestOwnURL(t *testing.T) {
	t.Parallel()
	s := newServer(t, "")
	h := open(t, `{"url": "ws://other.example/", "headers": {"Authorization": "Bearer secret"}, "query": {"key": "secret"}}`, false)
	own := fmt.Sprintf(`{"url": "ws://%s/own"`, s.addr)
	_, err := send(t, h.destination(t, own+`}`), delivery(`{}`))
	moduletest.Want(t, "a hook", err, modules.Retryable, modules.CodeEgressDenied, "loopback")
	if len(s.opened()) != 0 {
		t.Error("it was reached")
	}
	h = open(t, `{"url": "ws://other.example/", "headers": {"Authorization": "Bearer secret"}, "query": {"key": "secret"}}`, true)
	if _, err = send(t, h.destination(t, own+`}`), delivery(`{}`)); err != nil {
		t.Fatal(err)
	}
	if r := s.opened()[0]; r.Path != "/own" || r.Headers["authorization"] != "" {
		t.Errorf("%+v", r)
	}
}

func TestNoURL(t *testing.T) {
	t.Parallel()
	h := open(t, "", false)
	m := websocket.Module()
	o := m.Options()
	moduletest.Decode(t, `{}`, o)
	if _, err := m.New(h.env, h.conn, o); err == nil || !strings.Contains(err.Error(), `neither the destination nor its connection has a "url"`) {
		t.Error(err)
	}
}

// Environment variables that name a proxy are not for hookd.
func TestNoProxy(t *testing.T) {
	s := newServer(t, "")
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"} {
		t.Setenv(name, "http://127.0.0.1:1")
	}
	if _, err := send(t, s.to(t, ``), delivery(`{}`)); err != nil {
		t.Error(err)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	certs := testinfra.Certificates(t)
	s := newServer(t, "", certs.ServerCert, certs.ServerKey)
	to := func(tls string) modules.BatchDestination {
		return open(t, "", true).destination(t, fmt.Sprintf(`{"url": "wss://%s/events"%s}`, s.addr, tls))
	}
	for _, tls := range []string{
		fmt.Sprintf(`, "tls": {"ca_file": %q}`, certs.CA),
		fmt.Sprintf(`, "tls": {"ca_file": %q, "server_name": "localhost", "cert_file": %q, "key_file": %q}`, certs.CA, certs.ClientCert, certs.ClientKey),
		`, "tls": {"insecure_skip_verify": true}`,
	} {
		if _, err := send(t, to(tls), delivery(`{}`)); err != nil {
			t.Errorf("%s: %v", tls, err)
		}
	}
	for tls, text := range map[string]string{
		``: "unknown authority",
		fmt.Sprintf(`, "tls": {"ca_file": %q}`, certs.OtherCA):                            "unknown authority",
		fmt.Sprintf(`, "tls": {"ca_file": %q, "server_name": "other.example"}`, certs.CA): "other.example",
		fmt.Sprintf(`, "tls": {"ca_file": %q}`, certs.ServerKey):                          "holds no certificate",
		`, "tls": {"ca_file": "/missing.pem"}`:                                            "ca_file",
	} {
		_, err := send(t, to(tls), delivery(`{}`))
		moduletest.Want(t, tls, err, modules.Retryable, modules.CodeTLS, text)
	}
	plain := open(t, "", true).destination(t, fmt.Sprintf(`{"url": "ws://%s/"}`, s.addr))
	_, err := send(t, plain, delivery(`{}`))
	moduletest.Want(t, "ws at a wss port", err, modules.Retryable, modules.CodeUnavailable, "")
}

// raw answers each connection with the same bytes.
func rawServer(t *testing.T, answer func(c net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				answer(c)
			}
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return l.Addr().String()
}

// What is no WebSocket server is said to be none, without its bytes, and is not
// read for ever.
func TestStrangers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer     func(net.Conn)
		code, text string
	}{
		"SSH":      {func(c net.Conn) { fmt.Fprint(c, "SSH-2.0-secret\r\n") }, modules.CodeBadAnswer, "does not answer as HTTP does"},
		"hangs up": {func(net.Conn) {}, modules.CodeUnavailable, "hung up"},
		"wrong key": {func(c net.Conn) {
			fmt.Fprint(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n")
		}, modules.CodeBadAnswer, "does not speak WebSocket"},
		"endless": {func(c net.Conn) {
			fmt.Fprint(c, "HTTP/1.1 101 Switching Protocols\r\n")
			for {
				if _, err := fmt.Fprintf(c, "X-Filler: %s\r\n", strings.Repeat("x", 4000)); err != nil {
					return
				}
			}
		}, modules.CodeBadAnswer, "more than 65536 bytes"},
	} {
		d := open(t, "", true).destination(t, fmt.Sprintf(`{"url": "ws://%s/?x=secret"}`, rawServer(t, c.answer)))
		_, err := send(t, d, delivery(`{}`))
		moduletest.Want(t, name, err, modules.Retryable, c.code, c.text)
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A message of the server that is too large ends the connection; the next
// delivery opens another one.
func TestReadLimit(t *testing.T) {
	t.Parallel()
	s := newServer(t, "")
	s.do("set", "reply", strings.Repeat("x", 2000))
	d := s.to(t, `, "wait_for_response": true, "max_reply_size": 1000`)
	_, err := send(t, d, delivery(`{}`))
	moduletest.Want(t, "a large reply", err, modules.Retryable, modules.CodeBadAnswer, "max_reply_size")
	s.do("set", "reply", "ok")
	if _, err := send(t, d, delivery(`{}`)); err != nil {
		t.Error(err)
	}
}

// What the operator says is too large is not sent at all.
func TestMaxMessageSize(t *testing.T) {
	t.Parallel()
	s := newServer(t, "")
	d := s.to(t, `, "max_message_size": 20`)
	_, err := send(t, d, delivery(`{"a":"0123456789"}`))
	moduletest.Want(t, "a large message", err, modules.Rejected, modules.CodeTooLarge, "more than max_message_size, 20")
	if len(s.opened()) != 0 {
		t.Error("a connection was opened for it")
	}
	if _, err := send(t, d, delivery(`{}`)); err != nil {
		t.Error(err)
	}
}

// An idle connection is kept open by pings, and one that has gone silent is found
// out.
func TestIdle(t *testing.T) {
	t.Parallel()
	s := newServer(t, "")
	p := testinfra.NewProxy(t, s.addr)
	d := open(t, "", true).destination(t, fmt.Sprintf(`{"url": "ws://%s/", "ping_interval": "50ms"}`, p.Addr()))
	if _, err := send(t, d, delivery(`{}`)); err != nil {
		t.Fatal(err)
	}
	before := p.Accepted()         // more than one where the machine is as slow as a silent server
	entered, release := p.Freeze() // nobody sends: what is held is a ping
	select {
	case <-entered:
	case <-time.After(20 * time.Second):
		t.Error("no ping within 20 s")
	}
	<-time.After(2 * time.Second) // far more than twice the interval, and a second
	release()
	if _, err := send(t, d, delivery(`{}`)); err != nil || p.Accepted() <= before {
		t.Errorf("%v, %d connections: the silent one was not given up", err, p.Accepted())
	}
	s.do("drop", 1001) // the server hangs up while nobody sends
	for s.do("count")[0] != "0" {
		<-time.After(time.Millisecond)
	}
	if _, err := send(t, d, delivery(`{}`)); err != nil {
		t.Error(err)
	}
}

// A destination that a change of the configuration leaves behind does not keep
// its connections.
func TestLeftBehind(t *testing.T) {
	t.Parallel()
	s := newServer(t, "")
	h := open(t, "", true)
	if _, err := send(t, h.destination(t, fmt.Sprintf(`{"url": "ws://%s/"}`, s.addr)), delivery(`{}`)); err != nil {
		t.Fatal(err)
	}
	deadline := time.After(20 * time.Second)
	for s.do("count")[0] != "0" {
		runtime.GC()
		select {
		case <-time.After(10 * time.Millisecond):
		case <-deadline:
			t.Fatal("its connection is open after 20 s")
		}
	}
}

// A destination outlives nothing: after Close there is no connection.
func TestAfterClose(t *testing.T) {
	t.Parallel()
	s := newServer(t, "")
	h := open(t, "", true)
	d := h.destination(t, fmt.Sprintf(`{"url": "ws://%s/"}`, s.addr))
	if err := h.conn.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	_, err := send(t, d, delivery(`{}`))
	moduletest.Want(t, "closed", err, modules.Retryable, modules.CodeShutdown, "closed")
}

// Legal and unwise.
func TestWarnings(t *testing.T) {
	t.Parallel()
	for text, field := range map[string]string{
		`{"url": "ws://a/", "headers": {"Authorization": "Bearer x"}}`:  "url",
		`{"url": "wss://a/?access_token=x"}`:                            "url",
		`{"url": "wss://u:p@a/"}`:                                       "url",
		`{"url": "wss://a/", "format": "text"}`:                         "format",
		`{"url": "wss://a/", "format": "raw", "include_headers": true}`: "include_headers",
		`{"url": "wss://a/", "confirm": false}`:                         "confirm",
		`{"url": "wss://a/", "max_retries": "3"}`:                       "max_retries",
		`{"url": "wss://a/", "path": "/x"}`:                             "path",
		`{"url": "wss://a/", "broadcast": true}`:                        "broadcast",
	} {
		node, list := spec.ParseJSON("f", []byte(text))
		list = append(list, spec.Decode(node, websocket.Module().Options(), "")...)
		var fields []string
		for _, p := range list {
			fields = append(fields, p.Path)
		}
		if list.HasErrors() || !slices.Contains(fields, field) {
			t.Errorf("%s: %v", text, list)
		}
	}
}
