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

const (
	// MosquittoMaxMessage is the payload in bytes above which a message is
	// acknowledged and dropped, and the connection closed.
	MosquittoMaxMessage = 4 << 20
	// MosquittoReadOnly is a topic that the account may read and not write.
	MosquittoReadOnly = "hookd-reads"
	// MosquittoAdmin may do all; its password is that of the account.
	MosquittoAdmin = "admin"
)

// Mosquitto is an MQTT broker with passwords, also on TLS, and at MutualTLSAddr
// for clients with a certificate, whose name is the account. The account may
// read and write everything below "hookd/". Stop keeps what it has, a Kill loses
// what came since it wrote to disk the last time.
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
		p, err := ports(3)
		if err != nil {
			return err
		}
		s.Addr, s.TLSAddr, s.MutualTLSAddr, s.User, s.Password = loopback(p[0]), loopback(p[1]), loopback(p[2]), account, password
		secured := fmt.Sprintf("certfile %s\nkeyfile %s\ncafile %s\ntls_version tlsv1.2\n", s.Certs.ServerCert, s.Certs.ServerKey, s.Certs.CA)
		conf := fmt.Sprintf(`per_listener_settings false
allow_anonymous false
password_file %s
acl_file %s
persistence true
persistence_location %s/
max_queued_messages 0
message_size_limit %d
log_dest stdout
listener %d 127.0.0.1
listener %d 127.0.0.1
%slistener %d 127.0.0.1
require_certificate true
use_identity_as_username true
%s`, s.file("passwd"), s.file("acl"), s.Dir, MosquittoMaxMessage, p[0], p[1], secured, p[2], secured)
		if err := errors.Join(
			s.write("conf", conf), s.write("passwd", ""),
			s.write("acl", "user "+account+"\ntopic readwrite hookd/#\ntopic read "+MosquittoReadOnly+"\nuser "+MosquittoAdmin+"\ntopic readwrite #\n"),
		); err != nil {
			return err
		}
		for _, user := range []string{account, MosquittoAdmin} {
			out, err := exec.Command("mosquitto_passwd", "-b", s.file("passwd"), user, password).CombinedOutput()
			if err != nil {
				return fmt.Errorf("mosquitto_passwd: %w\n%s", err, out)
			}
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
