package authtest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/auth/hmac"
)

// broken are proofs with one fault each, around one that is sound, and the case
// of the suite that must find it.
var broken = map[string]struct {
	finds  string
	verify func(good auth.Verifier, secret string, r *auth.Request) error
}{
	"takes anything": {"credential_missing", func(auth.Verifier, string, *auth.Request) error { return nil }},
	"takes no body into account": {"body_changed", func(good auth.Verifier, _ string, r *auth.Request) error {
		other := *r
		if len(r.Body) > 0 {
			other.Body = []byte(authtest.Body)
		}
		return verify(good, &other)
	}},
	"takes the first of two": {"credential_doubled", func(good auth.Verifier, _ string, r *auth.Request) error {
		other := *r
		other.Header = r.Header.Clone()
		if vs := other.Header["X-Hmac-Signature"]; len(vs) > 1 {
			other.Header["X-Hmac-Signature"] = vs[:1]
		}
		return verify(good, &other)
	}},
	"trims": {"credential_over-long", func(good auth.Verifier, _ string, r *auth.Request) error {
		other := *r
		other.Header = r.Header.Clone()
		other.Header.Set("X-HMAC-Signature", strings.TrimSpace(r.Header.Get("X-HMAC-Signature")))
		return verify(good, &other)
	}},
	"has no clock": {"clock", func(good auth.Verifier, _ string, r *auth.Request) error {
		other := *r
		other.Now = authtest.Now
		return verify(good, &other)
	}},
	"tells the secret": {"secret_changed", func(good auth.Verifier, secret string, r *auth.Request) error {
		if verify(good, r) != nil {
			return &auth.Denial{Method: "hmac", Code: auth.CodeMismatch, Err: errors.New("not signed with " + secret)}
		}
		return nil
	}},
	"gives no denial": {"credential_changed", func(good auth.Verifier, _ string, r *auth.Request) error {
		if verify(good, r) != nil {
			return errors.New("no")
		}
		return nil
	}},
	"changes the request": {"nothing_kept_or_changed", func(good auth.Verifier, _ string, r *auth.Request) error {
		defer r.Header.Set("X-Verified", "yes")
		return verify(good, r)
	}},
}

func verify(v auth.Verifier, r *auth.Request) error {
	_, err := v.Verify(context.Background(), r)
	return err
}

type faulty struct {
	auth.Verifier
	auth.Signer
	auth.Sourced
	secret string
	verify func(auth.Verifier, string, *auth.Request) error
}

func (f *faulty) Verify(_ context.Context, r *auth.Request) (auth.Identity, error) {
	return auth.Identity{Method: "hmac", Subject: "hmac:0"}, f.verify(f.Verifier, f.secret, r)
}

// TestFindsFaults runs the suite against each fault in a process of its own,
// since a suite that finds something fails.
func TestFindsFaults(t *testing.T) {
	t.Parallel()
	for name, b := range broken {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			//nolint:gosec // runs this very test binary
			c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFaulty$/^"+b.finds+"$")
			c.Env = append(os.Environ(), "AUTHTEST_FAULT="+name)
			out, err := c.CombinedOutput()
			if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || !strings.Contains(string(out), "--- FAIL: TestFaulty/"+b.finds) {
				t.Errorf("not found by %q: %v\n%s", b.finds, err, out)
			}
		})
	}
}

// TestFaulty is the other process.
func TestFaulty(t *testing.T) {
	b, ok := broken[os.Getenv("AUTHTEST_FAULT")]
	if !ok {
		t.Skip("runs for TestFindsFaults")
	}
	authtest.Run(t, authtest.Subject{
		New: func(secrets ...string) (auth.Verifier, error) {
			v, err := authtest.Decode(hmac.Method(), authtest.Object("secret", secrets, `"timestamp_header":"X-Time"`))
			if err != nil {
				return nil, err
			}
			return &faulty{v, v.(auth.Signer), v.(auth.Sourced), secrets[0], b.verify}, nil
		},
		Secrets:    [3]string{"first-Secret", "second secret", "third-secret"},
		Header:     "X-Hmac-Signature",
		CoversBody: true,
		Tolerance:  5 * 60e9,
		Same:       strings.EqualFold,
	})
}
