package recaptcha_test

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/auth/internal/siteverify/siteverifytest"
	"github.com/hookd/hookd/auth/recaptcha"
)

const token = "03AFcWeA-token_of_the.page"

func decode(t *testing.T, rt http.RoundTripper, config string) auth.Verifier {
	t.Helper()
	v, err := authtest.DecodeIn(recaptcha.Method(), auth.Env{HTTP: rt}, config)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func code(t *testing.T, v auth.Verifier, r *auth.Request) (string, *auth.Denial) {
	t.Helper()
	id, err := v.Verify(t.Context(), r)
	if err != nil {
		if strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), token) {
			t.Errorf("a secret is told: %v", err)
		}
		return auth.DenialOf(err).Code, auth.DenialOf(err)
	}
	if id.Method != "recaptcha" || id.Subject != "recaptcha" {
		t.Errorf("identity %+v", id)
	}
	return "", nil
}

func inHeader() *auth.Request { return authtest.Header("X-Recaptcha-Token", token) }

func inBody(media, text string) *auth.Request {
	r := authtest.Header("Content-Type", media)
	r.Body = []byte(text)
	return r
}

// TestContract is the contract of the original service, rows 147 to 150.
func TestContract(t *testing.T) {
	t.Parallel()
	const form = "application/x-www-form-urlencoded"
	const conf, v2, body = `{"secret_key":"s3cret"}`, `{"secret_key":"s3cret","version":"v2"}`, `{"secret_key":"s3cret","token_source":"body"}`
	with := func(more string) string { return `{"secret_key":"s3cret",` + more + `}` }
	scored := func(score string) string {
		return `{"success":true,"score":` + score + `,"action":"login","hostname":"a.example"}`
	}
	const plain = `{"success":true,"hostname":"a.example"}`
	for _, c := range []struct {
		name, config string
		req          *auth.Request
		answer, code string
	}{
		{"147 score 0.9", conf, inHeader(), scored("0.9"), ""},
		{"147 score 0.5", conf, inHeader(), scored("0.5"), ""},
		{"147 score 0.3", conf, inHeader(), scored("0.3"), auth.CodeScore},
		{"147 score 1, wanted 1", with(`"min_score":1`), inHeader(), scored("1.0"), ""},
		{"147 score missing", conf, inHeader(), plain, auth.CodeScore},
		{"147 score missing, none wanted", with(`"min_score":0`), inHeader(), plain, ""},
		{"147 no success, high score", conf, inHeader(), `{"success":false,"score":0.9}`, auth.CodeMismatch},
		{"148 v2 without a score", v2, inHeader(), plain, ""},
		{"148 v2 with a low score", v2, inHeader(), scored("0.1"), ""},
		{"148 version in upper case", with(`"version":"V2"`), inHeader(), plain, ""},
		{"148 v2 without success", v2, inHeader(), `{"success":false,"error-codes":["invalid-input-response"]}`, auth.CodeMismatch},
		{"149 body, recaptcha_token", body, inBody("application/json", `{"recaptcha_token":"`+token+`"}`), scored("0.9"), ""},
		{"149 body, recaptcha", body, inBody("application/json", `{"recaptcha":"`+token+`"}`), scored("0.9"), ""},
		{"149 body, the widget's own field", body, inBody(form, "a=1&g-recaptcha-response="+token), scored("0.9"), ""},
		{"149 body, custom field", with(`"token_source":"body","token_field":"captcha"`), inBody("application/json", `{"captcha":"`+token+`"}`), scored("0.9"), ""},
		{"149 body, custom field of a form", with(`"token_source":"body","token_field":"captcha"`), inBody(form, "captcha="+token), scored("0.9"), ""},
		{"149 body, a custom field that the page does not use", with(`"token_source":"body","token_field":"X-Recaptcha-Token"`), inBody(form, "recaptcha_token="+token), scored("0.9"), ""},
		{"149 body, none", body, inBody("application/json", `{"captcha":"`+token+`"}`), scored("0.9"), auth.CodeMissing},
		{"149 body, twice", body, inBody("application/json", `{"recaptcha":"a","recaptcha":"b"}`), scored("0.9"), auth.CodeDoubled},
		{"149 body wanted, but in the header", body, inHeader(), scored("0.9"), auth.CodeMissing},
		{"149 header wanted, but in the body", conf, inBody("application/json", `{"recaptcha_token":"`+token+`"}`), scored("0.9"), auth.CodeMissing},
		{"149 custom header", with(`"token_field":"x-captcha"`), authtest.Header("X-Captcha", token), scored("0.9"), ""},
		{"149 two headers", conf, authtest.Header("X-Recaptcha-Token", token, token), scored("0.9"), auth.CodeDoubled},
		{"150 min_score as text, enough", with(`"min_score":"0.5"`), inHeader(), scored("0.6"), ""},
		{"150 min_score as text, too low", with(`"min_score":"0.5"`), inHeader(), scored("0.4"), auth.CodeScore},
		{"action", with(`"action":"login"`), inHeader(), scored("0.9"), ""},
		{"other action", with(`"action":"signup"`), inHeader(), scored("0.9"), auth.CodeClaim},
		{"hostname", with(`"hostnames":["b.example","A.example"]`), inHeader(), scored("0.9"), ""},
		{"other hostname", with(`"hostnames":["b.example"]`), inHeader(), scored("0.9"), auth.CodeClaim},
		{"used before", conf, inHeader(), `{"success":false,"error-codes":["timeout-or-duplicate"]}`, auth.CodeReplayed},
		{"secret unknown", conf, inHeader(), `{"success":false,"error-codes":["invalid-input-secret"]}`, auth.CodeUnavailable},
		{"long token", conf, authtest.Header("X-Recaptcha-Token", strings.Repeat("t", 8193)), scored("0.9"), auth.CodeTooLong},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := siteverifytest.Always(t, c.answer)
			if got, d := code(t, decode(t, s, c.config), c.req); got != c.code {
				t.Errorf("code %q, want %q (%v)", got, c.code, d)
			}
			for _, a := range s.Asked() {
				if a.URL != "https://www.google.com/recaptcha/api/siteverify" || a.Form.Get("secret") != "s3cret" || a.Form.Get("response") != token || a.Form.Get("remoteip") != "192.0.2.1" {
					t.Errorf("asked %s with %v", a.URL, a.Form)
				}
			}
		})
	}
}

