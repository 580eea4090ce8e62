package turnstile_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/auth/internal/siteverify/siteverifytest"
	"github.com/hookd/hookd/auth/turnstile"
)

// The token is that of Cloudflare's keys for tests.
const token = "XXXX.DUMMY.TOKEN.XXXX"

// The replies that Cloudflare's page shows.
const (
	yes  = `{"success":true,"challenge_ts":"2022-02-28T15:14:30.096Z","hostname":"example.com","error-codes":[],"action":"login","cdata":"sessionid-123456789"}`
	no   = `{"success":false,"error-codes":["invalid-input-response"]}`
	used = `{"success":false,"error-codes":["timeout-or-duplicate"],"messages":[]}`
)

func inBody(media, text string) *auth.Request {
	r := authtest.Header("Content-Type", media)
	r.Body = []byte(text)
	return r
}

func TestTable(t *testing.T) {
	t.Parallel()
	const form = "application/x-www-form-urlencoded"
	const conf, body = `{"secret_key":"s3cret"}`, `{"secret_key":"s3cret","token_source":"body"}`
	with := func(more string) string { return `{"secret_key":"s3cret",` + more + `}` }
	in := func(values ...string) *auth.Request { return authtest.Header("X-Turnstile-Token", values...) }
	for _, c := range []struct {
		name, config string
		req          *auth.Request
		status       int
		answer, code string
	}{
		{"yes", conf, in(token), 200, yes, ""},
		{"no", conf, in(token), 200, no, auth.CodeMismatch},
		{"used before", conf, in(token), 200, used, auth.CodeReplayed},
		{"secret unknown", conf, in(token), 200, `{"success":false,"error-codes":["invalid-input-secret"]}`, auth.CodeUnavailable},
		{"internal error", conf, in(token), 200, `{"success":false,"error-codes":["internal-error"]}`, auth.CodeUnavailable},
		{"down", conf, in(token), 503, "", auth.CodeUnavailable},
		{"action", with(`"action":"login"`), in(token), 200, yes, ""},
		{"other action", with(`"action":"signup"`), in(token), 200, yes, auth.CodeClaim},
		{"hostname", with(`"hostnames":"example.com"`), in(token), 200, yes, ""},
		{"other hostname", with(`"hostnames":["www.example.com"]`), in(token), 200, yes, auth.CodeClaim},
		{"the widget's field in a form", body, inBody(form, "cf-turnstile-response="+token), 200, yes, ""},
		{"the widget's field in JSON", body, inBody("application/json", `{"cf-turnstile-response":"`+token+`"}`), 200, yes, ""},
		{"own field", with(`"token_source":"body","token_field":"captcha"`), inBody("application/json", `{"captcha":"`+token+`"}`), 200, yes, ""},
		{"own header", with(`"token_field":"cf-turnstile-response"`), authtest.Header("Cf-Turnstile-Response", token), 200, yes, ""},
		{"missing in the body", body, inBody("application/json", `{}`), 200, yes, auth.CodeMissing},
		{"missing in the header", conf, authtest.Request(), 200, yes, auth.CodeMissing},
		{"two headers", conf, in(token, token), 200, yes, auth.CodeDoubled},
		{"longer than tokens are", conf, in(strings.Repeat("t", 2049)), 200, yes, auth.CodeTooLong},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := siteverifytest.New(t, func(url.Values) (int, string) { return c.status, c.answer })
			v, err := authtest.DecodeIn(turnstile.Method(), auth.Env{HTTP: s}, c.config)
			if err != nil {
				t.Fatal(err)
			}
			got, unavailable := "", false
			if id, err := v.Verify(t.Context(), c.req); err != nil {
				got, unavailable = auth.DenialOf(err).Code, auth.DenialOf(err).Unavailable
				if strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), token) {
					t.Errorf("a secret is told: %v", err)
				}
			} else if id.Method != "turnstile" || id.Subject != "turnstile" {
				t.Errorf("identity %+v", id)
			}
			if got != c.code || unavailable != (c.code == auth.CodeUnavailable) {
				t.Errorf("code %q, want %q; unavailable %v", got, c.code, unavailable)
			}
			for _, a := range s.Asked() {
				if a.URL != "https://challenges.cloudflare.com/turnstile/v0/siteverify" || a.Form.Get("secret") != "s3cret" || a.Form.Get("response") != token {
					t.Errorf("asked %s with %v", a.URL, a.Form)
				}
			}
		})
	}
}

// TestLongest: a token as long as Cloudflare's may be is asked about.
func TestLongest(t *testing.T) {
	t.Parallel()
	s := siteverifytest.Always(t, yes)
	v, err := authtest.DecodeIn(turnstile.Method(), auth.Env{HTTP: s}, `{"secret_key":"s3cret"}`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(t.Context(), authtest.Header("X-Turnstile-Token", strings.Repeat("t", 2048))); err != nil || len(s.Asked()) != 1 {
		t.Errorf("%v, asked %d times", err, len(s.Asked()))
	}
}

func TestDescription(t *testing.T) {
	t.Parallel()
	authtest.Describe(t, turnstile.Method())
	authtest.Refused(t, turnstile.Method(),
		`{}`, `{"secret_key":""}`, `{"secret_key":"s3cret","min_score":0.5}`, `{"secret_key":"s3cret","version":"v2"}`,
		`{"secret_key":"s3cret","token_source":"cookie"}`, `{"secret_key":"s3cret","token_field":"a:b"}`,
	)
	v, err := authtest.Decode(turnstile.Method(), `{"secret_key":"s3cret"}`)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := v.(auth.Signer); ok {
		t.Error("claims that it can make tokens")
	}
	if got := v.(auth.Sourced).CredentialHeaders(); !slices.Equal(got, []string{http.CanonicalHeaderKey("x-turnstile-token")}) || v.Cost() != auth.CostRemote {
		t.Errorf("%q, cost %d", got, v.Cost())
	}
}
