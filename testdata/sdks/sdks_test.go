// Package sdks checks what `hookd test-send` signs with the senders' own
// libraries. It is a module of its own, so that none of them is a dependency of
// hookd: run it with `make sdks`.
package sdks

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-github/v84/github"
	"github.com/slack-go/slack"
	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stripe/stripe-go/v84/webhook"
	svix "github.com/svix/svix-webhooks/go"
)

// hookd is the binary under test.
var hookd string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "hookd-sdks")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	hookd = filepath.Join(dir, "hookd")
	build := exec.Command("go", "build", "-trimpath", "-tags", "grpcnotrace,nomsgpack", "-o", hookd, ".")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		panic(string(out))
	}
	return m.Run()
}

const (
	text = "not-a-real-secret"
	key  = "whsec_bm90LWEtcmVhbC1zZWNyZXQtYXQtYWxsLW5v" // base64 of 30 bytes
)

// verifiers are the libraries' own checks, as their documentation uses them.
var verifiers = []struct {
	provider, event, secret string
	verify                  func(h http.Header, body []byte) error
}{
	{"github", "push", text, func(h http.Header, body []byte) error {
		return github.ValidateSignature(h.Get(github.SHA256SignatureHeader), body, []byte(text))
	}},
	{"stripe", "invoice.paid", "whsec_" + text, func(h http.Header, body []byte) error {
		_, err := webhook.ConstructEventWithOptions(body, h.Get("Stripe-Signature"), "whsec_"+text, webhook.ConstructEventOptions{IgnoreAPIVersionMismatch: true})
		return err
	}},
	{"slack", "", text, func(h http.Header, body []byte) error {
		v, err := slack.NewSecretsVerifier(h, text)
		if err != nil {
			return err
		}
		if _, err := v.Write(body); err != nil {
			return err
		}
		return v.Ensure()
	}},
	{"svix", "", key, func(h http.Header, body []byte) error {
		v, err := svix.NewWebhook(key)
		if err != nil {
			return err
		}
		return v.Verify(body, h)
	}},
	{"standard-webhooks", "", key, func(h http.Header, body []byte) error {
		v, err := standard.NewWebhook(key)
		if err != nil {
			return err
		}
		return v.Verify(body, h)
	}},
}

func TestSendersVerifyWhatTestSendSigns(t *testing.T) {
	for _, c := range verifiers {
		t.Run(c.provider, func(t *testing.T) {
			var got error
			asked := 0
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked++
				body, err := io.ReadAll(r.Body)
				if got = errors.Join(err, c.verify(r.Header, body)); got != nil {
					w.WriteHeader(http.StatusUnauthorized)
				}
			}))
			defer srv.Close()
			send := func(more ...string) (code int, out string) {
				args := append([]string{"test-send", srv.URL + "/hook", "--provider", c.provider, "--secret", c.secret}, more...)
				if c.event != "" {
					args = append(args, "--event", c.event)
				}
				cmd := exec.Command(hookd, args...)
				b, err := cmd.CombinedOutput()
				var exit *exec.ExitError
				if err != nil && !errors.As(err, &exit) {
					t.Fatal(err)
				}
				return cmd.ProcessState.ExitCode(), string(b)
			}
			if code, out := send(); code != 0 || got != nil || asked != 1 {
				t.Fatalf("exit %d, refused with %v: %s", code, got, out)
			}
			for _, how := range []string{"body", "signature"} {
				if code, out := send("--tamper", how); code != 5 || got == nil {
					t.Errorf("tampered %s: exit %d, refused with %v: %s", how, code, got, out)
				}
			}
			if c.provider == "github" { // its signature covers no time
				return
			}
			if code, out := send("--tamper", "timestamp"); code != 5 || got == nil {
				t.Errorf("tampered timestamp: exit %d, refused with %v: %s", code, got, out)
			}
		})
	}
}