// TestUnreachable is row 151: nobody passes while Google cannot be asked.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	down := siteverifytest.New(t, func(url.Values) (int, string) { return http.StatusBadGateway, "bad gateway" })
	for name, rt := range map[string]http.RoundTripper{"502": down, "refused": refused{}, "offline": nil} {
		if got, d := code(t, decode(t, rt, `{"secret_key":"s3cret"}`), inHeader()); got != auth.CodeUnavailable || !d.Unavailable || d.Forbidden {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

type refused struct{}

func (refused) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("connection refused")
}

func TestDescription(t *testing.T) {
	t.Parallel()
	authtest.Describe(t, recaptcha.Method())
	authtest.Refused(t, recaptcha.Method(),
		`{}`, `{"secret_key":""}`, `{"secret_key":12}`, `{"secret_key":["s3cret"]}`, `{"secret_key":"s3cret","version":"v4"}`,
		`{"secret_key":"s3cret","token_source":"query"}`, `{"secret_key":"s3cret","token_field":""}`, `{"secret_key":"s3cret","token_field":"a b"}`,
		`{"secret_key":"s3cret","token_source":"body","token_field":" "}`, `{"secret_key":"s3cret","min_score":1.1}`, `{"secret_key":"s3cret","min_score":-0.1}`,
		`{"secret_key":"s3cret","min_score":"high"}`, `{"secret_key":"s3cret","min_score":"NaN"}`, `{"secret_key":"s3cret","hostnames":[]}`,
		`{"secret_key":"s3cret","hostnames":["https://a.example"]}`, `{"secret_key":"s3cret","hostnames":["*.a.example"]}`, `{"secret_key":"s3cret","hostnames":[""]}`,
		`{"secret_key":"s3cret","endpoint":"file:///etc/passwd"}`, `{"secret_key":"s3cret","endpoint":"/siteverify"}`, `{"secret_key":"s3cret","endpoint":"https://u:s3cret@a.example/"}`,
		`{"secret_key":"s3cret","scores":1}`,
	)
	v := decode(t, nil, `{"secret_key":"s3cret"}`)
	if _, ok := v.(auth.Signer); ok {
		t.Error("claims that it can make tokens")
	}
	if got := v.(auth.Sourced).CredentialHeaders(); !slices.Equal(got, []string{"X-Recaptcha-Token"}) || v.Cost() != auth.CostRemote {
		t.Errorf("%q, cost %d", got, v.Cost())
	}
	if got := decode(t, nil, `{"secret_key":"s3cret","token_source":"body"}`).(auth.Sourced).CredentialHeaders(); len(got) > 0 {
		t.Errorf("a token in the body is called a header: %q", got)
	}
}

// TestUnsafeEndpoint: plain HTTP is the operator's choice, with a warning.
func TestUnsafeEndpoint(t *testing.T) {
	t.Parallel()
	s := siteverifytest.Always(t, `{"success":true,"score":1}`)
	if got, d := code(t, decode(t, s, `{"secret_key":"s3cret","endpoint":"http://captcha.test:8080/verify"}`), inHeader()); got != "" {
		t.Error(d)
	}
	if a := s.Asked(); len(a) != 1 || a[0].URL != "http://captcha.test:8080/verify" {
		t.Errorf("%+v", a)
	}
}
