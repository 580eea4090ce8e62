package kafka_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/kafka"
	"github.com/hookd/hookd/modules/moduletest"
)

func delivery(body string) *event.Delivery { return moduletest.Delivery("github/kafka-1", body) }

// opened are the connections of the tests that run, by the test.
var opened sync.Map

func open(t *testing.T, connection string) (modules.Env, modules.Conn, error) {
	t.Helper()
	guard, err := netguard.New(netguard.Policy{AllowLoopback: true})
	if err != nil {
		t.Fatal(err)
	}
	env := modules.Env{Log: slog.New(slog.DiscardHandler), Dial: guard.DialContext, Owner: "hookd/1.2.3 (test)"}
	m := kafka.Module()
	c := m.Connection()
	moduletest.Decode(t, connection, c)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	conn, err := m.Open(ctx, env, c)
	if err == nil {
		end := sync.OnceFunc(func() {
			if err := conn.Close(context.WithoutCancel(ctx)); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
		opened.Store(t, end)
		t.Cleanup(end)
	}
	return env, conn, err
}

// closeAll closes the last connection that the test opened.
func closeAll(t *testing.T) {
	t.Helper()
	end, _ := opened.LoadAndDelete(t)
	end.(func())()
}

// destination opens a connection and makes a destination.
func destination(t *testing.T, connection, options string) modules.BatchDestination {
	t.Helper()
	env, conn, err := open(t, connection)
	if err != nil {
		t.Fatal(err)
	}
	return moduletest.New(t, kafka.Module(), env, conn, options).(modules.BatchDestination)
}

func headerOf(r *kgo.Record) http.Header {
	h := make(http.Header)
	for _, x := range r.Headers {
		h.Add(x.Key, string(x.Value))
	}
	return h
}

func plainAuth(user, password string) sasl.Mechanism {
	return plain.Auth{User: user, Pass: password}.AsMechanism()
}

// A cluster that does not let hookd in, or is none.
func TestOpenFailures(t *testing.T) {
	b := newBroker(t, 1)
	nobody := fmt.Sprintf("127.0.0.1:%d", testinfra.FreePort(t))
	at := func(addr, more string) string { return fmt.Sprintf(`{"bootstrap_servers": %q%s}`, addr, more) }
	wrong := func(mechanism string) string {
		return strings.Replace(b.login("hookd", mechanism), b.Password, "wrong-secret", 1)
	}
	for what, c := range map[string]struct{ connection, code, text string }{
		"PLAIN":                   {wrong("PLAIN"), modules.CodeAuthFailed, `user "hookd"`},
		"SCRAM-SHA-256":           {wrong("SCRAM-SHA-256"), modules.CodeAuthFailed, `user "hookd"`},
		"SCRAM-SHA-512":           {wrong("SCRAM-SHA-512"), modules.CodeAuthFailed, `user "hookd"`},
		"unknown user":            {b.login("nobody", "SCRAM-SHA-512"), modules.CodeAuthFailed, `user "nobody"`},
		"no login where one":      {at(b.TLSAddr, fmt.Sprintf(`, "tls": {"ca_file": %q}`, b.Certs.CA)), modules.CodeUnavailable, "login"},
		"a login where none":      {at(b.Addr, `, "sasl_mechanism": "PLAIN", "sasl_username": "hookd", "sasl_password": "x"`), modules.CodeAuthFailed, "PLAIN"},
		"nobody":                  {at(nobody, ""), modules.CodeUnavailable, "refused"},
		"TLS where there is none": {at(b.Addr, `, "tls": true`), modules.CodeUnavailable, ""},
		"none where there is TLS": {at(b.TLSAddr, ""), modules.CodeBadAnswer, "TLS"},
		"unlisted":                {at("192.0.2.1:9092", ""), modules.CodeEgressDenied, "192.0.2.1"},
		"authorities":             {at(b.Addr, `, "tls": {"ca_file": "/no/such/file"}`), modules.CodeTLS, "tls.ca_file"},
		"HTTP":                    {at(moduletest.Stranger(t, "HTTP/1.1 400 Bad Request\r\n\r\n"), ""), modules.CodeBadAnswer, "as Kafka does"},
		"silence":                 {at(moduletest.Stranger(t, ""), `, "request_timeout": "1s"`), modules.CodeTimeout, ""},
	} {
		_, _, err := open(t, c.connection)
		moduletest.Want(t, what, err, modules.Retryable, c.code, c.text)
		if err != nil && (strings.Contains(err.Error(), b.Password) || strings.Contains(err.Error(), "wrong-secret")) {
			t.Errorf("%s shows the password: %v", what, err)
		}
	}
}

// An opening ends with its context.
func TestOpenEnds(t *testing.T) {
	guard, err := netguard.New(netguard.Policy{AllowLoopback: true})
	if err != nil {
		t.Fatal(err)
	}
	m := kafka.Module()
	c := m.Connection()
	moduletest.Decode(t, fmt.Sprintf(`{"bootstrap_servers": %q}`, moduletest.Stranger(t, "")), c)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	took := moduletest.Took(func() {
		_, err := m.Open(ctx, modules.Env{Log: slog.New(slog.DiscardHandler), Dial: guard.DialContext}, c)
		moduletest.Want(t, "silence", err, modules.Retryable, modules.CodeTimeout, "")
	})
	if took > time.Second {
		t.Errorf("it took %v", took)
	}
}

// One of several bootstrap servers is enough.
func TestBootstrap(t *testing.T) {
	f := newFake(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	d := destination(t, fmt.Sprintf(`{"bootstrap_servers": "%s, %s ,"}`, l.Addr(), f.proxy.Addr()), fakeOptions(""))
	if err := moduletest.Send(t, d, delivery(`{}`)); err != nil {
		t.Error(err)
	}
}

// The right to number messages is asked for when the connection is opened.
func TestNoRightToNumber(t *testing.T) {
	f := newFake(t, kfake.EnableACLs(), kfake.EnableSASL(), kfake.User("PLAIN", "hookd", "pw",
		kfake.ACL{Resource: kmsg.ACLResourceTypeCluster, Name: "kafka-cluster", Pattern: kmsg.ACLResourcePatternTypeLiteral, Operation: kmsg.ACLOperationDescribe, Allow: true}))
	_, _, err := open(t, f.connection(`, "sasl_mechanism": "PLAIN", "sasl_username": "hookd", "sasl_password": "pw"`))
	moduletest.Want(t, "no right", err, modules.Retryable, modules.CodeAuthFailed, `"idempotent": false`)
}

// Each mechanism over TLS, and what undoes TLS.
func TestLogins(t *testing.T) {
	b := newBroker(t, 1)
	n := 0
	good := func(connection string) {
		t.Helper()
		d := destination(t, connection, b.options(""))
		if err := moduletest.Send(t, d, delivery(`{}`)); err != nil {
			t.Errorf("%s: %v", connection, err)
		}
		if err := moduletest.Check(t, d); err != nil {
			t.Errorf("%s: Check: %v", connection, err)
		}
		n++
	}
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		good(b.login("hookd", mechanism))
	}
	tls := func(settings string) string {
		return strings.Replace(b.login("hookd", "PLAIN"), fmt.Sprintf(`{"ca_file": %q}`, b.Certs.CA), settings, 1)
	}
	good(tls(fmt.Sprintf(`{"ca_file": %q, "server_name": "localhost"}`, b.Certs.CA)))
	good(tls(fmt.Sprintf(`{"ca_file": %q, "cert_file": %q, "key_file": %q}`, b.Certs.CA, b.Certs.ClientCert, b.Certs.ClientKey)))
	good(tls(`{"insecure_skip_verify": true}, "security_protocol": "SASL_SSL"`))
	if got := len(b.received()); got != n {
		t.Errorf("%d messages of %d", got, n)
	}
	for _, settings := range []string{
		`true`,
		fmt.Sprintf(`{"ca_file": %q}`, b.Certs.OtherCA),
		fmt.Sprintf(`{"ca_file": %q, "server_name": "other.example"}`, b.Certs.CA),
	} {
		_, _, err := open(t, tls(settings))
		moduletest.Want(t, settings, err, modules.Retryable, modules.CodeTLS, "certificate")
	}
	_, _, err := open(t, strings.Replace(tls(`false`), `, "tls": false`, `, "security_protocol": "SASL_SSL"`, 1))
	moduletest.Want(t, "the system's authorities", err, modules.Retryable, modules.CodeTLS, "certificate")
}
