package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/hookd/hookd/internal/testinfra"
)

// websocketFarEnd is Python's websockets. With replies it replies when it has
// written the event down, so it may be killed; what it has only read is gone when
// it is, so without replies it is not killed, only restarted.
func websocketFarEnd(reply, options string) func(t *testing.T) farEnd {
	return func(t *testing.T) farEnd {
		port := testinfra.FreePort(t)
		addr := fmt.Sprintf("127.0.0.1:%d", port)
		file := filepath.Join(t.TempDir(), "events")
		var p *testinfra.Peer
		do := func(op string, arguments ...any) []string {
			line, err := json.Marshal(append([]any{op}, arguments...))
			if err != nil {
				t.Fatal(err)
			}
			return p.Ask(string(line))
		}
		start := func() {
			p = testinfra.NewPeer(t, "websockets", "../modules/websocket/testdata/peer.py", strconv.Itoa(port), file)
			if reply != "" {
				do("set", "reply", reply)
			}
			do("start")
		}
		start()
		f := farEnd{
			module:     "websocket",
			addr:       addr,
			connection: func(addr string) string { return fmt.Sprintf(`{"url": "ws://%s/events"}`, addr) },
			options:    `{"include_headers": true` + options + `}`,
			ids:        func() []string { return do("ids") },
			restart:    func() { do("stop"); do("start") },
			inLoop:     func(n int) { websocketLoop(t, addr, reply, n) },
		}
		if reply != "" {
			f.kill = func() { p.Kill(); start() }
		}
		return f
	}
}

// websocketLoop sends bodies of the events' size, and waits for the reply to each,
// or for the answer to a ping behind it.
func websocketLoop(t *testing.T, addr, reply string, n int) {
	t.Helper()
	c, resp, err := websocket.DefaultDialer.DialContext(t.Context(), "ws://"+addr+"/loop", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	defer c.Close()
	came := make(chan struct{}, 1)
	c.SetPongHandler(func(string) error { came <- struct{}{}; return nil })
	go func() {
		for {
			if _, _, err := c.NextReader(); err != nil {
				close(came)
				return
			}
			came <- struct{}{}
		}
	}()
	body := append(append([]byte(`{"id":"x","payload":"`), bytes.Repeat([]byte("x"), 1500)...), '"', '}')
	for range n {
		err := c.WriteMessage(websocket.TextMessage, body)
		if err == nil && reply == "" {
			err = c.WriteMessage(websocket.PingMessage, nil)
		}
		if _, ok := <-came; err != nil || !ok {
			t.Fatalf("%v", err)
		}
	}
}
