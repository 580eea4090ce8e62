package redisconn

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/hookd/hookd/internal/secret"
)

// TestNothingSentIsNoSuccess: go-redis returns commands that it never sent without
// an error of their own, when it has no connection for them or when the server
// refuses its login.
func TestNothingSentIsNoSuccess(t *testing.T) {
	const password = "the-last-word"
	ended, end := context.WithCancel(t.Context())
	end()
	for name, ctx := range map[string]context.Context{"no connection": ended, "no login": t.Context()} {
		near, far := net.Pipe()
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			in := bufio.NewReader(far)
			for {
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if strings.TrimSpace(line) == password { // the last word of AUTH
					_, _ = io.WriteString(far, "-WRONGPASS invalid username-password pair\r\n")
				}
			}
		}()
		w := &wire{redis: client(&Connection{Host: "h", Port: 1, User: "u", Password: secret.New(password)}, near), cut: func() { _ = near.Close() }}
		cmds, err := w.run(ctx, func(p redis.Pipeliner) {
			p.Set(ctx, "a", "b", 0)
			p.Set(ctx, "c", "d", 0)
		})
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		for _, cmd := range cmds {
			if cmd.Err() == nil {
				t.Errorf("%s: %v looks sent", name, cmd)
			}
		}
		w.close()
		_ = far.Close()
		<-gone
	}
}
