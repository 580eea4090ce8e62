package query_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/auth/query"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	authtest.Describe(t, query.Method())
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
					return authtest.Decode(query.Method(), authtest.Object("api_key", secrets, c.more))
				},
				Secrets:    [3]string{"first-Key+&=", "second key", "third-k\u00e9y%41"},
				Param:      "api_key",
				Same:       c.same,
				SameSecret: c.same,
			})
		})
	}
}

func req(raw string) *auth.Request {
	r := authtest.Request()
	r.URL.RawQuery = raw
	return r
}

// TestContract is the contract of the original service, rows 102 to 113.
func TestContract(t *testing.T) {
	t.Parallel()
	const conf = `{"api_key":"SeCret"}`
	long := strings.Repeat("\u00e9", 1000)
	row := authtest.Row
	authtest.Table(t, query.Method(), []authtest.Case{
		row("right", conf, req("a=1&api_key=SeCret&b"), ""),
		row("102 other case", conf, req("api_key=secret"), ""),
		row("103 other case, exact", `{"api_key":"SeCret","case_sensitive":true}`, req("api_key=secret"), auth.CodeMismatch),
		row("104 bad, good", conf, req("api_key=bad&api_key=SeCret"), auth.CodeDoubled),
		row("104 good, bad", conf, req("api_key=SeCret&api_key=bad"), auth.CodeDoubled),
		row("104 doubled in disguise", conf, req("api_key=SeCret&api%5fkey=bad"), auth.CodeDoubled),
		row("104 doubled without a value", conf, req("api_key=SeCret&api_key"), auth.CodeDoubled),
		row("105 other name", conf, req("API_KEY=SeCret"), auth.CodeMissing),
		row("106 newline", conf, req("api_key=Se%0ACret"), auth.CodeMalformed),
		row("106 tab", conf, req("api_key=Se%09Cret"), auth.CodeMalformed),
		row("106 C1 control", conf, req("api_key=Se%C2%85Cret"), auth.CodeMismatch),
		row("107 1001 characters", conf, req("api_key="+strings.Repeat("x", 1001)), auth.CodeTooLong),
		row("107 1000 characters", `{"api_key":"`+long+`"}`, req("api_key="+url.QueryEscape(long)), ""),
		row("108 blanks", conf, req("api_key=+SeCret+"), auth.CodeMismatch),
		row("109 prefix", conf, req("api_key=SeCre"), auth.CodeMismatch),
		row("109 suffix", conf, req("api_key=SeCrett"), auth.CodeMismatch),
		row("empty", conf, req("api_key="), auth.CodeMissing),
		row("no value", conf, req("api_key"), auth.CodeMissing),
		row("missing", conf, req(""), auth.CodeMissing),
		row("bad escape", conf, req("api_key=SeCre%7"), auth.CodeMalformed),
		row("bad escape elsewhere", conf, req("x=%zz&api_key=SeCret"), ""),
		row("semicolons separate nothing", conf, req("x=1;api_key=SeCret"), auth.CodeMissing),
		row("encoded", conf, req("api%5Fkey=%53e%43ret"), ""),
		row("own name", `{"api_key":"SeCret","parameter_name":"k.e-Y_1"}`, req("k.e-Y_1=SeCret"), ""),
	})
	authtest.Refused(t, query.Method(),
		`{}`, `{"api_key":12}`, `{"api_key":""}`, `{"api_key":"  "}`, `{"api_key":["s3cret",""]}`, `{"api_key":"s3cret\n"}`,
		`{"api_key":"s3cret","parameter_name":""}`, `{"api_key":"s3cret","parameter_name":"a;b"}`, `{"api_key":"s3cret","parameter_name":"a\nb"}`,
		`{"api_key":"s3cret","parameter_name":"`+strings.Repeat("x", 101)+`"}`, `{"api_key":"s3cret`+strings.Repeat("x", 1000)+`"}`,
	)
}

func TestSignReplaces(t *testing.T) {
	t.Parallel()
	v, err := authtest.Decode(query.Method(), `{"api_key":"S e"}`)
	if err != nil {
		t.Fatal(err)
	}
	r := req("b=%zz&api%5Fkey=old&a=1+2")
	if err := v.(auth.Signer).Sign(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	if want := "b=%zz&a=1+2&api_key=S+e"; r.URL.RawQuery != want {
		t.Errorf("%q, want %q", r.URL.RawQuery, want)
	}
}

func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"api_key=SeCret", "api_key=bad&api_key=SeCret", "api%5Fkey=SeCret", "api_key=Se%0aCret", "&&=&api_key", "api_key=%", "a;api_key=SeCret"} {
		f.Add(seed)
	}
	v, err := authtest.Decode(query.Method(), `{"api_key":"SeCret","case_sensitive":true}`)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		_, err := v.Verify(context.Background(), req(raw))
		got := url.Values{}
		for _, pair := range strings.Split(raw, "&") {
			k, val, _ := strings.Cut(pair, "=")
			k, kErr := url.QueryUnescape(k)
			val, vErr := url.QueryUnescape(val)
			if vErr != nil {
				val = "%"
			}
			if kErr == nil {
				got.Add(k, val)
			}
		}
		want := len(got["api_key"]) == 1 && got.Get("api_key") == "SeCret"
		if (err == nil) != want {
			t.Errorf("%q: %v, want %v", raw, err, want)
		}
	})
}
