package jwt_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"hash"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	method "github.com/hookd/hookd/auth/jwt"
	"github.com/hookd/hookd/internal/spec"
)

// sameScheme: the scheme may have either case.
func sameScheme(a, b string) bool {
	return strings.EqualFold(a[:7], b[:min(7, len(b))]) && a[7:] == b[min(7, len(b)):]
}

func TestSuite(t *testing.T) {
	t.Parallel()
	authtest.Describe(t, method.Method())
	clock := map[time.Duration]string{
		0: "", 5*time.Minute - time.Second: "", 5 * time.Minute: auth.CodeExpired, 24 * time.Hour: auth.CodeExpired, -time.Second: auth.CodeNotYetValid,
	}
	for name, c := range map[string]struct {
		more string
		authtest.Subject
	}{
		"plain":  {"", authtest.Subject{Header: "Authorization", Same: sameScheme, Clock: clock}},
		"HS512":  {`"algorithm":"hs512","issuer":"i","audience":["a"],"scopes":"x y","require_exp":true`, authtest.Subject{Header: "Authorization", Same: sameScheme, Clock: clock}},
		"header": {`"header":"x-token","algorithm":"HS384"`, authtest.Subject{Header: "X-Token", Clock: clock}},
		"leeway": {`"leeway":"1m","max_age":"2m"`, authtest.Subject{Header: "Authorization", Same: sameScheme, Clock: map[time.Duration]string{
			0: "", 3 * time.Minute: "", 3*time.Minute + time.Second: auth.CodeTimestampTooOld, -time.Minute: "", -61 * time.Second: auth.CodeNotYetValid,
		}}},
		"once": {`"once":true`, authtest.Subject{Header: "Authorization", Same: sameScheme, Clock: clock}},
	} {
		s := c.Subject
		s.New = func(secrets ...string) (auth.Verifier, error) {
			return authtest.Decode(method.Method(), authtest.Object("secret", secrets, c.more))
		}
		s.Secrets = [3]string{"first-Secret", "second secret", "third-s\u00e9cret"}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			authtest.Run(t, s)
		})
	}
}

const key = "It's a s3cret"

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func mac(newHash func() hash.Hash, key, header, payload string) string {
	signed := b64(header) + "." + b64(payload)
	m := hmac.New(newHash, []byte(key))
	m.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

func hs(payload string) string { return mac(sha256.New, key, `{"alg":"HS256","typ":"JWT"}`, payload) }

func bearer(token string) *auth.Request { return authtest.Header("Authorization", "Bearer "+token) }

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

var ecKey = sync.OnceValue(func() *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
})

func publicPEM(k crypto.Signer) string {
	b, err := x509.MarshalPKIXPublicKey(k.Public())
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: b}))
}

func privatePEM(k crypto.Signer) string {
	b, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: b}))
}

