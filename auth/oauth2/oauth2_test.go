package oauth2_test

import (
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	method "github.com/hookd/hookd/auth/oauth2"
	"github.com/hookd/hookd/internal/spec"
)

func sameScheme(a, b string) bool {
	i := strings.IndexByte(a, ' ') + 1
	return len(b) >= i && strings.EqualFold(a[:i], b[:i]) && a[i:] == b[i:]
}

func TestSuite(t *testing.T) {
	t.Parallel()
	authtest.Describe(t, method.Method())
	for name, more := range map[string]string{
		"plain": "", "rules": `"required_scope":"a b","issuer":"i","audience":"x","jwt_algorithms":["HS512"]`, "type": `"token_type":"Token"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			authtest.Run(t, authtest.Subject{
				New: func(secrets ...string) (auth.Verifier, error) {
					return authtest.Decode(method.Method(), authtest.Object("jwt_secret", secrets, more))
				},
				Secrets: [3]string{"first-Secret", "second secret", "third-s\u00e9cret"},
				Header:  "Authorization",
				Same:    sameScheme,
				Clock:   map[time.Duration]string{0: "", 4 * time.Minute: "", 5 * time.Minute: auth.CodeExpired, -time.Second: auth.CodeNotYetValid},
			})
		})
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

const key = "It's a s3cret"

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func hs(key, payload string) string {
	signed := b64(`{"alg":"HS256"}`) + "." + b64(payload)
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

func bearer(token string) *auth.Request { return authtest.Header("Authorization", "Bearer "+token) }

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

func publicPEM() string {
	b, err := x509.MarshalPKIXPublicKey(rsaKey().Public())
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: b}))
}

func rs(payload string) string {
	signed := b64(`{"alg":"RS256","kid":"1"}`) + "." + b64(payload)
	sum := sha256.Sum256([]byte(signed))
	sig, err := rsa.SignPKCS1v15(rand.Reader, rsaKey(), crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(sig)
}

func keySet() string {
	k := rsaKey()
	return fmt.Sprintf(`{"keys":[{"kty":"RSA","kid":"1","n":"%s","e":"%s"}]}`, b64(string(k.N.Bytes())), b64(string(big.NewInt(int64(k.E)).Bytes())))
}

// TestContract is the contract of the original service, rows 143 to 146, and
// row 3.9: tokens that are JWTs, or that nothing checks.
func TestContract(t *testing.T) {
	t.Parallel()
	now := authtest.Now.Unix()
	with := func(more string) string { return authtest.Object("jwt_secret", []string{key}, more) }
	conf := with("")
	pemConf := authtest.Object("jwt_secret", []string{publicPEM()}, `"jwt_algorithms":["HS256","RS256"]`)
	good := bearer(hs(key, `{"sub":"ci","scope":"read write"}`))
	none := b64(`{"alg":"none"}`) + "." + b64(`{}`) + "."
	row := authtest.Row
	authtest.Table(t, method.Method(), []authtest.Case{
		row("143 any token", `{"validate_token":false}`, bearer("anything"), ""),
		row("143 no token", `{"validate_token":false}`, authtest.Request(), auth.CodeMissing),
		row("143 blank token", `{"validate_token":false}`, bearer(""), auth.CodeMalformed),
		row("143 other type", `{"validate_token":false}`, authtest.Header("Authorization", "Basic anything"), auth.CodeMalformed),
		row("143 with a secret", `{"validate_token":false,"jwt_secret":"`+key+`"}`, bearer("anything"), auth.CodeMalformed),
		row("143 with a secret, good", `{"validate_token":false,"jwt_secret":"`+key+`"}`, good, ""),
		row("143 with an endpoint", `{"validate_token":false,"introspection_endpoint":"https://as.example/"}`, bearer("anything"), auth.CodeUnavailable),
		row("JWT", conf, good, ""),
		row("JWT, original defaults", with(`"jwt_algorithms":["HS256","RS256"]`), good, ""),
		row("145 aud, none configured", conf, bearer(hs(key, `{"aud":"x"}`)), ""),
		row("aud", with(`"audience":"x"`), bearer(hs(key, `{"aud":"x"}`)), ""),
		row("aud wrong", with(`"audience":"y"`), bearer(hs(key, `{"aud":"x"}`)), auth.CodeClaim),
		row("iss wrong", with(`"issuer":"y"`), bearer(hs(key, `{"iss":"x"}`)), auth.CodeClaim),
		row("expired", conf, bearer(hs(key, fmt.Sprintf(`{"exp":%d}`, now-5))), auth.CodeExpired),
		row("expired, verify_exp false", with(`"verify_exp":false`), bearer(hs(key, fmt.Sprintf(`{"exp":%d}`, now-5))), ""),
		row("scopes", with(`"required_scope":["read","write"]`), good, ""),
		row("scopes as a text", with(`"required_scope":"write read"`), good, ""),
		row("a text is no set of letters", with(`"required_scope":"read"`), bearer(hs(key, `{"scope":"r e a d"}`)), auth.CodeScope),
		row("scope missing", with(`"required_scope":"admin"`), good, auth.CodeScope),
		row("146 none", conf, bearer(none), auth.CodeAlgorithm),
		row("RS256 for a secret", conf, bearer(rs(`{}`)), auth.CodeAlgorithm),
		row("PEM", pemConf, bearer(rs(`{}`)), ""),
		row("PEM as a secret", pemConf, bearer(hs(publicPEM(), `{}`)), auth.CodeAlgorithm),
		row("public_key", authtest.Object("public_key", []string{publicPEM()}, ""), bearer(rs(`{}`)), ""),
		row("token_type", with(`"token_type":"JWT"`), authtest.Header("Authorization", "JWT "+hs(key, `{}`)), ""),
		row("token_type other", with(`"token_type":"JWT"`), good, auth.CodeMalformed),
		row("doubled", conf, authtest.Header("Authorization", "Bearer a", "Bearer b"), auth.CodeDoubled),
		row("missing", conf, authtest.Request(), auth.CodeMissing),
		row("offline", `{"introspection_endpoint":"https://as.example/"}`, bearer("a"), auth.CodeUnavailable),
		row("offline keys", `{"jwks_url":"https://as.example/"}`, bearer(rs(`{}`)), auth.CodeUnavailable),
	})
	authtest.Refused(t, method.Method(),
		`{}`, `{"validate_token":true}`, `{"client_id":"a","client_secret":"s3cret"}`, `{"jwt_secret":""}`, `{"jwt_secret":"  "}`, `{"jwt_secret":[]}`,
		`{"introspection_endpoint":""}`, `{"introspection_endpoint":"file:///etc/passwd"}`, `{"introspection_endpoint":"ftp://as.example/"}`,
		`{"introspection_endpoint":"http://169.254.169.254/latest"}`, `{"introspection_endpoint":"https://[fd00:ec2::254]/"}`,
		`{"introspection_endpoint":"https://u:s3cret@as.example/"}`, `{"introspection_endpoint":"/introspect"}`, `{"introspection_endpoint":"http://0x7f.1/"}`,
		`{"introspection_endpoint":"https://as.example/","client_id":"a"}`, `{"introspection_endpoint":"https://as.example/","client_secret":"s3cret"}`,
		`{"introspection_endpoint":"https://as.example/","cache_ttl":"2h"}`, `{"introspection_endpoint":"https://as.example/","leeway":"1h"}`,
		`{"jwt_secret":"s3cret","jwt_algorithms":["none"]}`, `{"jwt_secret":"s3cret","jwt_algorithms":["HS256","None"]}`, `{"jwt_secret":"s3cret","jwt_algorithms":[]}`,
		`{"jwt_secret":"s3cret","jwt_algorithms":["RS256"]}`, `{"jwt_secret":"s3cret","jwks_url":"https://as.example/"}`,
		authtest.Object("jwt_secret", []string{publicPEM()}, `"jwt_algorithms":["HS256"]`),
		`{"jwks_url":"http://as.example/"}`, `{"jwks_url":"https://as.example/","jwt_algorithms":["HS256"]}`,
		`{"jwt_secret":"s3cret","token_type":"a b"}`, `{"jwt_secret":"s3cret","required_scope":[""]}`, `{"jwt_secret":"s3cret","issuer":" "}`,
		`{"validate_token":false,"required_scope":"a"}`, `{"validate_token":false,"audience":"a"}`, `{"validate_token":false,"issuer":"a"}`,
	)
}

// TestWarnings: what is legal and unwise is said.
func TestWarnings(t *testing.T) {
	t.Parallel()
	for conf, warns := range map[string]bool{
		`{"validate_token":false}`:                                          true,
		`{"validate_token":false,"jwt_secret":"s"}`:                         false,
		`{"introspection_endpoint":"https://as.example/","jwt_secret":"s"}`: true,
		`{"jwt_secret":"s"}`:                                                false,
	} {
		n, problems := spec.ParseJSON("hook.json", []byte(conf))
		problems = append(problems, spec.Decode(n, method.Method().Options(), "oauth2")...)
		if problems.HasErrors() || (len(problems) > 0) != warns {
			t.Errorf("%s: %v", conf, problems)
		}
	}
}

func TestChallengeAndCost(t *testing.T) {
	t.Parallel()
	for conf, c := range map[string]struct {
		challenge string
		cost      auth.Cost
		signs     bool
	}{
		`{"jwt_secret":"s","token_type":"JWT"}`:                  {`JWT realm="Webhook API"`, auth.CostHeader, true},
		`{"introspection_endpoint":"https://as.example/"}`:       {`Bearer realm="Webhook API"`, auth.CostRemote, false},
		`{"jwks_url":"https://as.example/"}`:                     {`Bearer realm="Webhook API"`, auth.CostRemote, false},
		`{"validate_token":false}`:                               {`Bearer realm="Webhook API"`, auth.CostHeader, true},
		authtest.Object("public_key", []string{publicPEM()}, ""): {`Bearer realm="Webhook API"`, auth.CostHeader, false},
	} {
		v, err := authtest.Decode(method.Method(), conf)
		if err != nil {
			t.Fatal(err)
		}
		if got := v.(auth.Challenger).Challenge(authtest.Request()); got != c.challenge || v.Cost() != c.cost {
			t.Errorf("%s: %q, cost %d", conf, got, v.Cost())
		}
		r := authtest.Request()
		if err := v.(auth.Signer).Sign(context.Background(), r); (err == nil) != c.signs {
			t.Errorf("%s: signed with %v", conf, err)
		} else if err == nil {
			if id, err := v.Verify(context.Background(), r); err != nil || id.Method != "oauth2" {
				t.Errorf("%s: %+v %v", conf, id, err)
			}
		}
	}
}
