package testinfra

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"testing"
	"time"
)

// Mosquitto is an MQTT broker with passwords, also on TLS. The account may read
// and write everything below "hookd/", except that "hookd/forbidden" may not be
// written.
func Mosquitto(t testing.TB) *Server {
	t.Helper()
	return get(t, mosquitto)
}

var mosquitto = recipe{
	name:     "mosquitto",
	needs:    []string{"mosquitto", "mosquitto_passwd"},
	packages: []string{"mosquitto"},
	user:     "mosquitto",
	patience: 30 * time.Second,
	setup: func(s *Server) error {
		p, err := ports(2)
		if err != nil {
			return err
		}
		s.Addr, s.TLSAddr, s.User, s.Password = loopback(p[0]), loopback(p[1]), account, password
		conf := fmt.Sprintf(`per_listener_settings false
allow_anonymous false
password_file %s
acl_file %s
persistence true
persistence_location %s/
autosave_on_changes true
autosave_interval 1
max_queued_messages 0
log_dest stdout
listener %d 127.0.0.1
listener %d 127.0.0.1
certfile %s
keyfile %s
cafile %s
tls_version tlsv1.2
`, s.file("passwd"), s.file("acl"), s.Dir, p[0], p[1], s.Certs.ServerCert, s.Certs.ServerKey, s.Certs.CA)
		if err := errors.Join(
			s.write("conf", conf), s.write("passwd", ""),
			s.write("acl", "user "+account+"\ntopic readwrite hookd/#\ntopic deny hookd/forbidden\n"),
		); err != nil {
			return err
		}
		out, err := exec.Command("mosquitto_passwd", "-b", s.file("passwd"), account, password).CombinedOutput()
		if err != nil {
			return fmt.Errorf("mosquitto_passwd: %w\n%s", err, out)
		}
		return own(s.file("passwd"), s.r.user)
	},
	command: func(s *Server) *exec.Cmd {
		return exec.Command("mosquitto", "-c", s.file("conf"))
	},
	ready: func(ctx context.Context, s *Server) error {
		c, err := dial(ctx, s.Addr)
		if err != nil {
			return err
		}
		defer c.Close()
		deadline, _ := ctx.Deadline()
		_ = c.SetDeadline(deadline)
		// CONNECT of MQTT 3.1.1 without an account: refused, by one who works.
		if _, err := c.Write([]byte("\x10\x0d\x00\x04MQTT\x04\x02\x00\x0a\x00\x01a")); err != nil {
			return err
		}
		_, err = io.ReadFull(c, make([]byte, 4))
		return err
	},
	version: func(ctx context.Context) (string, error) {
		return printedVersion(ctx, `mosquitto version (\S+)`, "mosquitto", "-h")
	},
}
