package digest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/auth/digest"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	authtest.Describe(t, digest.Method())
	for name, more := range map[string]string{
		"default":          ``,
		"MD5":              `"algorithms":["MD5"]`,
		"MD5-sess":         `"algorithms":"md5-sess"`,
		"SHA-256-sess":     `"algorithm":"SHA-256-sess"`,
		"SHA-512-256":      `"algorithm":"SHA-512-256","nonce_lifetime":"5m"`,
		"SHA-512-256-sess": `"algorithm":"SHA-512-256-sess"`,
		"auth-int":         `"qop":"auth-int"`,
		"RFC 2069 too":     `"qop":"","algorithm":"MD5"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			authtest.Run(t, authtest.Subject{
				New: func(secrets ...string) (auth.Verifier, error) {
					return authtest.Decode(digest.Quick(), authtest.Object("password", secrets, strings.TrimSuffix(`"username":"ci \"x\\y\"",`+more, ",")))
				},
				Secrets:    [3]string{"first-Passw0rd", "second: \"with\" colon", "third-p\u00e4ssword"},
				Header:     "Authorization",
				CoversBody: name == "auth-int",
				Same:       same,
				Clock: map[time.Duration]string{
					0:                           "",
					5 * time.Minute:             "",
					5*time.Minute + time.Second: auth.CodeStale,
					-time.Minute:                "",
					-time.Minute - time.Second:  auth.CodeStale,
					290 * 365 * 24 * time.Hour:  auth.CodeStale,
				},
			})
		})
	}
}

// same: neither the scheme, nor names of parameters, nor the algorithm and qop
// have a case; empty elements of a list say nothing; and without algorithm it is
// MD5.
func same(a, b string) bool {
	x, y := plain(a), plain(b)
	if x == nil || len(x) != len(y) {
		return false
	}
	for k, v := range x {
		if w, ok := y[k]; !ok || w != v {
			return false
		}
	}
	return true
}

// plain splits what Sign writes for these names: no value holds a comma.
func plain(header string) map[string]string {
	if len(header) < 7 || !strings.EqualFold(header[:7], "digest ") {
		return nil
	}
	out := map[string]string{"algorithm": "md5"}
	for part := range strings.SplitSeq(header[7:], ",") {
		part = strings.Trim(part, " ")
		if part == "" {
			continue
		}
		k, v, ok := strings.Cut(part, "=")
		if !ok || strings.ContainsFunc(k, func(c rune) bool { return c <= ' ' || c >= 0x7f || strings.ContainsRune("\"(),/:;<=>?@[\\]{}", c) }) {
			return nil
		}
		switch k = strings.ToLower(k); k {
		case "algorithm", "qop":
			out[k] = strings.ToLower(v)
		case "username", "realm", "nonce", "uri", "nc", "cnonce", "opaque", "response":
			out[k] = v
		default: // a parameter of the future says nothing
		}
	}
	return out
}

func newVerifier(t testing.TB, config string) auth.Verifier {
	t.Helper()
	v, err := authtest.Decode(digest.Quick(), config)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

const conf = `{"username":"ci","password":"pa:ss"}`

func signed(t testing.TB, v auth.Verifier) *auth.Request {
	t.Helper()
	r := authtest.Request()
	if err := v.(auth.Signer).Sign(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	return r
}

func codeOf(v auth.Verifier, r *auth.Request) string {
	if _, err := v.Verify(context.Background(), r); err != nil {
		return auth.DenialOf(err).Code
	}
	return ""
}

// TestConfig: what cannot be meant is refused.
func TestConfig(t *testing.T) {
	t.Parallel()
	authtest.Refused(t, digest.Method(),
		`{}`, `{"username":"ci"}`, `{"password":"s3cret"}`, `{"username":"","password":"s3cret"}`, `{"username":"ci","password":""}`,
		`{"username":"c:i","password":"s3cret"}`, `{"username":"c\ti","password":"s3cret"}`, `{"username":"ci","password":["s3cret",""]}`,
		`{"username":"ci","password":[]}`, `{"username":"ci","password":12}`, `{"username":"ci","password":"s3cret","realm":"a\nb"}`,
		`{"username":"ci","password":"s3cret","algorithm":"SHA-1"}`, `{"username":"ci","password":"s3cret","algorithms":[]}`,
		`{"username":"ci","password":"s3cret","algorithms":["SHA-256","sha-256"]}`, `{"username":"ci","password":"s3cret","algorithms":["SHA-256","SHA-1"]}`,
		`{"username":"ci","password":"s3cret","qop":"auth-conf"}`, `{"username":"ci","password":"s3cret","nonce_lifetime":0}`,
		`{"username":"ci","password":"s3cret","nonce_lifetime":"25h"}`, `{"username":"ci","password":"s3cret`+strings.Repeat("x", 1000)+`"}`,
		`{"username":"ci","password":["s3cret","2","3","4","5","6","7","8","9"]}`,
	)
}

func TestChallenge(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]string{
		conf: `Digest realm="Webhook API", qop="auth", algorithm=SHA-256, N, Digest realm="Webhook API", qop="auth", algorithm=MD5, N`,
		`{"username":"ci","password":"p","algorithm":"md5-sess","realm":"My \"hooks\""}`: `Digest realm="My \"hooks\"", qop="auth", algorithm=SHA-256, N, ` +
			`Digest realm="My \"hooks\"", qop="auth", algorithm=MD5-sess, N`,
		`{"username":"ci","password":"p","algorithm":"SHA-256"}`: `Digest realm="Webhook API", qop="auth", algorithm=SHA-256, N`,
		`{"username":"ci","password":"p","algorithms":["md5","SHA-512-256"],"qop":"auth-int"}`: `Digest realm="Webhook API", qop="auth-int", algorithm=SHA-512-256, N, ` +
			`Digest realm="Webhook API", qop="auth-int", algorithm=MD5, N`,
		`{"username":"ci","password":"p","qop":"","algorithms":"MD5"}`: `Digest realm="Webhook API", qop="auth", algorithm=MD5, N`,
	} {
		got := newVerifier(t, config).(auth.Challenger).Challenge(authtest.Request())
		_, rest, _ := strings.Cut(got, `nonce="`)
		nonce, rest, _ := strings.Cut(rest, `", opaque="`)
		opaque, _, _ := strings.Cut(rest, `"`)
		if len(nonce) != 56 || len(opaque) != 20 {
			t.Errorf("%s: nonce %q, opaque %q", config, nonce, opaque)
		}
		got = strings.ReplaceAll(got, `nonce="`+nonce+`", opaque="`+opaque+`", charset=UTF-8`, "N")
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", config, got, want)
		}
	}
	v := newVerifier(t, conf).(auth.Challenger)
	if first, second := v.Challenge(authtest.Request()), v.Challenge(authtest.Request()); first == second {
		t.Error("the same nonce twice")
	}
}

