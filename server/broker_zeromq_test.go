package server_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/hookd/hookd/internal/testinfra"
)

// zeromqFarEnd is a socket of libzmq's. REP replies when it has written the event
// down, so it may be killed; what PULL has taken is gone when it is, so there only
// the network fails.
func zeromqFarEnd(peer, kind string) func(t *testing.T) farEnd {
	return func(t *testing.T) farEnd {
		addr := fmt.Sprintf("127.0.0.1:%d", testinfra.FreePort(t))
		file := filepath.Join(t.TempDir(), "events")
		var p *testinfra.Peer
		start := func() {
			p = testinfra.NewPeer(t, "zmq", "../modules/zeromq/testdata/peer.py", peer, "bind", "tcp://"+addr, file)
			p.Ask(`["start"]`)
		}
		start()
		f := farEnd{
			module:     "zeromq",
			addr:       addr,
			connection: func(addr string) string { return fmt.Sprintf(`{"endpoint": "tcp://%s", "bind": false}`, addr) },
			options:    fmt.Sprintf(`{"socket_type": %q, "include_headers": true}`, kind),
			ids:        func() []string { return p.Ask(`["ids"]`) },
		}
		if peer == "REP" {
			f.kill = func() { p.Kill(); start() }
			f.restart = f.kill
		}
		return f
	}
}
