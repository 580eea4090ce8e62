package basic_test

import (
	"context"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/auth/basic"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	authtest.Describe(t, basic.Method())
	authtest.Run(t, authtest.Subject{
		New: func(secrets ...string) (auth.Verifier, error) {
			return authtest.Decode(basic.Method(), authtest.Object("password", secrets, `"username":"ci"`))
		},
		Secrets: [3]string{"first-Passw0rd", "second: with colon", "third-p\u00e4ssword"},
		Header:  "Authorization",
		Same: func(a, b string) bool { // the scheme has no case
			return len(a) > 6 && len(b) > 6 && strings.EqualFold(a[:6], b[:6]) && a[6:] == b[6:]
		},
	})
}

const h = "Authorization"

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func one(v string) *auth.Request { return authtest.Header(h, v) }

// TestContract is the contract of the original service, rows 55 to 64.
func TestContract(t *testing.T) {
	t.Parallel()
	const conf = `{"username":"ci","password":"pa:ss"}`
	const umlaut = `{"username":"j\u00f6rg","password":"gr\u00fc\u00df"}`
	good := b64("ci:pa:ss")
	row := authtest.Row
	authtest.Table(t, basic.Method(), []authtest.Case{
		row("55 and 57 correct", conf, one("Basic "+good), ""),
		row("56 wrong user", conf, one("Basic "+b64("cj:pa:ss")), auth.CodeMismatch),
		row("56 wrong password", conf, one("Basic "+b64("ci:pa:st")), auth.CodeMismatch),
		row("56 both swapped", conf, one("Basic "+b64("pa:ss:ci")), auth.CodeMismatch),
		row("56 other case", conf, one("Basic "+b64("CI:pa:ss")), auth.CodeMismatch),
		row("58 UTF-8", umlaut, one("Basic "+b64("j\u00f6rg:gr\u00fc\u00df")), ""),
		row("58 Latin-1", umlaut, one("Basic "+b64("j\xf6rg:gr\xfc\xdf")), ""),
		row("58 a mix of both", umlaut, one("Basic "+b64("j\u00f6rg:gr\xfc\xdf")), auth.CodeMismatch),
		row("59 lower case", conf, one("basic "+good), ""),
		row("59 upper case", conf, one("BASIC "+good), ""),
		row("59 mixed case", conf, one("BaSiC "+good), ""),
		row("60 two blanks", conf, one("Basic  "+good), auth.CodeMalformed),
		row("60 tab", conf, one("Basic\t"+good), auth.CodeMalformed),
		row("60 newline behind", conf, one("Basic "+good+"\n"), auth.CodeMalformed),
		row("60 newline within", conf, one("Basic "+good[:4]+"\n"+good[4:]), auth.CodeMalformed),
		row("60 blank behind", conf, one("Basic "+good+" "), auth.CodeMalformed),
		row("61 invalid base64", conf, one("Basic !!!!"), auth.CodeMalformed),
		row("61 scheme only", conf, one("Basic "), auth.CodeMalformed),
		row("61 scheme only without blank", conf, one("Basic"), auth.CodeMalformed),
		row("61 no colon", conf, one("Basic "+b64("cipass")), auth.CodeMalformed),
		row("61 no padding", `{"username":"a","password":"b"}`, one("Basic "+strings.TrimRight(b64("a:bb"), "=")), auth.CodeMalformed),
		row("61 unused bits", `{"username":"a","password":"bc"}`, one("Basic YTpiYx=="), auth.CodeMalformed),
		row("61 URL alphabet", `{"username":"a","password":"\u00ff\u00fe?>"}`, one("Basic "+base64.URLEncoding.EncodeToString([]byte("a:\u00ff\u00fe?>"))), auth.CodeMalformed),
		row("62 scheme twice", conf, one("Basic Basic "+good), auth.CodeMalformed),
		row("63 huge", conf, one("Basic "+b64(strings.Repeat("u", 10000)+":"+strings.Repeat("p", 10000))), auth.CodeTooLong),
		row("other scheme", conf, one("Bearer "+good), auth.CodeMalformed),
		row("control character", conf, one("Basic "+b64("ci:pa:ss\x00")), auth.CodeMalformed),
		row("empty both", conf, one("Basic "+b64(":")), auth.CodeMismatch),
		row("two headers", conf, authtest.Header(h, "Basic x", "Basic "+good), auth.CodeDoubled),
		row("longest", `{"username":"`+strings.Repeat("u", 3000)+`","password":"`+strings.Repeat("p", 3000)+`"}`,
			one("Basic "+b64(strings.Repeat("u", 3000)+":"+strings.Repeat("p", 3000))), ""),
	})
	authtest.Refused(t, basic.Method(),
		`{}`, `{"username":"ci"}`, `{"password":"s3cret"}`, `{"username":"","password":"s3cret"}`, `{"username":"ci","password":""}`,
		`{"username":"c:i","password":"s3cret"}`, `{"username":"ci","password":"s3cret\u0000"}`, `{"username":"c\ti","password":"s3cret"}`,
		`{"username":"ci","password":["s3cret",""]}`, `{"username":"ci","password":[]}`, `{"username":"ci","password":12}`, `"ci:s3cret"`,
		`{"username":"ci","password":"s3cret","realm":"a\"b"}`, `{"username":"ci","password":"s3cret`+strings.Repeat("x", 3000)+`"}`,
	)
}

func TestChallengeAndSubject(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]string{
		`{"username":"ci","password":"p"}`:                    `Basic realm="Webhook API", charset="UTF-8"`,
		`{"username":"ci","password":"p","realm":"My hooks"}`: `Basic realm="My hooks", charset="UTF-8"`,
	} {
		v, err := authtest.Decode(basic.Method(), config)
		if err != nil {
			t.Fatal(err)
		}
		if got := v.(auth.Challenger).Challenge(authtest.Request()); got != want {
			t.Errorf("%s: %q", config, got)
		}
		if id, err := v.Verify(context.Background(), one("Basic "+b64("ci:p"))); err != nil || id.Subject != "basic:ci" {
			t.Errorf("%+v %v", id, err)
		}
	}
}

func FuzzBasic(f *testing.F) {
	for _, seed := range []string{"Basic Y2k6cGE6c3M=", "basic Y2k6cGE6c3M", "Basic Basic Y2k6", "Basic \xff", "Basic YTpiYx==", "Basic Y2k6\ncGE6c3M="} {
		f.Add(seed)
	}
	v, err := authtest.Decode(basic.Method(), `{"username":"ci","password":"pa:ss"}`)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, header string) {
		_, err := v.Verify(context.Background(), one(header))
		want := len(header) == len("Basic Y2k6cGE6c3M=") && strings.EqualFold(header[:6], "Basic ") && header[6:] == "Y2k6cGE6c3M="
		if (err == nil) != want {
			t.Errorf("%q: %v", header, err)
		}
	})
}