func TestOnce(t *testing.T) {
	t.Parallel()
	for _, more := range []string{``, `,"qop":"auth-int"`} {
		v := newVerifier(t, conf[:len(conf)-1]+more+`}`)
		authtest.PassesOnce(t, v, signed(t, v))
	}
	old := newVerifier(t, `{"username":"ci","password":"pa:ss","qop":"","algorithms":"MD5"}`)
	r := authtest.Request()
	if err := old.(auth.Challenged).SignChallenge(context.Background(), r, []string{without(old.(auth.Challenger).Challenge(r), `, qop="auth"`)}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(r.Header.Get("Authorization"), "qop") {
		t.Fatalf("not the form of RFC 2069: %s", r.Header.Get("Authorization"))
	}
	authtest.PassesOnce(t, old, r)
}

func without(s, part string) string { return strings.ReplaceAll(s, part, "") }

// TestDerivedSlowly: what anybody is sent is no cheap oracle for the password.
func TestDerivedSlowly(t *testing.T) {
	t.Parallel()
	slow, err := authtest.Decode(digest.Method(), conf)
	if err != nil {
		t.Fatal(err)
	}
	quick := newVerifier(t, conf)
	if code := codeOf(quick, signed(t, slow)); code != auth.CodeStale {
		t.Errorf("a nonce of Method under a key of one round: code %q", code)
	}
	if code := codeOf(slow, signed(t, slow)); code != "" {
		t.Errorf("its own nonce: code %q", code)
	}
}
