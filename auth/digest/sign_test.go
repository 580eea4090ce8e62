package digest_test

import (
	"context"
	"strings"
	"testing"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
)

// TestSignChallenge: the strongest challenge that the configuration allows is
// answered, and nothing weaker.
func TestSignChallenge(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config     string
		challenges []string
		want       []string // parts of the header
		err        string
	}{
		"strongest first": {conf, []string{`Digest realm="r", nonce="n1", algorithm=SHA-256, qop="auth", Digest realm="r", nonce="n2", algorithm=MD5, qop="auth"`}, []string{`nonce="n1"`, `algorithm=SHA-256,`, `realm="r"`}, ""},
		"strongest last":  {conf, []string{`Digest realm="r", nonce="n2", algorithm=MD5, qop="auth"`, `Digest realm="r", nonce="n1", algorithm=sha-256, qop="auth-int,auth"`}, []string{`nonce="n1"`, `algorithm=SHA-256,`, `qop=auth,`}, ""},
		"MD5 by default":  {conf, []string{`Basic realm="x", Digest realm="a \"b\"", nonce="n", qop=auth, opaque="o\\p"`}, []string{`algorithm=MD5,`, `realm="a \"b\""`, `opaque="o\\p"`, `nc=00000001`}, ""},
		"no opaque":       {conf, []string{`Digest realm="r", nonce="n", qop="auth"`}, []string{`response="`}, ""},
		"auth-int":        {`{"username":"ci","password":"pa:ss","qop":"auth-int"}`, []string{`Digest realm="r", nonce="n", qop="auth , auth-int"`}, []string{`qop=auth-int`}, ""},
		"without qop":     {`{"username":"ci","password":"pa:ss","qop":""}`, []string{`Digest realm="r", nonce="n"`}, []string{`algorithm=MD5, response=`}, ""},
		"none":            {conf, nil, nil, "has no Digest challenge"},
		"another scheme":  {conf, []string{`Basic realm="x", Negotiate`}, nil, "has no Digest challenge"},
		"unreadable":      {conf, []string{`Digest realm="x`}, nil, "expected a closing quote"},
		"no nonce":        {conf, []string{`Digest realm="x", qop="auth"`}, nil, "no nonce"},
		"a weaker hash":   {`{"username":"ci","password":"pa:ss","algorithm":"SHA-256"}`, []string{`Digest realm="r", nonce="n", qop="auth", algorithm=MD5`}, nil, `algorithm "MD5" is not configured`},
		"an unknown hash": {conf, []string{`Digest realm="r", nonce="n", qop="auth", algorithm=SHA-1`}, nil, `algorithm "SHA-1" is not configured`},
		"no qop":          {conf, []string{`Digest realm="r", nonce="n"`}, nil, "no qop"},
		"auth only":       {`{"username":"ci","password":"pa:ss","qop":"auth-int"}`, []string{`Digest realm="r", nonce="n", qop="auth"`}, nil, "does not hold auth-int"},
		"a session":       {`{"username":"ci","password":"pa:ss","qop":"","algorithm":"MD5-sess"}`, []string{`Digest realm="r", nonce="n", algorithm=MD5-sess`}, nil, "no qop"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := authtest.Request()
			err := newVerifier(t, c.config).(auth.Challenged).SignChallenge(context.Background(), r, c.challenges)
			got := r.Header.Get("Authorization")
			switch {
			case c.err == "" && err != nil, c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
				t.Fatalf("error %v, want %q", err, c.err)
			case c.err != "" && got != "":
				t.Errorf("signed all the same: %s", got)
			}
			for _, part := range c.want {
				if !strings.Contains(got, part) {
					t.Errorf("%s lacks %s", got, part)
				}
			}
			if strings.Contains(got, "opaque") != strings.Contains(strings.Join(c.challenges, ""), "opaque") {
				t.Errorf("opaque is not echoed: %s", got)
			}
		})
	}
}
