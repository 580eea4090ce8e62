package oauth1_test

import (
	"context"
	"crypto/tls"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/auth/oauth1"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	authtest.Describe(t, oauth1.Method())
	for name, c := range map[string]struct {
		more string
		authtest.Subject
	}{
		"default":     {``, authtest.Subject{CoversBody: true, Tolerance: 5 * time.Minute}},
		"HMAC-SHA256": {`,"signature_method":"hmac-sha256","token":"t k","token_secret":"t&s","timestamp_window":60`, authtest.Subject{CoversBody: true, Tolerance: time.Minute}},
		"behind a proxy": {
			`,"url":"https://Public.example.com:443/a%20b","require_body_hash":true`,
			authtest.Subject{CoversBody: true, Tolerance: 5 * time.Minute},
		},
		"path too":  {`,"path_only":true`, authtest.Subject{CoversBody: true, Tolerance: 5 * time.Minute}},
		"no clock":  {`,"verify_timestamp":false,"verify_nonce":false`, authtest.Subject{CoversBody: true}},
		"PLAINTEXT": {`,"signature_method":"PLAINTEXT","token":"tok"`, authtest.Subject{ReadsBody: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := c.Subject
			s.New = func(secrets ...string) (auth.Verifier, error) {
				v, err := authtest.Decode(oauth1.Method(), authtest.Object("consumer_secret", secrets, `"consumer_key":"ci + \u00e4"`+c.more))
				if err != nil || name != "PLAINTEXT" {
					return v, err
				}
				return overTLS{v}, nil
			}
			s.Secrets = [3]string{"first-Secret", "second & = % secret", "third-s\u00e9cret"}
			s.Header = "Authorization"
			s.Same = same
			authtest.Run(t, s)
		})
	}
}

// overTLS makes every request come over TLS.
type overTLS struct{ auth.Verifier }

func (o overTLS) Verify(ctx context.Context, r *auth.Request) (auth.Identity, error) {
	secure := *r
	secure.TLS = &tls.ConnectionState{}
	return o.Verifier.Verify(ctx, &secure)
}

func (o overTLS) Sign(ctx context.Context, r *auth.Request) error {
	secure := *r
	secure.TLS = &tls.ConnectionState{}
	err := o.Verifier.(auth.Signer).Sign(ctx, &secure)
	r.Header = secure.Header
	return err
}

func (o overTLS) CredentialHeaders() []string { return o.Verifier.(auth.Sourced).CredentialHeaders() }

func (o overTLS) CredentialParams() []string { return o.Verifier.(auth.Sourced).CredentialParams() }

// same: neither the scheme nor the digits of an escape have a case, and empty
// elements of a list say nothing.
func same(a, b string) bool {
	x, y := plain(a), plain(b)
	if x == nil || len(x) != len(y) {
		return false
	}
	for k, v := range x {
		if w, ok := y[k]; !ok || v != w {
			return false
		}
	}
	return true
}

