package awssqs_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookd/hookd/modules"
	awssqs "github.com/hookd/hookd/modules/aws_sqs"
	"github.com/hookd/hookd/modules/moduletest"
)

func open(t *testing.T, connection string) (modules.Env, modules.Conn, error) {
	t.Helper()
	return moduletest.Open(t, awssqs.Module(), connection)
}

func destination(t *testing.T, connection, options string) modules.BatchDestination {
	t.Helper()
	return moduletest.Destination(t, awssqs.Module(), connection, options).(modules.BatchDestination)
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
}

// isolate keeps the machine's own AWS settings out of a test.
func isolate(t *testing.T) {
	t.Helper()
	none := filepath.Join(t.TempDir(), "none")
	for _, name := range os.Environ() {
		if name, _, _ = strings.Cut(name, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
		}
	}
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", none)
	t.Setenv("AWS_CONFIG_FILE", none)
}

// Without keys the sources of all AWS tools are asked, and metadata services are
// not, unless that is configured.
func TestCredentials(t *testing.T) {
	isolate(t)
	_, _, err := open(t, `{}`)
	want(t, "none", err, modules.Retryable, modules.CodeAuthFailed, "set aws_access_key_id")
	_, _, err = open(t, `{"profile": "missing"}`)
	want(t, "profile", err, modules.Retryable, modules.CodeAuthFailed, "missing")

	t.Setenv("AWS_CA_BUNDLE", "/no/such/file")
	_, _, err = open(t, `{}`)
	want(t, "authorities of the environment", err, modules.Retryable, modules.CodeTLS, "ca_file")
	t.Setenv("AWS_CA_BUNDLE", "")

	t.Setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials")
	_, _, err = open(t, `{}`)
	want(t, "container", err, modules.Retryable, modules.CodeEgressDenied, "instance_metadata")

	t.Setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "")

	asked := make(chan string, 10)
	credentials := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		fmt.Fprintf(w, `{"AccessKeyId": "a", "SecretAccessKey": %q, "Token": %q, "Expiration": "2099-01-01T00:00:00Z"}`, key, token)
	}))
	defer credentials.Close()
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", credentials.URL+"/v2")
	if _, _, err = open(t, `{}`); err != nil || len(asked) != 1 {
		t.Errorf("a container on loopback: %v, %d requests", err, len(asked))
	}
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "")
	t.Setenv("AWS_ACCESS_KEY_ID", "a")
	t.Setenv("AWS_SECRET_ACCESS_KEY", key)
	if _, _, err = open(t, `{}`); err != nil {
		t.Errorf("the environment: %v", err)
	}
}

// A far end that cannot be reached, or that is none.
func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	_ = l.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	for what, c := range map[string]struct{ endpoint, code, text string }{
		"nobody":    {"http://" + closed, modules.CodeUnavailable, "refused"},
		"no TLS":    {"https://" + plain.Listener.Addr().String(), modules.CodeUnavailable, ""},
		"unlisted":  {"http://192.0.2.1", modules.CodeEgressDenied, "192.0.2.1"},
		"a website": {plain.URL, modules.CodeBadAnswer, "404"},
	} {
		d := destination(t, connection(c.endpoint), `{"queue_name": "a"}`)
		err := moduletest.Send(t, d, delivery(`{}`))
		if what == "no TLS" {
			c.code = modules.FailureOf(err).Code // of the network or of TLS
		}
		want(t, what, err, modules.Retryable, c.code, c.text)
		if moduletest.Check(t, d) == nil {
			t.Errorf("%s: Check passes", what)
		}
	}
}

// An endpoint with a certificate of its own authority.
func TestTLS(t *testing.T) {
	f := newFake(t, true)
	pem := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(pem, f.pem(), 0o600); err != nil {
		t.Fatal(err)
	}
	with := func(tls string) string {
		return strings.TrimSuffix(connection(f.URL), "}") + `, "tls": ` + tls + `}`
	}
	d := destination(t, with(fmt.Sprintf(`{"ca_file": %q}`, pem)), `{"queue_name": "a"}`)
	if err := moduletest.Send(t, d, delivery(`{}`)); err != nil {
		t.Error(err)
	}
	d = destination(t, with(`true`), `{"queue_name": "a"}`)
	want(t, "an unknown authority", moduletest.Send(t, d, delivery(`{}`)), modules.Retryable, modules.CodeTLS, "certificate")
}
