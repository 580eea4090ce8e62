package testinfra

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What every test finds in RabbitMQ beside the account that may do all.
const (
	RabbitVhost = "hookd"
	// RabbitGuest may read all and neither write nor declare; its password is
	// that of the server.
	RabbitGuest = "guest-of-hookd"
	// RabbitMaxMessage is the size in bytes above which a message is refused.
	RabbitMaxMessage = 4 << 20
)

// RabbitMQ is a broker with a virtual host, also on TLS, which asks for no
// client certificate but checks the one it is shown.
func RabbitMQ(t testing.TB) *Server {
	t.Helper()
	return get(t, rabbitmq)
}

const rabbitHome = "/usr/lib/rabbitmq/lib/rabbitmq_server-*"

var rabbitmq = recipe{
	name:     "rabbitmq",
	needs:    []string{rabbitHome + "/sbin/rabbitmq-server", "erl", "epmd"},
	packages: []string{"rabbitmq-server"},
	user:     "rabbitmq",
	patience: 3 * time.Minute, // about 8 s of CPU, on a machine that has other work
	setup:    setupRabbit,
	beside: func(s *Server) []*exec.Cmd {
		// Erlang's name server. Left alone, Erlang starts one as a daemon that
		// outlives everything.
		cmd := exec.Command("epmd", "-address", "127.0.0.1", "-port", s.setting("epmd"))
		cmd.Env = s.rabbitEnv()
		return []*exec.Cmd{cmd}
	},
	command: func(s *Server) *exec.Cmd {
		// Not /usr/sbin/rabbitmq-server, which insists on /var/lib/rabbitmq.
		home, _ := filepath.Glob(rabbitHome)
		cmd := exec.Command(filepath.Join(home[0], "sbin", "rabbitmq-server"))
		cmd.Dir, cmd.Env = s.Dir, s.rabbitEnv()
		return cmd
	},
	ready: func(ctx context.Context, s *Server) error {
		c, err := dial(ctx, s.Addr)
		if err != nil {
			return err
		}
		defer c.Close()
		deadline, _ := ctx.Deadline()
		_ = c.SetDeadline(deadline)
		if _, err := c.Write([]byte("AMQP\x00\x00\x09\x01")); err != nil {
			return err
		}
		_, err = io.ReadFull(c, make([]byte, 8))
		return err
	},
	version: func(context.Context) (string, error) {
		home, err := filepath.Glob(rabbitHome)
		if err != nil || len(home) == 0 {
			return "", errors.Join(errMissing, err)
		}
		_, v, _ := strings.Cut(path.Base(home[0]), "-")
		return v, nil
	},
}

func setupRabbit(s *Server) error {
	p, err := ports(4)
	if err != nil {
		return err
	}
	s.Addr, s.TLSAddr, s.User, s.Password = loopback(p[0]), loopback(p[1]), account, password
	s.settings["epmd"], s.settings["dist"] = strconv.Itoa(p[2]), strconv.Itoa(p[3])
	definitions, err := rabbitDefinitions(s)
	if err != nil {
		return err
	}
	// Erlang terms: a .conf file costs seconds more at every start.
	config := fmt.Sprintf(`[{rabbit, [
  {tcp_listeners, [{"127.0.0.1", %d}]}, {ssl_listeners, [{"127.0.0.1", %d}]},
  {ssl_options, [{cacertfile, %q}, {certfile, %q}, {keyfile, %q}, {verify, verify_peer}, {fail_if_no_peer_cert, false}]},
  {load_definitions, %q}, {disk_free_limit, 50000000}, {max_message_size, %d}]}].
`, p[0], p[1], s.Certs.CA, s.Certs.ServerCert, s.Certs.ServerKey, s.file("definitions.json"), RabbitMaxMessage)
	return errors.Join(
		s.folder("mnesia"), s.folder("log"),
		s.write("definitions.json", definitions),
		s.write("rabbitmq.config", config),
		s.write("enabled_plugins", "[].\n"),
		s.write("inetrc", "{lookup, [file]}.\n{hosts_file, \"/etc/hosts\"}.\n"),
	)
}

// rabbitDefinitions are the accounts and the virtual host.
func rabbitDefinitions(s *Server) (string, error) {
	hash := sha256.Sum256(append([]byte("salt"), s.Password...))
	login := func(name string, tags ...string) map[string]any {
		return map[string]any{
			"name": name, "tags": append([]string{}, tags...), "hashing_algorithm": "rabbit_password_hashing_sha256",
			"password_hash": base64.StdEncoding.EncodeToString(append([]byte("salt"), hash[:]...)),
		}
	}
	rights := func(name, configure, write string) map[string]string {
		return map[string]string{"user": name, "vhost": RabbitVhost, "configure": configure, "write": write, "read": ".*"}
	}
	b, err := json.Marshal(map[string]any{
		"users":       []any{login(s.User, "administrator"), login(RabbitGuest)},
		"vhosts":      []any{map[string]string{"name": RabbitVhost}},
		"permissions": []any{rights(s.User, ".*", ".*"), rights(RabbitGuest, "^$", "^$")},
	})
	return string(b), err
}

// setting is a fact of the recipe's own.
func (s *Server) setting(name string) string { return s.settings[name] }

func (s *Server) rabbitEnv() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "HOME=" + s.Dir,
		"RABBITMQ_NODENAME=hookdtest@localhost", "RABBITMQ_DIST_PORT=" + s.setting("dist"),
		"ERL_EPMD_PORT=" + s.setting("epmd"), "ERL_EPMD_ADDRESS=127.0.0.1",
		"RABBITMQ_MNESIA_BASE=" + s.file("mnesia"), "RABBITMQ_LOG_BASE=" + s.file("log"), "RABBITMQ_LOGS=" + s.file("log/rabbit.log"),
		"RABBITMQ_CONFIG_FILE=" + s.file("rabbitmq.config"), "RABBITMQ_ENABLED_PLUGINS_FILE=" + s.file("enabled_plugins"),
		"RABBITMQ_PID_FILE=" + s.file("pid"), "RABBITMQ_CONF_ENV_FILE=" + s.file("none"),
		// The launcher becomes the server instead of standing above it, so that
		// signals reach the server and it dies with the tests.
		"RABBITMQ_ALLOW_INPUT=1",
		`RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-noinput -kernel inet_dist_use_interface {127,0,0,1} -kernel inetrc '"` + s.file("inetrc") + `"'`,
	}
}

// RabbitCtl runs rabbitmqctl on a server that RabbitMQ returned. It takes some
// seconds.
func (s *Server) RabbitCtl(t testing.TB, args ...string) {
	t.Helper()
	home, _ := filepath.Glob(rabbitHome)
	var out strings.Builder
	cmd := exec.Command(filepath.Join(home[0], "sbin", "rabbitmqctl"), args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = s.Dir, s.rabbitEnv(), &out, &out
	var err error
	if cmd.SysProcAttr, err = attributes(s.r.user); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Run(); err != nil {
		t.Fatalf("rabbitmqctl %s: %v\n%s", strings.Join(args, " "), err, out.String())
	}
}
