package testinfra

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// RedisGuest may neither write nor publish; its password is the server's.
const RedisGuest = "guest-of-hookd"

// Redis is a server with access lists, also on TLS, that writes every change to
// disk before it answers.
func Redis(t testing.TB) *Server {
	t.Helper()
	return get(t, redis)
}

var redis = recipe{
	name:     "redis",
	needs:    []string{"redis-server"},
	packages: []string{"redis-server"},
	user:     "redis",
	patience: 30 * time.Second,
	setup: func(s *Server) error {
		p, err := ports(2)
		if err != nil {
			return err
		}
		s.Addr, s.TLSAddr, s.User, s.Password = loopback(p[0]), loopback(p[1]), account, password
		conf := fmt.Sprintf(`bind 127.0.0.1
port %d
tls-port %d
tls-cert-file %s
tls-key-file %s
tls-ca-cert-file %s
tls-auth-clients no
dir %s
daemonize no
save ""
appendonly yes
appendfsync always
maxmemory-policy noeviction
aclfile %s
`, p[0], p[1], s.Certs.ServerCert, s.Certs.ServerKey, s.Certs.CA, s.Dir, s.file("users.acl"))
		users := fmt.Sprintf("user default off\nuser %s on >%s ~* &* +@all\nuser %s on >%s ~* &* +@read +@connection\n", s.User, s.Password, RedisGuest, s.Password)
		return errors.Join(s.write("redis.conf", conf), s.write("users.acl", users))
	},
	command: func(s *Server) *exec.Cmd {
		return exec.Command("redis-server", s.file("redis.conf"))
	},
	ready: func(ctx context.Context, s *Server) error {
		c, err := dial(ctx, s.Addr)
		if err != nil {
			return err
		}
		defer c.Close()
		deadline, _ := ctx.Deadline()
		_ = c.SetDeadline(deadline)
		fmt.Fprintf(c, "AUTH %s %s\r\nPING\r\n", s.User, s.Password)
		in := bufio.NewReader(c)
		for _, want := range []string{"+OK", "+PONG"} {
			line, err := in.ReadString('\n')
			if err != nil {
				return err
			}
			if strings.TrimSpace(line) != want {
				return errors.New("it answers " + strconv.Quote(line))
			}
		}
		return nil
	},
	version: func(ctx context.Context) (string, error) {
		return printedVersion(ctx, `v=(\S+)`, "redis-server", "--version")
	},
}

// printedVersion runs a program and finds its version in what it prints.
func printedVersion(ctx context.Context, pattern, program string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	m := regexp.MustCompile(pattern).FindSubmatch(out)
	if m == nil {
		return "", errors.Join(err, fmt.Errorf("%s prints %q", program, out))
	}
	return string(m[1]), nil // some programs fail when they print it
}
