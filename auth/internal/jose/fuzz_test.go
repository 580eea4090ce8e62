package jose_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/auth/internal/jose"
	"github.com/hookd/hookd/internal/secret"
)

// FuzzToken: what passes is three canonical segments with a right signature,
// and says the same to a plain JSON parser.
func FuzzToken(f *testing.F) {
	sign := hs256(shared)
	for _, seed := range []string{
		rfcA1, rfcA2, rfcA3, rfcA4, rfcA5, "..", "a.b.c", forge(hsHeader, `{"sub":"a","exp":1e10,"aud":["x"]}`, sign),
		forge(`{"alg":"HS256","crit":["b64"],"b64":false}`, `{}`, sign), forge(`{"alg":"none"}`, `{}`, nil),
	} {
		f.Add(seed, false)
	}
	f.Add(hsHeader+"|"+`{"exp":1e30,"nbf":-0,"iat":1.5}`, true)
	f.Add(`{"alg":"HS256","alg":"none"}|{"sub":"a","sub":"b"}`, true)
	v := withSecret(f, jose.Rules{VerifyExpiry: true})
	f.Fuzz(func(t *testing.T, text string, resign bool) {
		if resign { // header|payload, rightly signed
			h, p, _ := strings.Cut(text, "|")
			text = forge(h, p, sign)
		}
		c, err := v.Verify(context.Background(), text, authtest.Now)
		if err != nil {
			if d := auth.DenialOf(err); d.Code == auth.CodeInternal || d.Unavailable {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		parts := strings.Split(text, ".")
		if len(parts) != 3 || !bytes.Equal([]byte(parts[2]), []byte(b64(sign(parts[0]+"."+parts[1])))) {
			t.Fatalf("accepted %q", text)
		}
		var plain struct {
			Sub string
			Exp json.Number
		}
		b, err := base64.RawURLEncoding.DecodeString(parts[1])
		if err != nil || b64(b) != parts[1] {
			t.Fatalf("accepted the payload %q", parts[1])
		}
		var members map[string]any
		if err := json.Unmarshal(b, &members); err != nil {
			t.Fatalf("accepted %q: %v", b, err)
		}
		if err := json.Unmarshal(b, &plain); err == nil && members["sub"] != nil && c.Subject != members["sub"] {
			t.Errorf("%q: subject %q", b, c.Subject)
		}
		if exp, ok := members["exp"].(float64); ok && exp <= float64(authtest.Now.Unix()) {
			t.Errorf("expired: %q", b)
		}
	})
}

// FuzzJWKs: no set of keys lets a token pass that another key signed.
func FuzzJWKs(f *testing.F) {
	for _, seed := range []string{
		setOf(0), setOf(0, 1), jwks(jwk(ecKeys()[0], nil), jwk(edKey(), nil)), `{"keys":[` + rfcA2Key + `,` + rfcA3Key + `,` + rfcA4Key + `]}`,
		`{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}`, `{"keys":[{"kty":"EC","crv":"P-256","x":"","y":""}]}`, `{"keys":null}`, `[]`,
		`{"keys":[{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ"}]}`,
	} {
		f.Add(seed)
	}
	stranger := forge(`{"alg":"RS256"}`, `{}`, rs256(newRSA(2048)))
	f.Fuzz(func(t *testing.T, set string) {
		v := remote(t, serving(set), "RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA")
		if got := code(t, v, stranger); got == "" || got == auth.CodeInternal {
			t.Errorf("code %q for %q", got, set)
		}
	})
}

// FuzzPEM: whatever is taken for a public key is never a shared secret.
func FuzzPEM(f *testing.F) {
	for _, seed := range []string{publicPEM(rsaKeys()[0]), publicPEM(ecKeys()[0]), publicPEM(edKey()), certificate(ecKeys()[0]), privatePEM(ecKeys()[0]), "-----BEGIN ", "secret"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		config := func(alg jose.Algorithm) jose.Config {
			return jose.Config{Method: "jwt", Algorithms: []jose.Algorithm{alg}, Secrets: []secret.String{secret.New(text)}}
		}
		_, asSecret := jose.New(auth.Env{}, config("HS256"))
		for _, alg := range []jose.Algorithm{"RS256", "ES256", "ES384", "ES512", "EdDSA"} {
			if _, err := jose.New(auth.Env{}, config(alg)); err == nil && asSecret == nil {
				t.Errorf("%q is a secret and a key for %s", text, alg)
			}
		}
	})
}
