package testinfra

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Database is the name of the database that the SQL servers have.
const Database = "hookd"

const postgresHome = "/usr/lib/postgresql/*/bin"

// Postgres is PostgreSQL; TLS is on the same port.
func Postgres(t testing.TB) *Server {
	t.Helper()
	return get(t, postgres)
}

var postgres = recipe{
	name:     "postgres",
	needs:    []string{postgresHome + "/initdb"},
	packages: []string{"postgresql"},
	user:     "postgres",
	patience: time.Minute,
	quit:     syscall.SIGINT,  // SIGTERM waits for clients to leave
	crash:    syscall.SIGQUIT, // as SIGKILL, but its children end too, and let go of the data
	setup:    setupPostgres,
	command: func(s *Server) *exec.Cmd {
		_, port := Split(s.Addr)
		return exec.Command(postgresProgram("postgres"), "-D", s.file("data"), "-p", fmt.Sprint(port),
			"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="+s.Dir,
			"-c", "ssl=on", "-c", "ssl_cert_file="+s.file("server.crt"), "-c", "ssl_key_file="+s.file("server.key"))
	},
	ready: func(ctx context.Context, s *Server) error {
		host, port := Split(s.Addr)
		return exec.CommandContext(ctx, postgresProgram("pg_isready"), "-q", "-h", host, "-p", fmt.Sprint(port)).Run()
	},
	version: func(ctx context.Context) (string, error) {
		return printedVersion(ctx, `PostgreSQL\) (\S+)`, postgresProgram("postgres"), "--version")
	},
}

// postgresProgram is the newest that is installed.
func postgresProgram(name string) string {
	all, _ := filepath.Glob(postgresHome + "/" + name)
	return all[len(all)-1]
}

func setupPostgres(s *Server) error {
	p, err := ports(1)
	if err != nil {
		return err
	}
	s.Addr, s.TLSAddr, s.User, s.Password = loopback(p[0]), loopback(p[0]), account, password
	cert, err := joined(s.Certs.ServerCert)
	key, err2 := joined(s.Certs.ServerKey)
	if err := errors.Join(err, err2, s.write("server.crt", cert), s.write("server.key", key), s.write("password", s.Password)); err != nil {
		return err
	}
	// The account's own database is the one of its name.
	return s.run(postgresProgram("initdb"), "-D", s.file("data"), "-U", s.User, "--pwfile="+s.file("password"),
		"-A", "scram-sha-256", "-E", "UTF8", "--no-locale", "-N")
}

// run runs a program of the server's, as its user, to its end.
func (s *Server) run(program string, args ...string) error {
	cmd := exec.Command(program, args...)
	cmd.Dir = s.Dir
	var err error
	if cmd.SysProcAttr, err = attributes(s.r.user); err != nil {
		return err
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(program), err, out)
	}
	return nil
}
