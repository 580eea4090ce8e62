package mqtt_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/moduletest"
	"github.com/hookd/hookd/modules/mqtt"
)

func open(t testing.TB, connection string) (modules.Env, modules.Conn, error) {
	t.Helper()
	return moduletest.Open(t, mqtt.Module(), connection)
}

func destination(t testing.TB, connection, options string) modules.Destination {
	t.Helper()
	return moduletest.Destination(t, mqtt.Module(), connection, options)
}

var ids event.IDs

func delivery(body string) *event.Delivery {
	ev := &event.Event{
		ID: ids.Next(time.Now()), Hook: "github", Type: "push", Received: time.Now(), Body: []byte(body),
		Header: http.Header{"X-Github-Event": {"push"}},
	}
	const lane = "github/mqtt-1"
	return &event.Delivery{ID: event.DeliveryID(ev.ID, lane), Event: ev, Lane: lane, Attempt: 1, Body: ev.Body, Header: http.Header{}}
}

func send(t testing.TB, d modules.Destination, x *event.Delivery) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err := d.Send(ctx, x)
	return err
}

// A broker that does not let hookd in, or is none.
func TestOpenFailures(t *testing.T) {
	b := newBroker(t)
	closed := testinfra.FreePort(t)
	_, port := testinfra.Split(b.Addr)
	for what, c := range map[string]struct{ connection, code, text string }{
		"password":      {strings.Replace(b.connection(), b.Password, "wrong", 1), modules.CodeAuthFailed, `user "hookd"`},
		"user":          {strings.Replace(b.connection(), `"username": "hookd"`, `"username": "other"`, 1), modules.CodeAuthFailed, `user "other"`},
		"no user":       {fmt.Sprintf(`{"host": "127.0.0.1", "port": %d}`, port), modules.CodeAuthFailed, "without a user"},
		"nobody":        {fmt.Sprintf(`{"host": "127.0.0.1", "port": %d}`, closed), modules.CodeUnavailable, "refused"},
		"TLS":           {fmt.Sprintf(`{"host": "127.0.0.1", "port": %d, "tls": true}`, port), modules.CodeUnavailable, ""},
		"unlisted":      {fmt.Sprintf(`{"host": "192.0.2.1", "port": %d}`, port), modules.CodeEgressDenied, "192.0.2.1"},
		"no such file":  {`{"tls": {"ca_file": "/no/such/file"}}`, modules.CodeTLS, "tls.ca_file"},
		"no such file2": {`{"tls": true, "tls_ca_cert_file": "/no/such/file"}`, modules.CodeTLS, "/no/such/file"},
	} {
		_, _, err := open(t, c.connection)
		moduletest.Want(t, what, err, modules.Retryable, c.code, c.text)
		if err != nil && strings.Contains(err.Error(), b.Password) {
			t.Errorf("%s shows the password: %v", what, err)
		}
	}
}

// stranger is the connection to a server that answers CONNECT with the bytes.
func stranger(t *testing.T, answer string) (connection string) {
	t.Helper()
	host, port := testinfra.Split(moduletest.Stranger(t, answer))
	return fmt.Sprintf(`{"host": %q, "port": %d, "username": "u"}`, host, port)
}