func rs(header, payload string) string {
	signed := b64(header) + "." + b64(payload)
	sum := sha256.Sum256([]byte(signed))
	sig, err := rsa.SignPKCS1v15(rand.Reader, rsaKey(), crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// TestContract is the contract of the original service, rows 65 to 76.
func TestContract(t *testing.T) {
	t.Parallel()
	now := authtest.Now.Unix()
	claims := func(format string, a ...any) *auth.Request { return bearer(hs(fmt.Sprintf(format, a...))) }
	conf := authtest.Object("secret", []string{key}, "")
	with := func(more string) string { return authtest.Object("secret", []string{key}, more) }
	public := publicPEM(rsaKey())
	pemConf := authtest.Object("secret", []string{public}, `"algorithm":"rs256"`)
	good := hs(fmt.Sprintf(`{"sub":"ci","exp":%d}`, now+60))
	none := b64(`{"alg":"none"}`) + "." + b64(`{"sub":"ci"}`) + "."
	row := authtest.Row
	authtest.Table(t, method.Method(), []authtest.Case{
		row("65 good", conf, bearer(good), ""),
		row("65 plain text secret", `{"secret":"`+key+`"}`, bearer(good), ""),
		row("65 lower case scheme", conf, authtest.Header("Authorization", "bearer "+good), ""),
		row("65 two blanks", conf, authtest.Header("Authorization", "Bearer  "+good), auth.CodeMalformed),
		row("65 blank behind", conf, authtest.Header("Authorization", "Bearer "+good+" "), auth.CodeMalformed),
		row("65 tab", conf, authtest.Header("Authorization", "Bearer\t"+good), auth.CodeMalformed),
		row("65 no scheme", conf, authtest.Header("Authorization", good), auth.CodeMalformed),
		row("65 other scheme", conf, authtest.Header("Authorization", "Token "+good), auth.CodeMalformed),
		row("65 scheme only", conf, authtest.Header("Authorization", "Bearer "), auth.CodeMalformed),
		row("65 other secret", `{"secret":"other"}`, bearer(good), auth.CodeSignatureMismatch),
		row("65 rotation", authtest.Object("secret", []string{"new", key}, ""), bearer(good), ""),
		row("66 expired", conf, claims(`{"exp":%d}`, now-5), auth.CodeExpired),
		row("66 leeway", with(`"leeway":10`), claims(`{"exp":%d}`, now-5), ""),
		row("67 no exp", conf, claims(`{"sub":"ci"}`), ""),
		row("67 require_exp", with(`"require_exp":true`), claims(`{"sub":"ci"}`), auth.CodeClaim),
		row("68 nbf", conf, claims(`{"nbf":%d}`, now+5), auth.CodeNotYetValid),
		row("68 iat", conf, claims(`{"iat":%d}`, now+5), auth.CodeNotYetValid),
		row("69 HS512", conf, bearer(mac(sha512.New, key, `{"alg":"HS512"}`, `{"sub":"ci"}`)), auth.CodeAlgorithm),
		row("69 HS512 configured", with(`"algorithm":"hs512"`), bearer(mac(sha512.New, key, `{"alg":"HS512"}`, `{"sub":"ci"}`)), ""),
		row("70 none", conf, bearer(none), auth.CodeAlgorithm),
		row("70 nOnE", conf, bearer(b64(`{"alg":"nOnE"}`)+"."+b64(`{}`)+"."), auth.CodeAlgorithm),
		row("71 RS256", pemConf, bearer(rs(`{"alg":"RS256"}`, `{"sub":"ci"}`)), ""),
		row("71 HS256 with the public key", pemConf, bearer(mac(sha256.New, public, `{"alg":"HS256"}`, `{"sub":"ci"}`)), auth.CodeAlgorithm),
		row("71 RS256 with the public key", pemConf, bearer(mac(sha256.New, public, `{"alg":"RS256"}`, `{"sub":"ci"}`)), auth.CodeSignatureMismatch),
		row("72 issuer", with(`"issuer":"i"`), claims(`{"iss":"i"}`), ""),
		row("72 wrong issuer", with(`"issuer":"i"`), claims(`{"iss":"x"}`), auth.CodeClaim),
		row("72 audience", with(`"audience":"a"`), claims(`{"aud":["x","a"]}`), ""),
		row("72 wrong audience", with(`"audience":"a"`), claims(`{"aud":"x"}`), auth.CodeClaim),
		row("72 no audience", with(`"audience":"a"`), claims(`{}`), auth.CodeClaim),
		row("73 aud, none configured", conf, claims(`{"aud":"x"}`), ""),
		row("74 verify_exp false", with(`"verify_exp":false`), claims(`{"exp":%d}`, now-5), ""),
		row("74 verify_exp from a reference", with(`"verify_exp":"false"`), claims(`{"exp":%d}`, now-5), ""),
		row("76 garbage", conf, bearer("garbage"), auth.CodeMalformed),
		row("76 two segments", conf, bearer(strings.Join(strings.Split(good, ".")[:2], ".")), auth.CodeMalformed),
		row("76 10 kB", conf, bearer(hs(`{"x":"`+strings.Repeat("x", 10000)+`"}`)), auth.CodeTooLong),
		row("missing", conf, authtest.Request(), auth.CodeMissing),
		row("two headers", conf, authtest.Header("Authorization", "Bearer "+good, "Bearer "+good), auth.CodeDoubled),
		row("scope", with(`"scopes":["a"]`), claims(`{"scope":"a b"}`), ""),
		row("scope missing", with(`"scopes":["a"]`), claims(`{"scope":"b"}`), auth.CodeScope),
		row("public_key", authtest.Object("public_key", []string{public}, `"algorithm":"RS256"`), bearer(rs(`{"alg":"RS256"}`, `{}`)), ""),
		row("other header", with(`"header":"X-Token"`), authtest.Header("X-Token", good), ""),
		row("other header with the scheme", with(`"header":"X-Token"`), authtest.Header("X-Token", "bearer "+good), ""),
		row("other header, not Authorization", with(`"header":"X-Token"`), bearer(good), auth.CodeMissing),
	})
	authtest.Refused(t, method.Method(),
		`{}`, `{"secret":""}`, `{"secret":" \t"}`, `{"secret":null}`, `{"secret":12}`, `{"secret":[]}`, `{"secret":["s3cret"," "]}`,
		`{"secret":"s3cret","algorithm":"none"}`, `{"secret":"s3cret","algorithm":"NONE"}`, `{"secret":"s3cret","algorithm":""}`, `{"secret":"s3cret","algorithm":"HS257"}`,
		`{"secret":"s3cret","algorithm":"RS256"}`, `{"secret":"s3cret","jwks_url":"https://issuer.example/"}`,
		authtest.Object("secret", []string{public}, ""), authtest.Object("secret", []string{public}, `"algorithm":"HS256"`),
		authtest.Object("public_key", []string{public}, ""), authtest.Object("secret", []string{"s3cret", public}, `"algorithm":"RS256"`),
		`{"jwks_url":"https://issuer.example/"}`, `{"jwks_url":"http://issuer.example/","algorithm":"RS256"}`, `{"jwks_url":"file:///etc/passwd","algorithm":"RS256"}`,
		`{"secret":"s3cret","verify_exp":false,"require_exp":true}`, `{"secret":"s3cret","verify_exp":false,"once":true}`,
		`{"secret":"s3cret","leeway":"6m"}`, `{"secret":"s3cret","leeway":-1}`, `{"secret":"s3cret","header":"X Token"}`, `{"secret":"s3cret","header":""}`,
		`{"secret":"s3cret","issuer":""}`, `{"secret":"s3cret","audience":["a",""]}`, `{"secret":"s3cret","scopes":" "}`, `{"secret":"s3cret","signing_key":"s3cret"}`,
	)
}

func TestChallengeAndCost(t *testing.T) {
	t.Parallel()
	for conf, c := range map[string]struct {
		challenge string
		cost      auth.Cost
	}{
		`{"secret":"s"}`:                    {`Bearer realm="Webhook API"`, auth.CostHeader},
		`{"secret":"s","header":"X-Token"}`: {"", auth.CostHeader},

		`{"jwks_url":"https://issuer.example/","algorithm":"ES256"}`: {`Bearer realm="Webhook API"`, auth.CostRemote},
	} {
		v, err := authtest.Decode(method.Method(), conf)
		if err != nil {
			t.Fatal(err)
		}
		if got := v.(auth.Challenger).Challenge(authtest.Request()); got != c.challenge || v.Cost() != c.cost {
			t.Errorf("%s: %q, cost %d", conf, got, v.Cost())
		}
	}
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	v, err := authtest.Decode(method.Method(), `{"secret":"`+key+`","once":true,"leeway":"1m"}`)
	if err != nil {
		t.Fatal(err)
	}
	exp := authtest.Now.Add(time.Minute)
	id, err := v.Verify(context.Background(), bearer(hs(fmt.Sprintf(`{"sub":"ci","jti":"1","exp":%d}`, exp.Unix()))))
	if err != nil || id.Method != "jwt" || id.Subject != "jwt:ci" || len(id.Once) != 1 || !id.Once[0].Until.Equal(exp.Add(time.Minute)) {
		t.Errorf("%+v %v", id, err)
	}
}

// TestSigning: a public key verifies; with the private one beside it, test
// requests can be signed.
func TestSigning(t *testing.T) {
	t.Parallel()
	for alg, k := range map[string]crypto.Signer{"RS256": rsaKey(), "PS512": rsaKey(), "ES256": ecKey()} {
		conf := authtest.Object("public_key", []string{publicPEM(k)}, `"algorithm":"`+alg+`"`)
		v, err := authtest.Decode(method.Method(), conf)
		if err != nil {
			t.Fatal(err)
		}
		if err := v.(auth.Signer).Sign(context.Background(), authtest.Request()); err == nil || !strings.Contains(err.Error(), "signing_key") {
			t.Errorf("%s: signed with a public key: %v", alg, err)
		}
		quoted := authtest.Quote(privatePEM(k))
		v, err = authtest.Decode(method.Method(), strings.TrimSuffix(conf, "}")+`,"signing_key":`+quoted+`}`)
		if err != nil {
			t.Fatal(err)
		}
		r := authtest.Request()
		if err := v.(auth.Signer).Sign(context.Background(), r); err != nil {
			t.Fatal(err)
		}
		if _, err := v.Verify(context.Background(), r); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		if text := fmt.Sprintf("%+v %#v", v, v); strings.Contains(text, "PRIVATE KEY") {
			t.Errorf("%s: the private key is printed", alg)
		}
	}
}

// online is the method with a network.
type online struct {
	auth.Method
	env auth.Env
}

func (m online) New(_ auth.Env, o spec.Described) (auth.Verifier, error) {
	return m.Method.New(m.env, o)
}

func TestJWKS(t *testing.T) {
	t.Parallel()
	p := ecKey().PublicKey
	point, err := p.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewEncoder(w).Encode(map[string]any{"keys": []any{map[string]string{
			"kty": "EC", "crv": "P-256", "kid": "1", "x": b64(string(point[1:33])), "y": b64(string(point[33:])),
		}}}); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(s.Close)
	conf := `{"jwks_url":"` + s.URL + `/keys","algorithm":"ES256","signing_key":` + authtest.Quote(privatePEM(ecKey())) + `}`
	v, err := authtest.Decode(online{method.Method(), auth.Env{HTTP: s.Client().Transport}}, conf)
	if err != nil {
		t.Fatal(err)
	}
	r := authtest.Request()
	if err := v.(auth.Signer).Sign(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(context.Background(), r); err != nil {
		t.Error(err)
	}
	offline, err := authtest.Decode(method.Method(), conf)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := offline.Verify(context.Background(), r); !auth.DenialOf(err).Unavailable {
		t.Errorf("offline: %v", err)
	}
}

// FuzzHeader: only the one token passes, with its scheme in any case.
func FuzzHeader(f *testing.F) {
	good := hs(`{"sub":"ci"}`)
	for _, seed := range []string{"Bearer " + good, "bEARER " + good, good, "Bearer", "Bearer  " + good, "Basic " + good, "Bearer " + good + "="} {
		f.Add(seed)
	}
	v, err := authtest.Decode(method.Method(), `{"secret":"`+key+`"}`)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, value string) {
		_, err := v.Verify(context.Background(), authtest.Header("Authorization", value))
		if want := len(value) > 7 && strings.EqualFold(value[:7], "bearer ") && value[7:] == good; (err == nil) != want {
			t.Errorf("%q: %v", value, err)
		}
	})
}
