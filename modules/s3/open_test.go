package s3_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/moduletest"
	"github.com/hookd/hookd/modules/s3"
)

// destination opens a connection and makes a destination.
func destination(t *testing.T, connection, options string) modules.Destination {
	t.Helper()
	guard, err := netguard.New(netguard.Policy{AllowLoopback: true})
	if err != nil {
		t.Fatal(err)
	}
	return destinationOver(t, guard.DialContext, connection, options)
}

func destinationOver(t *testing.T, dial netguard.Dial, connection, options string) modules.Destination {
	t.Helper()
	transport := netguard.NewTransport(dial, netguard.TransportOptions{})
	env := modules.Env{Log: slog.New(slog.DiscardHandler), Dial: dial, HTTP: transport, Owner: "hookd/1.2.3 (test)"}
	m := s3.Module()
	c := m.Connection()
	moduletest.Decode(t, connection, c)
	conn, err := m.Open(t.Context(), env, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close(context.Background())
		transport.CloseIdleConnections()
	})
	return moduletest.New(t, m, env, conn, options)
}

func send(t *testing.T, d modules.Destination, x *event.Delivery) (event.Receipt, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return d.Send(ctx, x)
}

// want fails the test when err is not the failure that is described.
func want(t *testing.T, what string, err error, kind modules.FailureKind, code, text string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", what)
		return
	}
	if f := modules.FailureOf(err); f.Kind != kind || f.Code != code || !strings.Contains(err.Error(), text) {
		t.Errorf("%s: %s (%s): %v, want %s (%s) with %q", what, f.Kind, f.Code, err, kind, code, text)
	}
	if strings.Contains(err.Error(), key) || strings.Contains(err.Error(), token) {
		t.Errorf("%s shows a secret: %v", what, err)
	}
	if !modules.KnownCode("s3", modules.FailureOf(err).Code) {
		t.Errorf("%s: code %s", what, modules.FailureOf(err).Code)
	}
}

// received is in another hour than now.
var received = time.Date(2026, 3, 4, 5, 6, 7, 890123000, time.UTC)

func delivery(body string) *event.Delivery {
	d := moduletest.Delivery("github/s3-1", body)
	d.Event.Received = received
	return d
}

// What the server says to wrong credentials, to missing rights and to a bucket
// that is not there, for a delivery and for the check.
func TestRefusals(t *testing.T) {
	b := newStore(t)
	good := "http://" + b.Addr
	for what, c := range map[string]struct{ connection, options, code, text string }{
		"unknown key":    {connection(good, "nobody", key), b.options(""), modules.CodeAuthFailed, "InvalidAccessKeyId"},
		"wrong secret":   {connection(good, b.User, key), b.options(""), modules.CodeAuthFailed, "SignatureDoesNotMatch"},
		"no right":       {connection(good, testinfra.S3Guest, b.Password), b.options(""), modules.CodeAuthFailed, "s3:PutObject"},
		"missing bucket": {connection(good, b.User, b.Password), `{"bucket": "no-such-bucket"}`, modules.CodeNotFound, "no-such-bucket"},
		"wrong region":   {strings.Replace(connection(good, b.User, b.Password), testinfra.S3Region, "eu-west-1", 1), b.options(""), "s3_wrong_region", "eu-west-1"},
	} {
		d := destination(t, c.connection, c.options)
		_, err := send(t, d, delivery(`{}`))
		want(t, what, err, modules.Retryable, c.code, c.text)
		t.Logf("%s: %v", what, err)
		if err = moduletest.Check(t, d); err == nil || modules.FailureOf(err).Code != c.code {
			t.Errorf("%s: Check: %v", what, err)
		}
	}
	if n := len(b.objects()); n != 0 {
		t.Errorf("%d objects", n)
	}
}

// The gateway does not know encryption: what it stores is not what was asked for,
// and that is told.
func TestEncryptionIsConfirmed(t *testing.T) {
	b := newStore(t)
	d := destination(t, b.connection(), b.options(`"sse": "AES256"`))
	_, err := send(t, d, delivery(`{}`))
	want(t, "not encrypted", err, modules.Retryable, "s3_not_encrypted", "AES256")
}

// Without keys the sources of all AWS tools are asked; where they have none, that
// is told when the connection opens.
func TestNoCredentials(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none")
	for _, name := range os.Environ() {
		if name, _, _ = strings.Cut(name, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
		}
	}
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", none)
	t.Setenv("AWS_CONFIG_FILE", none)
	m := s3.Module()
	env := modules.Env{HTTP: http.NewFileTransport(http.Dir(t.TempDir()))}
	_, err := m.Open(t.Context(), env, m.Connection())
	want(t, "none", err, modules.Retryable, modules.CodeAuthFailed, "s3: no credentials (set aws_access_key_id")
	t.Setenv("AWS_ACCESS_KEY_ID", "a")
	t.Setenv("AWS_SECRET_ACCESS_KEY", key)
	conn, err := m.Open(t.Context(), env, m.Connection())
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close(t.Context())
}

// A far end that cannot be reached, or that is none.
func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	_ = l.Close()
	portal := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>Log in</html>") }))
	defer portal.Close()
	for what, c := range map[string]struct{ endpoint, code, text string }{
		"nobody":   {"http://" + closed, modules.CodeUnavailable, "refused"},
		"unlisted": {"http://192.0.2.1", modules.CodeEgressDenied, "192.0.2.1"},
		"a portal": {portal.URL, modules.CodeBadAnswer, "no tag"},
	} {
		d := destination(t, connection(c.endpoint, "a", key), `{"bucket": "abc"}`)
		_, err := send(t, d, delivery(`{}`))
		want(t, what, err, modules.Retryable, c.code, c.text)
		if moduletest.Check(t, d) == nil {
			t.Errorf("%s: Check passes", what)
		}
	}
}

// An endpoint with a certificate of its own authority; the wrong one is refused.
func TestTLS(t *testing.T) {
	b := newStore(t)
	with := func(ca string) string {
		return strings.TrimSuffix(connection("https://"+b.TLSAddr, b.User, b.Password), "}") + fmt.Sprintf(`, "tls": {"ca_file": %q}}`, ca)
	}
	for _, sum := range []string{"md5", "crc32", "crc32c", "sha256"} {
		d := destination(t, with(b.Certs.CA), b.options(`"checksum": "`+sum+`"`))
		if _, err := send(t, d, delivery(`{"sum": "`+sum+`"}`)); err != nil {
			t.Errorf("%s: %v", sum, err)
		}
		if err := moduletest.Check(t, d); err != nil {
			t.Errorf("%s: Check: %v", sum, err)
		}
	}
	if n := len(b.objects()); n != 4 {
		t.Errorf("%d objects", n)
	}
	_, err := send(t, destination(t, with(b.Certs.OtherCA), b.options("")), delivery(`{}`))
	want(t, "another authority", err, modules.Retryable, modules.CodeTLS, "certificate")
}