// plain splits what Sign writes: no value holds a comma.
func plain(header string) map[string]string {
	if len(header) < 6 || !strings.EqualFold(header[:6], "oauth ") {
		return nil
	}
	out := make(map[string]string)
	for part := range strings.SplitSeq(header[6:], ",") {
		if part = strings.Trim(part, " "); part == "" {
			continue
		}
		k, v, ok := strings.Cut(part, `="`)
		v, closed := strings.CutSuffix(v, `"`)
		v, err := url.PathUnescape(v)
		if !ok || !closed || err != nil || strings.ContainsAny(v, `"\`) {
			return nil
		}
		if strings.EqualFold(v, "PLAINTEXT") { // signs nothing, not even its name
			v = "PLAINTEXT"
		}
		out[k] = v
	}
	return out
}

const conf = `{"consumer_key":"ck","consumer_secret":"cs"}`

func newVerifier(t testing.TB, config string) auth.Verifier {
	t.Helper()
	v, err := authtest.Decode(oauth1.Method(), config)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// sign signs r with a configuration, and returns it.
func sign(t testing.TB, config string, r *auth.Request) *auth.Request {
	t.Helper()
	if err := newVerifier(t, config).(auth.Signer).Sign(context.Background(), r); err != nil {
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

// TestConfig: what cannot be meant is refused; what the original service took is
// taken.
func TestConfig(t *testing.T) {
	t.Parallel()
	authtest.Refused(t, oauth1.Method(),
		`{}`, `{"consumer_key":"ck"}`, `{"consumer_secret":"s3cret"}`, `{"consumer_key":"","consumer_secret":"s3cret"}`,
		`{"consumer_key":"ck","consumer_secret":""}`, `{"consumer_key":"ck","consumer_secret":[]}`, `{"consumer_key":"ck","consumer_secret":12}`,
		`{"consumer_key":"c\nk","consumer_secret":"s3cret"}`, `{"consumer_key":"ck","consumer_secret":"s3cret","token":"a\u0000"}`,
		`{"consumer_key":"ck","consumer_secret":"s3cret","token_secret":12}`, `{"consumer_key":"ck","consumer_secret":"s3cret","signature_method":"HMAC-MD5"}`,
		`{"consumer_key":"ck","consumer_secret":"s3cret","signature_method":"RSA-SHA1"}`,
		`{"consumer_key":"ck","consumer_secret":"s3cret","public_key":`+authtest.Quote(publicKey)+`}`,
		`{"consumer_key":"ck","signature_method":"RSA-SHA1","public_key":"no PEM"}`,
		`{"consumer_key":"ck","signature_method":"RSA-SHA1","public_key":"-----BEGIN PRIVATE KEY-----\ns3cretss\n-----END PRIVATE KEY-----"}`,
		`{"consumer_key":"ck","signature_method":"RSA-SHA1","public_key":"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"}`,
		`{"consumer_key":"ck","consumer_secret":"s3cret","url":"ftp://h/"}`, `{"consumer_key":"ck","consumer_secret":"s3cret","url":"https://h/?a=b"}`,
		`{"consumer_key":"ck","consumer_secret":"s3cret","url":"https://u:s3cret@h/"}`, `{"consumer_key":"ck","consumer_secret":"s3cret","url":"/path"}`,
		`{"consumer_key":"ck","consumer_secret":"s3cret","timestamp_window":0}`, `{"consumer_key":"ck","consumer_secret":"s3cret","timestamp_window":"25h"}`,
		`{"consumer_key":"ck","consumer_secret":"s3cret","signature_method":"PLAINTEXT","require_body_hash":true}`,
		`{"consumer_key":"ck","consumer_secret":["s3cret","2","3","4","5","6","7","8","9"]}`,
	)
	newVerifier(t, `{"consumer_key":"ck","consumer_secret":"cs","token_secret":"","signature_method":"HMAC-SHA1","verify_timestamp":true,"timestamp_window":300,"verify_nonce":true}`)
	newVerifier(t, `{"consumer_key":"ck","signature_method":"RSA-SHA1","public_key":[`+authtest.Quote(publicKey)+`,`+authtest.Quote(certificate)+`]}`)
}

func TestOnce(t *testing.T) {
	t.Parallel()
	v := newVerifier(t, conf)
	authtest.PassesOnce(t, v, sign(t, conf, authtest.Request()))
	late := sign(t, conf, authtest.Request())
	late.Now = late.Now.Add(5 * time.Minute)
	authtest.PassesOnce(t, v, late)
	early := sign(t, conf, authtest.Request())
	early.Now = early.Now.Add(-5 * time.Minute)
	authtest.PassesOnce(t, v, early)
}

// TestUnbound: without a check of the time, nonces are remembered for a day.
func TestUnbound(t *testing.T) {
	t.Parallel()
	v := newVerifier(t, conf[:len(conf)-1]+`,"verify_timestamp":false}`)
	r := sign(t, conf, authtest.Request())
	r.Now = r.Now.Add(1000 * time.Hour)
	id, err := v.Verify(context.Background(), r)
	if err != nil || len(id.Once) != 1 || !id.Once[0].Until.Equal(r.Now.Add(24*time.Hour)) {
		t.Errorf("%+v %v", id, err)
	}
	v = newVerifier(t, conf[:len(conf)-1]+`,"verify_nonce":false}`)
	if id, err := v.Verify(context.Background(), sign(t, conf, authtest.Request())); err != nil || len(id.Once) != 0 || id.Subject != "oauth1:ck" {
		t.Errorf("%+v %v", id, err)
	}
}

func TestChallenge(t *testing.T) {
	t.Parallel()
	if got := newVerifier(t, conf).(auth.Challenger).Challenge(authtest.Request()); got != `OAuth realm="Webhook API"` {
		t.Error(got)
	}
}

func TestSignRefuses(t *testing.T) {
	t.Parallel()
	for config, change := range map[string]func(*auth.Request){
		`{"consumer_key":"ck","signature_method":"RSA-SHA1","public_key":` + authtest.Quote(publicKey) + `}`: func(*auth.Request) {},
		`{"consumer_key":"ck","consumer_secret":"cs","signature_method":"PLAINTEXT"}`:                        func(*auth.Request) {},
		conf: func(r *auth.Request) { r.URL.RawQuery = "oauth_nonce=1" },
		`{"consumer_key":"ck","consumer_secret":"other"}`: func(r *auth.Request) { r.Header["Content-Type"] = []string{"a/b", "c/d"} },
	} {
		r := authtest.Request()
		change(r)
		if err := newVerifier(t, config).(auth.Signer).Sign(context.Background(), r); err == nil || strings.Contains(err.Error(), "cs") {
			t.Errorf("%s: %v", config, err)
		}
	}
}
