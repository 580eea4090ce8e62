package activemq_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/activemq"
	"github.com/hookd/hookd/modules/moduletest"
)

func open(t *testing.T, connection string) (modules.Env, modules.Conn, error) {
	t.Helper()
	guard, err := netguard.New(netguard.Policy{AllowLoopback: true})
	if err != nil {
		t.Fatal(err)
	}
	env := modules.Env{Log: slog.New(slog.DiscardHandler), Dial: guard.DialContext, Owner: "hookd/1.2.3 (test)"}
	m := activemq.Module()
	c := m.Connection()
	moduletest.Decode(t, connection, c)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	conn, err := m.Open(ctx, env, c)
	if err == nil {
		t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(ctx)) })
	}
	return env, conn, err
}

// on makes a destination on an open connection.
func on(t *testing.T, conn modules.Conn, options string) modules.BatchDestination {
	t.Helper()
	return moduletest.New(t, activemq.Module(), modules.Env{}, conn, options).(modules.BatchDestination)
}

// destination opens a connection and makes a destination.
func destination(t *testing.T, connection, options string) modules.BatchDestination {
	t.Helper()
	_, conn, err := open(t, connection)
	if err != nil {
		t.Fatal(err)
	}
	return on(t, conn, options)
}

// as is the connection of another account.
func (b *broker) as(account, password string) string {
	return strings.NewReplacer(`"user": "hookd"`, fmt.Sprintf(`"user": %q`, account), b.Password, password).Replace(b.connection())
}

// A broker that does not let hookd in, or is none.
func TestOpenFailures(t *testing.T) {
	b := newBroker(t, "queue")
	closed := testinfra.FreePort(t)
	_, port := testinfra.Split(b.Addr)
	for what, c := range map[string]struct{ connection, code, text string }{
		"password":    {b.as("hookd", "wrong"), modules.CodeAuthFailed, `user "hookd"`},
		"no user":     {fmt.Sprintf(`{"host": "127.0.0.1", "port": %d}`, port), modules.CodeAuthFailed, "user"},
		"nobody":      {fmt.Sprintf(`{"host": "127.0.0.1", "port": %d}`, closed), modules.CodeUnavailable, "refused"},
		"TLS":         {fmt.Sprintf(`{"host": "127.0.0.1", "port": %d, "use_ssl": true}`, port), modules.CodeTimeout, ""}, // it waits for the line's end
		"unlisted":    {fmt.Sprintf(`{"host": "192.0.2.1", "port": %d}`, port), modules.CodeEgressDenied, "192.0.2.1"},
		"authorities": {`{"tls": {"ca_file": "/no/such/file"}}`, modules.CodeTLS, "tls.ca_file"},
	} {
		_, _, err := open(t, c.connection)
		moduletest.Want(t, what, err, modules.Retryable, c.code, c.text)
		if err != nil && strings.Contains(err.Error(), b.Password) {
			t.Errorf("%s shows the password: %v", what, err)
		}
	}
}

// A far end that is no broker is named as such, and one that says nothing does
// not hold the opening up.
func TestOpenStrangers(t *testing.T) {
	for greeting, code := range map[string]string{
		"HTTP/1.1 400 Bad Request\r\n\r\n":                      modules.CodeBadAnswer,
		"\n":                                                    modules.CodeBadAnswer,
		"RECEIPT\nreceipt-id:1\n\n\x00":                         modules.CodeBadAnswer,
		"CONNECTED\nversion:1.1\n\n\x00":                        modules.CodeBadAnswer,
		"CONNECTED\nversion:1.2\nheart-beat:x\n\n\x00":          modules.CodeBadAnswer,
		"CONNECTED\nno colon\n\n\x00":                           modules.CodeBadAnswer,
		"CONNECTED\ncontent-length:4294967295\n\n":              modules.CodeTimeout,
		"ERROR\nmessage:not today\n\n\x00":                      "activemq_error",
		"ERROR\n\njava.lang.SecurityException: go\n at x\n\x00": modules.CodeAuthFailed,
		"": modules.CodeTimeout,
		"CONNECTED\nx:" + strings.Repeat("y", 2<<20): modules.CodeUnavailable,
	} {
		_, err := stranger(t, greeting)
		moduletest.Want(t, fmt.Sprintf("%.40q", greeting), err, modules.Retryable, code, "")
	}
}

// stranger opens a connection to a server that says what it is told to, once,
// and reads on.
func stranger(t *testing.T, greeting string) (modules.Conn, error) {
	t.Helper()
	host, port := testinfra.Split(moduletest.Stranger(t, greeting))
	m := activemq.Module()
	c := m.Connection()
	moduletest.Decode(t, fmt.Sprintf(`{"host": %q, "port": %d}`, host, port), c)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	conn, err := m.Open(ctx, moduletest.Env(t, netguard.Policy{AllowLoopback: true}), c)
	if err == nil {
		t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(ctx)) })
	}
	return conn, err
}

func TestTLS(t *testing.T) {
	b := newBroker(t, "queue")
	host, port := testinfra.Split(b.TLSAddr)
	settings := func(tls string) string {
		return fmt.Sprintf(`{"host": %q, "port": %d, "username": %q, "pass": %q, "tls": %s}`, host, port, b.User, b.Password, tls)
	}
	options := fmt.Sprintf(`{"destination": %q}`, b.name)
	good := []string{
		fmt.Sprintf(`{"ca_file": %q}`, b.Certs.CA),
		fmt.Sprintf(`{"ca_file": %q, "server_name": "localhost"}`, b.Certs.CA),
		fmt.Sprintf(`{"ca_file": %q, "cert_file": %q, "key_file": %q}`, b.Certs.CA, b.Certs.ClientCert, b.Certs.ClientKey),
		`{"insecure_skip_verify": true}`,
	}
	for _, tls := range good {
		d := destination(t, settings(tls), options)
		if err := moduletest.Send(t, d, delivery(`{"tls":1}`)); err != nil {
			t.Errorf("%s: %v", tls, err)
		}
		if err := moduletest.Check(t, d); err != nil {
			t.Errorf("%s: Check: %v", tls, err)
		}
	}
	if n := len(b.arrived(t, len(good))); n != len(good) {
		t.Errorf("%d messages", n)
	}
	for _, tls := range []string{
		`true`,
		fmt.Sprintf(`{"ca_file": %q}`, b.Certs.OtherCA),
		fmt.Sprintf(`{"ca_file": %q, "server_name": "other.example"}`, b.Certs.CA),
	} {
		_, _, err := open(t, settings(tls))
		moduletest.Want(t, tls, err, modules.Retryable, modules.CodeTLS, "certificate")
	}
}
