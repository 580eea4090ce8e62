package authorization_test

import (
	"context"
	"strings"
	"testing"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authorization"
	"github.com/hookd/hookd/auth/authtest"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	authtest.Describe(t, authorization.Method())
	for name, prefix := range map[string]string{"bearer": "Bearer ", "raw": "CustomToken "} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			authtest.Run(t, authtest.Subject{
				New: func(secrets ...string) (auth.Verifier, error) {
					return authtest.Decode(authorization.Method(), authtest.Object("value", secrets, ""))
				},
				Secrets: [3]string{prefix + "first-Secret", prefix + "second secret", prefix + "third-s\u00e9cret"},
				Header:  "Authorization",
			})
		})
	}
}

const h = "Authorization"

// TestContract is the contract of the original service, rows 39 to 54.
func TestContract(t *testing.T) {
	t.Parallel()
	const tok = `"Bearer tok"`
	one := func(v string) *auth.Request { return authtest.Header(h, v) }
	row := authtest.Row
	authtest.Table(t, authorization.Method(), []authtest.Case{
		row("39 same", tok, one("Bearer tok"), ""),
		row("40 lower-case scheme", tok, one("bearer tok"), auth.CodeMismatch),
		row("40 upper-case scheme", tok, one("BEARER tok"), auth.CodeMismatch),
		row("40 option", `{"value":"Bearer tok","scheme_any_case":true}`, one("bEARER tok"), ""),
		row("40 option is for the scheme only", `{"value":"Bearer tok","scheme_any_case":true}`, one("bearer TOK"), auth.CodeMismatch),
		row("40 option is for bearer only", `{"value":"Custom tok","scheme_any_case":true}`, one("custom tok"), auth.CodeMismatch),
		row("41 two blanks", tok, one("Bearer  tok"), auth.CodeMismatch),
		row("41 tab", tok, one("Bearer\ttok"), auth.CodeMismatch),
		row("41 scheme only", tok, one("Bearer"), auth.CodeMismatch),
		row("41 scheme and blank", tok, one("Bearer "), auth.CodeMismatch),
		row("42 token only", tok, one("tok"), auth.CodeMismatch),
		row("43 blanks around", tok, one(" \tBearer tok \t"), ""),
		row("43 blanks around the configured value", `" Bearer tok "`, one("Bearer tok"), ""),
		row("44 inner blanks", `"Bearer token with  spaces"`, one("Bearer token with  spaces"), ""),
		row("44 inner blanks changed", `"Bearer token with  spaces"`, one("Bearer token with spaces"), auth.CodeMismatch),
		row("45 unicode", `"Bearer t\u00f6k\u00e9n\u2713"`, one("Bearer t\u00f6k\u00e9n\u2713"), ""),
		row("45 same text in other bytes", `"Bearer t\u00f6k"`, one("Bearer to\u0308k"), auth.CodeMismatch),
		row("46 too long", tok, one("Bearer "+strings.Repeat("t", 8186)), auth.CodeTooLong),
		row("46 as long as allowed", tok, one("Bearer "+strings.Repeat("t", 8185)), auth.CodeMismatch),
		row("47 CR", tok, one("Bearer tok\r"), auth.CodeMalformed),
		row("47 LF", tok, one("Bearer\ntok"), auth.CodeMalformed),
		row("47 NUL", tok, one("Bearer tok\x00"), auth.CodeMalformed),
		row("48 raw", `"CustomToken x"`, one("CustomToken x"), ""),
		row("48 raw in other case", `"CustomToken x"`, one("customtoken x"), auth.CodeMismatch),
		row("49 bad, good", tok, authtest.Header(h, "Bearer bad", "Bearer tok"), auth.CodeDoubled),
		row("49 good, bad", tok, authtest.Header(h, "Bearer tok", "Bearer bad"), auth.CodeDoubled),
		row("49 good, good", tok, authtest.Header(h, "Bearer tok", "Bearer tok"), auth.CodeDoubled),
		row("missing", tok, authtest.Request(), auth.CodeMissing),
		row("list", `["Bearer old","Bearer tok"]`, one("Bearer tok"), ""),
	})
	authtest.Refused(t, authorization.Method(),
		`12345`, `""`, `"   "`, `"\t"`, `true`, `{}`, `[]`, `[""]`, `["Bearer s3cret"," "]`, `{"value":""}`, `{"valeu":"Bearer s3cret"}`,
		`"Bearer"`, `"Bearer "`, `"Bearer  s3cret"`, `"Bearer \ts3cret"`, `"Bearer s3cret\nX: y"`, `"Bearer s3cret\u0000"`,
		authtest.Quote("Bearer s3cret"+strings.Repeat("x", 8192)),
	)
}

func TestChallenge(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]string{`"Bearer tok"`: `Bearer realm="Webhook API"`, `"Custom tok"`: ""} {
		v, err := authtest.Decode(authorization.Method(), config)
		if err != nil {
			t.Fatal(err)
		}
		if got := v.(auth.Challenger).Challenge(authtest.Request()); got != want {
			t.Errorf("%s: %q", config, got)
		}
	}
}

func FuzzAuthorization(f *testing.F) {
	for _, seed := range []string{"Bearer tok", "bearer tok", " Bearer tok", "Bearer  tok", "Bearer tok\x00", ""} {
		f.Add(seed)
	}
	v, err := authtest.Decode(authorization.Method(), `"Bearer tok"`)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, header string) {
		_, err := v.Verify(context.Background(), authtest.Header(h, header))
		if want := strings.Trim(header, " \t") == "Bearer tok" && len(header) <= 8192; (err == nil) != want {
			t.Errorf("%q: %v", header, err)
		}
	})
}
