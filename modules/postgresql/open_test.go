package postgresql_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/moduletest"
	"github.com/hookd/hookd/modules/postgresql"
)

// destination opens a connection and makes a destination.
func destination(t testing.TB, connection, options string) (modules.BatchDestination, *moduletest.Log) {
	t.Helper()
	d, log := moduletest.Logged(t, postgresql.Module(), connection, options)
	return d.(modules.BatchDestination), log
}

// want compares the failure of an error; a kind below 0 wants none.
func want(t *testing.T, err error, kind modules.FailureKind, code string, parts ...string) {
	t.Helper()
	f := modules.FailureOf(err)
	if err == nil || f.Kind != kind || f.Code != code {
		t.Errorf("%v (%s), want %v (%s)", err, f.Code, kind, code)
		return
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("%v, want %q in it", err, p)
		}
	}
}

// Who is let in, and what is said where nobody is.
func TestOpen(t *testing.T) {
	b := newDatabase(t)
	host, port := testinfra.Split(b.Addr)
	at := func(more string) string {
		return fmt.Sprintf(`{"host": %q, "port": %d, "user": %q, "password": %q%s}`, host, port, b.User, b.Password, more)
	}
	dsn := func(s string) string { return fmt.Sprintf(`{"connection_string": %q}`, s) }
	_, dead := testinfra.Split("127.0.0.1:1")
	for _, c := range []struct{ connection, code, part string }{
		{at(""), "", ""},
		{at(`, "sslmode": "disable"`), "", ""},
		{at(`, "ssl": {"ca_file": "` + b.Certs.CA + `"}`), "", ""},
		{at(`, "ssl": true, "ssl_ca_cert": "` + b.Certs.CA + `"`), "", ""},
		{at(`, "sslmode": "verify-ca", "ssl_ca_cert": "` + b.Certs.CA + `"`), "", ""},
		{at(`, "sslmode": "verify-ca", "ssl_ca_cert": "` + b.Certs.OtherCA + `"`), "tls", "unknown authority"},
		{at(`, "sslmode": "require", "ssl_ca_cert": "` + b.Certs.OtherCA + `"`), "tls", "unknown authority"},
		{at(`, "ssl_ca_cert": "` + b.Certs.OtherCA + `"`), "tls", "unknown authority"},
		{at(`, "ssl": true`), "tls", "unknown authority"},
		{at(`, "ssl": {"ca_file": "` + b.Certs.CA + `", "server_name": "elsewhere"}`), "tls", "elsewhere"},
		{at(`, "ssl_ca_cert": "/nowhere.pem"`), "tls", "/nowhere.pem"},
		{dsn(fmt.Sprintf("host=%s port=%d user='%s' password=%s dbname = postgres sslmode=require", host, port, b.User, b.Password)), "", ""},
		{dsn(fmt.Sprintf("host=localhost hostaddr=127.0.0.1 port=%d user=%s password=%s sslmode=verify-full sslrootcert=%s", port, b.User, b.Password, b.Certs.CA)), "", ""},
		{dsn(fmt.Sprintf("hostaddr=127.0.0.1 host=nowhere.invalid port=%d user=%s password=%s", port, b.User, b.Password)), "", ""},
		{dsn(fmt.Sprintf("host=nowhere.invalid hostaddr=127.0.0.1 port=%d user=%s password=%s sslmode=verify-full sslrootcert=%s", port, b.User, b.Password, b.Certs.CA)), "tls", "nowhere.invalid"},
		{dsn(fmt.Sprintf("postgres://%s:%s@%s/nosuch", b.User, b.Password, b.Addr)), "not_found", `"nosuch" does not exist`},
		{dsn(fmt.Sprintf("postgres://%s:wrong@%s/postgres", b.User, b.Addr)), "auth_failed", "password authentication failed"},
		{fmt.Sprintf(`{"host": %q, "port": %d, "user": "nobody", "password": "x"}`, host, port), "auth_failed", `"nobody"`},
		{fmt.Sprintf(`{"host": %q, "port": %d}`, host, dead), "unavailable", "refused"},
	} {
		_, _, err := moduletest.Open(t, postgresql.Module(), c.connection)
		if c.code == "" {
			if err != nil {
				t.Errorf("%s: %v", c.connection, err)
			}
			continue
		}
		want(t, err, modules.Retryable, c.code, c.part)
		if strings.Contains(fmt.Sprint(err), b.Password) {
			t.Errorf("the password is shown: %v", err)
		}
	}
}

// What the library would take from the environment is not taken.
func TestEnvironmentIsNotRead(t *testing.T) {
	b := newDatabase(t)
	t.Setenv("PGPASSWORD", b.Password)
	t.Setenv("PGHOST", "192.0.2.1")
	t.Setenv("PGOPTIONS", "-c search_path=nowhere")
	host, port := testinfra.Split(b.Addr)
	_, _, err := moduletest.Open(t, postgresql.Module(), fmt.Sprintf(`{"host": %q, "port": %d, "user": %q}`, host, port, b.User))
	want(t, err, modules.Retryable, "auth_failed")
	d, _ := destination(t, b.connection(), fmt.Sprintf(`{"table": %q}`, b.table))
	if err := moduletest.Send(t, d, delivery(`{}`)); err != nil {
		t.Error(err)
	}
}
