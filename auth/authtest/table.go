package authtest

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/hookd/hookd/auth"
)

// Case is one request against one configuration.
type Case struct {
	Name   string
	Config string // what stands under the method's key
	Req    *auth.Request
	Code   string // of the denial; "" passes
}

// Table runs cases.
func Table(t *testing.T, m auth.Method, cases []Case) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			v, err := Decode(m, c.Config)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if _, err := v.Verify(context.Background(), c.Req); err != nil {
				got = auth.DenialOf(err).Code
			}
			if got != c.Code {
				t.Errorf("code %q, want %q", got, c.Code)
			}
		})
	}
}

// Refused checks that each configuration is an error, and that none tells the
// secret, which is "s3cret" wherever it occurs.
func Refused(t *testing.T, m auth.Method, configs ...string) {
	t.Helper()
	for _, c := range configs {
		_, err := Decode(m, c)
		if err == nil {
			t.Errorf("%s: accepted %s", m.Name(), c)
		} else if strings.Contains(strings.ToLower(err.Error()), "s3cret") {
			t.Errorf("%s: the error for %s tells the secret: %v", m.Name(), c, err)
		}
	}
}

// Quote is s as JSON.
func Quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// Row is a Case.
func Row(name, config string, r *auth.Request, code string) Case {
	return Case{Name: name, Config: config, Req: r, Code: code}
}
