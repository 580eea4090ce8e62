package testinfra

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"
)

const versitygwVersion = "v1.8.0"

const (
	// S3Region is the region of the server.
	S3Region = "us-east-1"
	// S3Guest is an account without buckets of its own, and so without rights;
	// its password is the server's.
	S3Guest = "guest-of-hookd"
	s3Probe = "/healthz"
)

// S3 is Versity S3 Gateway over a folder. It checks signatures and checksums.
// User and Password are the access key and the secret of an account that may do
// all. Addr and TLSAddr lead to the same buckets; a bucket is in the path.
func S3(t testing.TB) *Server {
	t.Helper()
	return get(t, s3)
}

var s3 = recipe{
	name:     "s3",
	patience: time.Minute,
	fetch: func(s *Server) (err error) {
		s.settings["program"], err = goProgram("github.com/versity/versitygw/cmd/versitygw", versitygwVersion)
		return err
	},
	setup: func(s *Server) error {
		p, err := ports(2)
		if err != nil {
			return err
		}
		s.Addr, s.TLSAddr, s.User, s.Password = loopback(p[0]), loopback(p[1]), account, password
		users, err := json.Marshal(map[string]any{"accessAccounts": map[string]any{
			S3Guest: map[string]any{"access": S3Guest, "secret": password, "role": "user"},
		}})
		if err != nil {
			return err
		}
		return errors.Join(s.folder("data"), s.folder("iam"), os.WriteFile(s.file("iam/users.json"), users, 0o600))
	},
	// One process speaks either with TLS or without.
	beside: func(s *Server) []*exec.Cmd {
		return []*exec.Cmd{s.gateway(s.TLSAddr, "--cert", s.Certs.ServerCert, "--key", s.Certs.ServerKey)}
	},
	command: func(s *Server) *exec.Cmd { return s.gateway(s.Addr) },
	ready: func(ctx context.Context, s *Server) error {
		c, err := dial(ctx, s.TLSAddr)
		if err != nil {
			return err
		}
		_ = c.Close()
		return answers(ctx, "http://"+s.Addr+s3Probe)
	},
	version: func(context.Context) (string, error) { return versitygwVersion, nil },
}

func (s *Server) gateway(addr string, more ...string) *exec.Cmd {
	args := append([]string{
		"--port", addr, "--region", S3Region, "--health", s3Probe, "--iam-dir", s.file("iam"), "--quiet", "--keep-alive",
	}, more...)
	cmd := exec.Command(s.setting("program"), append(args, "posix", s.file("data"))...)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+account, "ROOT_SECRET_KEY="+password)
	cmd.Dir = s.Dir
	return cmd
}
