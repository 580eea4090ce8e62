package server_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/hookd/hookd/internal/testinfra"
)

// redisFarEnd reads back by an operation of the peer on a key of Redis.
func redisFarEnd(t *testing.T, module, python, operation, key, options string) farEnd {
	s := testinfra.Redis(t)
	t.Logf("Redis %s, read back with Python's %s", s.Version, python)
	_, port := testinfra.Split(s.Addr)
	peer := testinfra.NewPeer(t, python, "../modules/internal/redistest/testdata/peer.py", strconv.Itoa(port), s.User, s.Password)
	return farEnd{
		module:   module,
		connType: "redis",
		addr:     s.Addr,
		connection: func(addr string) string {
			host, port := testinfra.Split(addr)
			return fmt.Sprintf(`{"host": %q, "port": %d, "username": %q, "password": %q}`, host, port, s.User, s.Password)
		},
		options: options,
		ids: func() []string {
			line, err := json.Marshal([]string{operation, key})
			if err != nil {
				t.Fatal(err)
			}
			var all []string
			for _, text := range peer.Ask(string(line)) {
				var id string
				if err := json.Unmarshal([]byte(text), &id); err != nil {
					t.Fatal(err)
				}
				all = append(all, id)
			}
			return all
		},
		kill:    func() { s.Kill(t); s.Start(t) },
		restart: func() { s.Restart(t) },
	}
}

func rqFarEnd(t *testing.T) farEnd {
	queue := testinfra.Unique(t)
	return redisFarEnd(t, "redis_rq", "rq", "queued", queue, fmt.Sprintf(`{"function": "hookd_jobs.record", "queue_name": %q}`, queue))
}

func streamFarEnd(t *testing.T, more string) farEnd {
	stream := testinfra.Unique(t)
	return redisFarEnd(t, "redis_stream", "redis", "appended", stream, fmt.Sprintf(`{"stream": %q%s}`, stream, more))
}

// What Redis refuses for want of rights is a dead letter with its own reason.
func TestRedisDeadLetters(t *testing.T) {
	for name, make := range map[string]func(t *testing.T) farEnd{
		"rq":     rqFarEnd,
		"stream": func(t *testing.T) farEnd { return streamFarEnd(t, "") },
		"publish": func(t *testing.T) farEnd {
			f := streamFarEnd(t, "")
			f.module, f.options = "redis_publish", `{"channel": "refused"}`
			return f
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := make(t)
			as := f.connection
			f.connection = func(addr string) string {
				return strings.Replace(as(addr), `"username": "hookd"`, `"username": "`+testinfra.RedisGuest+`"`, 1)
			}
			f.deadLetters(t, 100, "auth_failed", "NOPERM")
		})
	}
}
