package zeromq_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules/moduletest"
	"github.com/hookd/hookd/modules/zeromq"
)

// connected is hookd as the one that connects, through a network that can fail.
func connected(t *testing.T, peer, kind, more string, file ...string) (*moduletest.Far, *other) {
	t.Helper()
	port := testinfra.FreePort(t)
	o := newOther(t, append([]string{peer, "bind", tcp(port)}, file...)...)
	if peer == "SUB" {
		o.do("subscribe", "")
	}
	o.do("start")
	p := testinfra.NewProxy(t, fmt.Sprintf("127.0.0.1:%d", port))
	far := &moduletest.Far{
		Connection: fmt.Sprintf(`{"endpoint": "tcp://%s", "bind": false}`, p.Addr()),
		Options:    fmt.Sprintf(`{"socket_type": %q, "include_headers": true%s}`, kind, more),
		Received:   o.messages,
		Break:      func() { o.Kill() },
	}
	far.Through(p)
	return far, o
}

// TestREQ loses nothing even when the peer is killed: it replies when it has
// written the event down.
func TestREQ(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module: zeromq.Module(),
		Start: func(t *testing.T) *moduletest.Far {
			far, o := connected(t, "REP", "REQ", "", filepath.Join(t.TempDir(), "events"))
			far.Restart = o.again
			return far
		},
		Bad: []moduletest.Bad{
			{Options: `{"endpoint": "127.0.0.1:5555"}`, Want: "no endpoint", Path: "endpoint"},
			{Options: `{"endpoint": "udp://127.0.0.1:5555"}`, Want: "neither", Path: "endpoint"},
			{Options: `{"endpoint": "tcp://127.0.0.1"}`, Want: "brackets", Path: "endpoint"},
			{Options: `{"endpoint": "tcp://127.0.0.1:*"}`, Want: "port", Path: "endpoint"},
			{Options: `{"endpoint": "tcp://*:5555", "bind": false}`, Want: "nobody can connect to", Path: "endpoint"},
			{Options: `{"endpoint": "tcp://a:1", "socket_type": "SUB"}`, Want: "DEALER", Path: "socket_type"},
			{Options: `{"endpoint": "tcp://a:1", "allowed_hosts": ["a b"]}`, Path: "allowed_hosts"},
			{Connection: `{"endpoint": "nowhere"}`, Want: "no endpoint", Path: "endpoint"},
			{Connection: `{"high_water_mark": 0}`, Path: "high_water_mark"},
		},
	})
}

func TestPUSH(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module: zeromq.Module(),
		Start: func(t *testing.T) *moduletest.Far {
			far, _ := connected(t, "PULL", "PUSH", "")
			return far
		},
	})
}

func TestPUB(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module: zeromq.Module(),
		Start: func(t *testing.T) *moduletest.Far {
			far, _ := connected(t, "SUB", "PUB", `, "require_subscribers": true`)
			return far
		},
	})
}

// bound is hookd as the one that others connect to, which is what the original
// service did.
func bound(t *testing.T, peer, kind, more string, file ...string) *moduletest.Far {
	t.Helper()
	own := testinfra.FreePort(t)
	p := testinfra.NewProxy(t, fmt.Sprintf("127.0.0.1:%d", own))
	o := newOther(t, append([]string{peer, "connect", "tcp://" + p.Addr()}, file...)...)
	if peer == "SUB" {
		o.do("subscribe", "")
	}
	o.do("start")
	return &moduletest.Far{
		Options:  fmt.Sprintf(`{"endpoint": %q, "socket_type": %q, "include_headers": true%s}`, tcp(own), kind, more),
		Received: o.messages, Cut: p.Cut, Restore: p.Restore,
		Stall: p.Mute, // the proxy's server is hookd
		Break: func() { o.Kill() },
	}
}

func TestBound(t *testing.T) {
	for kind, peer := range map[string]string{"PUSH": "PULL", "PUB": "SUB"} {
		t.Run(kind, func(t *testing.T) {
			moduletest.Run(t, moduletest.Harness{
				Module: zeromq.Module(),
				Start: func(t *testing.T) *moduletest.Far {
					return bound(t, peer, kind, `, "require_subscribers": true`)
				},
			})
		})
	}
}
