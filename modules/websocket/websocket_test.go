package websocket_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules/moduletest"
	"github.com/hookd/hookd/modules/websocket"
)

const (
	limit = 4 << 20 // bytes of a message that the server takes
	token = "token-of-the-server"
)

// far is the server behind a network that can fail.
func far(t *testing.T, s *server, more string) *moduletest.Far {
	t.Helper()
	s.do("set", "limit", limit)
	p := testinfra.NewProxy(t, s.addr)
	f := &moduletest.Far{
		Connection: fmt.Sprintf(`{"headers": {"Authorization": "Bearer %s"}, "query": {"key": "%s-too"}, "url": "ws://%s/events"}`, token, token, p.Addr()),
		Options:    fmt.Sprintf(`{"include_headers": true%s}`, more),
		Received:   s.messages,
		Poison:     append(append([]byte(`"`), bytes.Repeat([]byte("x"), limit)...), '"'),
		Secrets:    []string{token},
		Break: func() {
			s.do("set", "status", []any{404, map[string]string{}})
			s.do("drop", 1001)
		},
	}
	f.Through(p)
	return f
}

// TestPong is the default: what counts is that the server's library has read the
// message. It may go and come back, but not crash.
func TestPong(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module: websocket.Module(),
		Start: func(t *testing.T) *moduletest.Far {
			s := newServer(t, "")
			f := far(t, s, "")
			f.Restart = func() { s.do("stop"); s.do("start") }
			f.Refuse = func() { s.do("set", "limit", 1) }
			return f
		},
		Bad: bad,
	})
}

// TestReply loses nothing even when the server is killed: it replies when it has
// written the event down.
func TestReply(t *testing.T) {
	for name, c := range map[string]struct{ options, reply string }{
		"any":      {`, "wait_for_response": true`, "taken"},
		"expected": {`, "wait_for_response": true, "expect_reply": "taken", "max_connections": 4`, "taken"},
		"id":       {`, "wait_for_response": true, "match_id": true`, "id"},
	} {
		t.Run(name, func(t *testing.T) {
			moduletest.Run(t, moduletest.Harness{
				Module: websocket.Module(),
				Start: func(t *testing.T) *moduletest.Far {
					s := newServer(t, filepath.Join(t.TempDir(), "events"))
					s.do("set", "reply", c.reply)
					f := far(t, s, c.options)
					f.Restart = func() {
						s.Kill()
						s.run()
						s.do("set", "reply", c.reply)
						s.do("set", "limit", limit)
					}
					f.Refuse = func() { s.do("set", "close", []any{1003, "no text, please", ""}) }
					return f
				},
			})
		})
	}
}

func TestBinary(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module: websocket.Module(),
		Start: func(t *testing.T) *moduletest.Far {
			return far(t, newServer(t, ""), `, "frame": "binary"`)
		},
	})
}

var bad = []moduletest.Bad{
	{Options: `{"url": "http://a/"}`, Want: "ws", Path: "url"},
	{Options: `{"url": "ws:///x"}`, Path: "url"},
	{Options: `{"url": "ws://a/#x"}`, Want: "fragment", Path: "url"},
	{Options: `{"url": "ws://a:99999/"}`, Path: "url"},
	{Options: `{"url": "ws://a/", "headers": {"Sec-WebSocket-Key": "x"}}`, Want: "set by hookd", Path: "headers"},
	{Options: `{"url": "ws://a/", "headers": {"sec-websocket-protocol": "x"}}`, Want: "subprotocols", Path: "headers"},
	{Options: `{"url": "ws://a/", "headers": {"connection": "close"}}`, Want: "belongs to the connection", Path: "headers"},
	{Options: `{"url": "ws://a/", "headers": {"Host": "b"}}`, Want: "belongs to the connection", Path: "headers"},
	{Options: `{"url": "ws://a/", "headers": {"Hookd-Hook": "b"}}`, Want: "set by hookd", Path: "headers"},
	{Options: `{"url": "ws://a/", "headers": {"a b": "x"}}`, Want: "no name of a header", Path: "headers"},
	{Options: `{"url": "ws://a/", "headers": {"A": "x\r\nB: y"}}`, Want: "HTTP does not allow", Path: "headers"},
	{Options: `{"url": "ws://a/", "subprotocols": ["a b"]}`, Want: "no name", Path: "subprotocols"},
	{Options: `{"url": "ws://a/", "subprotocols": ["a", "a"]}`, Want: "twice", Path: "subprotocols"},
	{Options: `{"url": "ws://a/", "timeout": 0}`, Path: "timeout"},
	{Options: `{"url": "ws://a/", "timeout": "1h"}`, Path: "timeout"},
	{Options: `{"url": "ws://a/", "allowed_hosts": ["a b"]}`, Path: "allowed_hosts"},
	{Options: `{"url": "ws://a/", "expect_reply": "ok"}`, Want: "wait_for_response", Path: "expect_reply"},
	{Options: `{"url": "ws://a/", "match_id": true}`, Want: "wait_for_response", Path: "match_id"},
	{Options: `{"url": "ws://a/", "match_id": true, "wait_for_response": true, "format": "raw"}`, Want: "json", Path: "match_id"},
	{Options: `{"url": "ws://a/", "match_id": true, "wait_for_response": true, "expect_reply": "x"}`, Want: "together", Path: "expect_reply"},
	{Options: `{"url": "ws://a/", "frame": "cbor"}`, Want: "binary", Path: "frame"},
	{Options: `{"url": "ws://a/", "reject_codes": ["1011"]}`, Want: "1008", Path: "reject_codes"},
	{Options: `{"url": "ws://a/", "max_connections": 0}`, Path: "max_connections"},
	{Options: `{"url": "ws://a/", "tls": true}`, Want: "wss", Path: "tls"},
	{Options: `{"url": "wss://a/", "tls": false}`, Want: "write ws", Path: "tls"},
	{Options: `{"tls": true}`, Want: "connection's", Path: "tls"},
	{Connection: `{"url": "ftp://a/"}`, Want: "ws", Path: "url"},
	{Connection: `{"url": "ws://a/", "headers": {"Upgrade": "h2c"}}`, Want: "belongs to the connection", Path: "headers"},
}
