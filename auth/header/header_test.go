package header_test

import (
	"context"
	"strings"
	"testing"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/auth/header"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	authtest.Describe(t, header.Method())
	for name, c := range map[string]struct {
		more string
		same func(a, b string) bool
	}{
		"any case": {"", strings.EqualFold},
		"exact":    {`"case_sensitive":true`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			authtest.Run(t, authtest.Subject{
				New: func(secrets ...string) (auth.Verifier, error) {
					return authtest.Decode(header.Method(), authtest.Object("api_key", secrets, c.more))
				},
				Secrets:    [3]string{"first-Key", "second key", "third-k\u00e9y"},
				Header:     "X-Api-Key",
				Same:       c.same,
				SameSecret: c.same,
			})
		})
	}
}

// TestContract is the contract of the original service, rows 102 to 113.
func TestContract(t *testing.T) {
	t.Parallel()
	const conf = `{"api_key":"SeCret"}`
	one := func(v string) *auth.Request { return authtest.Header("X-API-Key", v) }
	row := authtest.Row
	authtest.Table(t, header.Method(), []authtest.Case{
		row("right", conf, one("SeCret"), ""),
		row("102 other case", conf, one("sEcREt"), ""),
		row("103 other case, exact", `{"api_key":"SeCret","case_sensitive":true}`, one("secret"), auth.CodeMismatch),
		row("103 exact", `{"api_key":"SeCret","case_sensitive":true}`, one("SeCret"), ""),
		row("other header", `{"api_key":"SeCret","header_name":"x-my-key"}`, authtest.Header("X-My-Key", "SeCret"), ""),
		row("other header missing", `{"api_key":"SeCret","header_name":"x-my-key"}`, one("SeCret"), auth.CodeMissing),
		row("106 control character", conf, one("Se\nCret"), auth.CodeMalformed),
		row("106 control character", conf, one("Se\x7fCret"), auth.CodeMalformed),
		row("106 C1 control", conf, one("Se\u0085Cret"), auth.CodeMismatch),
		row("108 blanks", conf, one(" SeCret "), auth.CodeMismatch),
		row("109 prefix", conf, one("SeCre"), auth.CodeMismatch),
		row("109 suffix", conf, one("SeCrett"), auth.CodeMismatch),
		row("111 blank", conf, one("   "), auth.CodeMismatch),
		row("111 empty", conf, one(""), auth.CodeMissing),
		row("111 missing", conf, authtest.Request(), auth.CodeMissing),
		row("112 bad, good", conf, authtest.Header("X-API-Key", "bad", "SeCret"), auth.CodeDoubled),
		row("112 good, bad", conf, authtest.Header("X-API-Key", "SeCret", "bad"), auth.CodeDoubled),
		row("bad bytes are not alike", `{"api_key":"\ufffd"}`, one("\xff"), auth.CodeMismatch),
	})
	authtest.Refused(t, header.Method(),
		`{}`, `{"api_key":12}`, `{"api_key":""}`, `{"api_key":"  "}`, `{"api_key":["s3cret",""]}`, `{"api_key":null}`, `"s3cret"`,
		`{"api_key":" s3cret"}`, `{"api_key":"s3cret\n"}`, `{"api_key":"s3\u0000cret"}`,
		`{"api_key":"s3cret","header_name":""}`, `{"api_key":"s3cret","header_name":"X Key"}`, `{"api_key":"s3cret","header_name":"X-Key:"}`,
		`{"api_key":"s3cret","header_name":"Host"}`, `{"api_key":"s3cret","header_name":"Kéy"}`, `{"api_key":"s3cret","header_name":"`+strings.Repeat("x", 101)+`"}`,
	)
}

func FuzzHeader(f *testing.F) {
	for _, seed := range []string{"SeCret", "secret", "Se\x00Cret", "\xff", "\u017fecret"} {
		f.Add(seed)
	}
	v, err := authtest.Decode(header.Method(), `{"api_key":"SeCret","case_sensitive":true}`)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if _, err := v.Verify(context.Background(), authtest.Header("X-API-Key", value)); (err == nil) != (value == "SeCret") {
			t.Errorf("%q: %v", value, err)
		}
	})
}
