package mysql_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/moduletest"
	"github.com/hookd/hookd/modules/mysql"
)

// A server that does not let hookd in, or is none.
func TestOpenFailures(t *testing.T) {
	b := newServer(t)
	closed := testinfra.FreePort(t)
	_, port := testinfra.Split(b.Addr)
	for what, c := range map[string]struct{ connection, code, text string }{
		"password":    {strings.Replace(b.connection(), b.Password, "wrong", 1), modules.CodeAuthFailed, `user "hookd" is not let in`},
		"user":        {strings.Replace(b.connection(), `"user": "hookd"`, `"user": "nobody"`, 1), modules.CodeAuthFailed, `user "nobody" is not let in`},
		"database":    {strings.Replace(b.connection(), `"database": "hookd"`, `"database": "other"`, 1), modules.CodeAuthFailed, "other"},
		"nobody":      {fmt.Sprintf(`{"host": "127.0.0.1", "port": %d}`, closed), modules.CodeUnavailable, "refused"},
		"unlisted":    {fmt.Sprintf(`{"host": "192.0.2.1", "port": %d}`, port), modules.CodeEgressDenied, "192.0.2.1"},
		"authorities": {`{"tls": {"ca_file": "/no/such/file"}}`, modules.CodeTLS, "tls.ca_file"},
		"text":        {fmt.Sprintf(`{"connection_string": "mysql://hookd:wrong@%s/hookd"}`, b.Addr), modules.CodeAuthFailed, `user "hookd" is not let in`},
	} {
		_, _, err := open(t, c.connection)
		moduletest.Want(t, what, err, modules.Retryable, c.code, c.text)
		if err != nil && strings.Contains(err.Error(), b.Password) {
			t.Errorf("%s shows the password: %v", what, err)
		}
	}
}

// A far end that is no server of MySQL is named as such, and one that says
// nothing does not hold the opening up.
func TestOpenStrangers(t *testing.T) {
	for greeting, code := range map[string]string{
		"HTTP/1.1 400 Bad Request\r\n\r\n": modules.CodeUnavailable, "": modules.CodeTimeout,
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan struct{})
		go func() {
			defer close(served)
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = c.Write([]byte(greeting))
				if greeting == "" {
					_, _ = c.Read(make([]byte, 100)) // for ever
				}
				_ = c.Close()
			}
		}()
		host, port := testinfra.Split(l.Addr().String())
		guard, err := netguard.New(netguard.Policy{AllowLoopback: true})
		if err != nil {
			t.Fatal(err)
		}
		m := mysql.Module()
		c := m.Connection()
		moduletest.Decode(t, fmt.Sprintf(`{"host": %q, "port": %d}`, host, port), c)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		_, err = m.Open(ctx, modules.Env{Dial: guard.DialContext}, c)
		cancel()
		moduletest.Want(t, fmt.Sprintf("%q", greeting), err, modules.Retryable, code, "")
		_ = l.Close()
		<-served
	}
}

func TestTLS(t *testing.T) {
	b := newServer(t)
	host, port := testinfra.Split(b.TLSAddr)
	settings := func(tls string) string {
		return fmt.Sprintf(`{"host": %q, "port": %d, "database": "hookd", "user": %q, "password": %q, %s}`, host, port, b.User, b.Password, tls)
	}
	text := fmt.Sprintf("mysql://%s:%s@%s/hookd", b.User, b.Password, b.TLSAddr)
	options := fmt.Sprintf(`{"table": %q}`, b.table)
	good := []string{
		settings(fmt.Sprintf(`"tls": {"ca_file": %q}`, b.Certs.CA)),
		settings(fmt.Sprintf(`"tls": {"ca_file": %q, "server_name": "localhost"}`, b.Certs.CA)),
		settings(fmt.Sprintf(`"tls": {"ca_file": %q, "cert_file": %q, "key_file": %q}`, b.Certs.CA, b.Certs.ClientCert, b.Certs.ClientKey)),
		settings(`"tls": {"insecure_skip_verify": true}`),
		settings(fmt.Sprintf(`"ssl": true, "ssl_ca_cert": %q`, b.Certs.CA)),
		settings(fmt.Sprintf(`"ssl": "true", "ssl_ca_cert": %q, "ssl_cert": %q, "ssl_key": %q`, b.Certs.CA, b.Certs.ClientCert, b.Certs.ClientKey)),
		fmt.Sprintf(`{"connection_string": "%s?tls=skip-verify&charset=utf8mb4&parseTime=true"}`, text),
		fmt.Sprintf(`{"connection_string": "%s?ssl-mode=VERIFY_IDENTITY", "ssl_ca_cert": %q}`, text, b.Certs.CA),
	}
	for _, connection := range good {
		d := destination(t, connection, options)
		if err := moduletest.Send(t, d, delivery(`{"tls":1}`)); err != nil {
			t.Errorf("%s: %v", connection, err)
		}
		if err := moduletest.Check(t, d); err != nil {
			t.Errorf("%s: Check: %v", connection, err)
		}
	}
	if n := len(b.rows(t, "id")); n != len(good) {
		t.Errorf("%d rows", n)
	}
	for _, connection := range []string{
		settings(`"tls": true`),
		settings(fmt.Sprintf(`"tls": {"ca_file": %q}`, b.Certs.OtherCA)),
		settings(fmt.Sprintf(`"tls": {"ca_file": %q, "server_name": "other.example"}`, b.Certs.CA)),
		fmt.Sprintf(`{"connection_string": "%s?tls=true"}`, text),
	} {
		_, _, err := open(t, connection)
		moduletest.Want(t, connection, err, modules.Retryable, modules.CodeTLS, "certificate")
	}
	// An account that must use TLS is not let in without.
	b.do("root", "CREATE USER 'tls_only'@'127.0.0.1' IDENTIFIED BY 'tls-only-pw' REQUIRE SSL")
	t.Cleanup(func() { b.do("root", "DROP USER 'tls_only'@'127.0.0.1'") })
	_, _, err := open(t, fmt.Sprintf(`{"host": %q, "port": %d, "database": "hookd", "user": "tls_only", "password": "tls-only-pw"}`, host, port))
	moduletest.Want(t, "without TLS", err, modules.Retryable, modules.CodeAuthFailed, "not let in")
}