// Each return code of CONNACK, those that MQTT 3.1.1 does not know, and answers
// that are none.
func TestConnack(t *testing.T) {
	for what, c := range map[string]struct{ answer, code, text string }{
		"version":        {"\x20\x02\x00\x01", modules.CodeBadAnswer, "3.1.1"},
		"client id":      {"\x20\x02\x00\x02", modules.CodeRefused, `"hookd"`},
		"unavailable":    {"\x20\x02\x00\x03", modules.CodeUnavailable, "not available"},
		"password":       {"\x20\x02\x00\x04", modules.CodeAuthFailed, "bad user name"},
		"not authorized": {"\x20\x02\x00\x05", modules.CodeAuthFailed, "not authorized"},
		"unknown":        {"\x20\x02\x00\x06", modules.CodeBadAnswer, "not MQTT"},
		"network error":  {"\x20\x02\x00\xfe", modules.CodeBadAnswer, "not MQTT"},
		"flags":          {"\x20\x02\x02\x00", modules.CodeBadAnswer, "not MQTT"},
		"another packet": {"\xd0\x00", modules.CodeBadAnswer, "not MQTT"},
		"HTTP":           {"HTTP/1.1 400 Bad Request\r\n\r\n", modules.CodeBadAnswer, "not MQTT"},
		"half of it":     {"\x20\x02\x00", modules.CodeTimeout, "no answer"},
		"nothing":        {"", modules.CodeTimeout, "no answer"},
	} {
		m, guard := mqtt.Module(), newGuard(t)
		connection := m.Connection()
		moduletest.Decode(t, stranger(t, c.answer), connection)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		took := moduletest.Took(func() {
			_, err := m.Open(ctx, modules.Env{Dial: guard.DialContext}, connection)
			moduletest.Want(t, what, err, modules.Retryable, c.code, c.text)
		})
		if took > 2*time.Second {
			t.Errorf("%s: it took %v", what, took)
		}
		cancel()
	}
}

func newGuard(t testing.TB) *netguard.Guard {
	t.Helper()
	guard, err := netguard.New(netguard.Policy{AllowLoopback: true})
	if err != nil {
		t.Fatal(err)
	}
	return guard
}

func TestTLS(t *testing.T) {
	b := newBroker(t)
	settings := func(addr, more string) string {
		host, port := testinfra.Split(addr)
		return fmt.Sprintf(`{"host": %q, "port": %d, %s}`, host, port, more)
	}
	login := fmt.Sprintf(`"username": %q, "password": %q, `, b.User, b.Password)
	client := fmt.Sprintf(`"cert_file": %q, "key_file": %q`, b.Certs.ClientCert, b.Certs.ClientKey)
	ca := fmt.Sprintf(`"ca_file": %q`, b.Certs.CA)
	options := fmt.Sprintf(`{"topic": %q}`, b.topic)
	good := []string{
		settings(b.TLSAddr, login+`"tls": {`+ca+`}`),
		settings(b.TLSAddr, login+`"tls": {`+ca+`, "server_name": "localhost"}`),
		settings(b.TLSAddr, login+`"tls": {"insecure_skip_verify": true}`),
		// As the original service had them.
		settings(b.TLSAddr, login+fmt.Sprintf(`"tls": "true", "tls_ca_cert_file": %q`, b.Certs.CA)),
		settings(b.TLSAddr, login+`"tls": true, "tls_insecure": true`),
		// The certificate is the login.
		settings(b.MutualTLSAddr, `"tls": {`+ca+", "+client+`}`),
		settings(b.MutualTLSAddr, fmt.Sprintf(`"tls": true, "tls_ca_cert_file": %q, "tls_cert_file": %q, "tls_key_file": %q`,
			b.Certs.CA, b.Certs.ClientCert, b.Certs.ClientKey)),
	}
	for _, connection := range good {
		d := destination(t, connection, options)
		if err := send(t, d, delivery(`{"tls":1}`)); err != nil {
			t.Errorf("%s: %v", connection, err)
		}
		if err := moduletest.Check(t, d); err != nil {
			t.Errorf("%s: Check: %v", connection, err)
		}
	}
	if n := len(b.reader.Messages()); n != len(good) {
		t.Errorf("%d messages", n)
	}
	for _, connection := range []string{
		settings(b.TLSAddr, login+`"tls": true`),
		settings(b.TLSAddr, login+fmt.Sprintf(`"tls": {"ca_file": %q}`, b.Certs.OtherCA)),
		settings(b.TLSAddr, login+`"tls": {`+ca+`, "server_name": "other.example"}`),
		settings(b.MutualTLSAddr, `"tls": {`+ca+`}`),
	} {
		_, _, err := open(t, connection)
		moduletest.Want(t, connection, err, modules.Retryable, modules.CodeTLS, "certificate")
	}
}
