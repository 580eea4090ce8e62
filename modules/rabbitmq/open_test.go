package rabbitmq_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/moduletest"
	"github.com/hookd/hookd/modules/rabbitmq"
)

func open(t *testing.T, connection string) (modules.Env, modules.Conn, error) {
	t.Helper()
	return moduletest.Open(t, rabbitmq.Module(), connection)
}

func destination(t *testing.T, connection, options string) modules.BatchDestination {
	t.Helper()
	return moduletest.Destination(t, rabbitmq.Module(), connection, options).(modules.BatchDestination)
}

// as is the connection of another account.
func (b *broker) as(account, password string) string {
	return strings.NewReplacer(`"user": "hookd"`, fmt.Sprintf(`"user": %q`, account), b.Password, password).Replace(b.connection())
}

// A broker that does not let hookd in, or is none.
func TestOpenFailures(t *testing.T) {
	b := newBroker(t)
	closed := testinfra.FreePort(t)
	_, port := testinfra.Split(b.Addr)
	for what, c := range map[string]struct{ connection, code, text string }{
		"password":    {b.as("hookd", "wrong"), modules.CodeAuthFailed, `user "hookd"`},
		"vhost":       {strings.Replace(b.connection(), `"vhost": "hookd"`, `"vhost": "other"`, 1), modules.CodeAuthFailed, `vhost "other"`},
		"nobody":      {fmt.Sprintf(`{"host": "127.0.0.1", "port": %d}`, closed), modules.CodeUnavailable, "refused"},
		"TLS":         {fmt.Sprintf(`{"host": "127.0.0.1", "port": %d, "tls": true}`, port), modules.CodeTLS, ""},
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
	for greeting, code := range map[string]string{"HTTP/1.1 400 Bad Request\r\n\r\n": modules.CodeBadAnswer, "": modules.CodeTimeout} {
		host, port := testinfra.Split(moduletest.Stranger(t, greeting))
		m := rabbitmq.Module()
		c := m.Connection()
		moduletest.Decode(t, fmt.Sprintf(`{"host": %q, "port": %d}`, host, port), c)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		_, err := m.Open(ctx, moduletest.Env(t, netguard.Policy{AllowLoopback: true}), c)
		cancel()
		moduletest.Want(t, fmt.Sprintf("%q", greeting), err, modules.Retryable, code, "")
	}
}

func TestTLS(t *testing.T) {
	b := newBroker(t)
	host, port := testinfra.Split(b.TLSAddr)
	settings := func(tls string) string {
		return fmt.Sprintf(`{"host": %q, "port": %d, "user": %q, "pass": %q, "vhost": %q, "tls": %s}`, host, port, b.User, b.Password, testinfra.RabbitVhost, tls)
	}
	options := fmt.Sprintf(`{"queue_name": %q}`, b.queue)
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
	if n := len(b.received()); n != len(good) {
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
