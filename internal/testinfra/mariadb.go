package testinfra

import (
	"context"
	"fmt"
	"os/exec"
	"testing"
	"time"
)

// MariaDB speaks MySQL's protocol; TLS is on the same port.
func MariaDB(t testing.TB) *Server {
	t.Helper()
	return get(t, mariadb)
}

var mariadb = recipe{
	name:     "mariadb",
	needs:    []string{"/usr/sbin/mariadbd", "mariadb-install-db", "mariadb-admin"},
	packages: []string{"mariadb-server"},
	user:     "mysql",
	patience: time.Minute,
	setup: func(s *Server) error {
		p, err := ports(1)
		if err != nil {
			return err
		}
		s.Addr, s.TLSAddr, s.User, s.Password = loopback(p[0]), loopback(p[0]), account, password
		init := fmt.Sprintf("CREATE DATABASE IF NOT EXISTS %[1]s;\nCREATE USER IF NOT EXISTS %[2]s@'127.0.0.1' IDENTIFIED BY '%[3]s';\nGRANT ALL ON %[1]s.* TO %[2]s@'127.0.0.1';\n",
			Database, account, password)
		if err := s.write("init.sql", init); err != nil {
			return err
		}
		return s.run("mariadb-install-db", "--no-defaults", "--datadir="+s.file("data"), "--auth-root-authentication-method=normal", "--skip-test-db")
	},
	command: func(s *Server) *exec.Cmd {
		_, port := Split(s.Addr)
		return exec.Command("/usr/sbin/mariadbd", "--no-defaults", "--datadir="+s.file("data"), "--port="+fmt.Sprint(port),
			"--bind-address=127.0.0.1", "--socket="+s.file("s.sock"), "--pid-file="+s.file("pid"), "--skip-name-resolve", "--init-file="+s.file("init.sql"),
			"--innodb-flush-log-at-trx-commit=1", "--ssl-cert="+s.Certs.ServerCert, "--ssl-key="+s.Certs.ServerKey, "--ssl-ca="+s.Certs.CA)
	},
	ready: func(ctx context.Context, s *Server) error {
		return exec.CommandContext(ctx, "mariadb-admin", "--no-defaults", "-u", "root", "-S", s.file("s.sock"), "ping").Run()
	},
	version: func(ctx context.Context) (string, error) {
		return printedVersion(ctx, `Ver (\S+)`, "/usr/sbin/mariadbd", "--version")
	},
}
