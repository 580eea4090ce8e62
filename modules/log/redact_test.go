package log

import (
	"encoding/json"
	"strings"
	"testing"
)

const form = "application/x-www-form-urlencoded"

func TestRedact(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ contentType, body, want string }{
		{"", `{"password":"p"}`, `{"password":"[REDACTED]"}`},
		{"", `{ "password" : "p" , "a":1}`, `{ "password" : "[REDACTED]" , "a":1}`},
		{"", `{"a":{"b":[{"api_key":123}]}}`, `{"a":{"b":[{"api_key":"[REDACTED]"}]}}`},
		{"", `{"token":["a",{"x":[1]}],"z":1}`, `{"token":"[REDACTED]","z":1}`},
		{"", `{"auth":{"user":"u","password":"p"}}`, `{"auth":"[REDACTED]"}`},
		{"", `{"secret":null,"token":true,"cookie":"","ssn":false}`, `{"secret":null,"token":true,"cookie":"","ssn":false}`},
		{"", `{"credit_card":"4111","creditCard":"4111","card-number":4111}`, `{"credit_card":"[REDACTED]","creditCard":"[REDACTED]","card-number":"[REDACTED]"}`},
		{"", `{"pass\u0077ord":"p"}`, `{"pass\u0077ord":"[REDACTED]"}`},
		{"", `["password","secret"]`, `["password","secret"]`},
		{"", `{"x":"password"}`, `{"x":"password"}`},
		{"", `{"password":"a"}{"password":"b"}`, `{"password":"[REDACTED]"}{"password":"[REDACTED]"}`},
		{"", `{"n":1e999,"password":1e999}`, `{"n":1e999,"password":"[REDACTED]"}`},
		{"", `{"password":"unfinished`, `{"password":"[REDACTED]"`},
		{"", `{"password":{"a":`, `{"password":"[REDACTED]"`},
		{"", `{"password":"p","broken`, `{"password":"[REDACTED]","broken`},
		{"", "\n  {\"password\":\"p\"}", "\n  {\"password\":\"[REDACTED]\"}"},
		{"", `password=p`, `password=p`},
		{form, `password=p&a=1&api%5Fkey=k&x=`, `password=[REDACTED]&a=1&api%5Fkey=[REDACTED]&x=`},
		{form, `a=1&password=`, `a=1&password=`},
		{form, `a=1&password`, `a=1&password`},
		{"text/plain", ``, ``},
	} {
		if got := string(redact([]byte(c.body), c.contentType)); got != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.body, got, c.want)
		}
	}
}

// FuzzRedact: valid JSON stays valid JSON, a body without sensitive names stays
// itself, and a second pass finds nothing new.
func FuzzRedact(f *testing.F) {
	for _, s := range []string{`{"password":"p","a":[{"token":{}}]}`, `{"a":1}`, `[[]]`, `{"password":`, "{\"token\"\t:\r\n{}}", `{"secret":"x"}{"secret":1}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := redact([]byte(s), "application/json")
		if json.Valid([]byte(s)) && !json.Valid(got) {
			t.Errorf("%q became %q", s, got)
		}
		if again := redact(got, "application/json"); json.Valid([]byte(s)) && string(again) != string(got) {
			t.Errorf("%q, then %q", got, again)
		}
		if !strings.Contains(s, `"`) && string(got) != s {
			t.Errorf("%q became %q", s, got)
		}
	})
}

// FuzzEscape: nothing that is shown moves a cursor or begins a line.
func FuzzEscape(f *testing.F) {
	f.Add([]byte("a\r\nb\x1b[2J\xff\u2028"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got := escape(b, false)
		for _, r := range string(got) {
			if !printable(r, 3) {
				t.Fatalf("%q shows %q", b, r)
			}
		}
	})
}
