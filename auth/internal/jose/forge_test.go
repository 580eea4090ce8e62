package jose_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/auth/internal/jose"
	"github.com/hookd/hookd/internal/secret"
)

const shared = "a shared s3cret of 32 bytes and more"

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// forge joins any two texts into a token; sign may be nil.
func forge(header, payload string, sign func(signed string) []byte) string {
	signed := b64([]byte(header)) + "." + b64([]byte(payload))
	if sign == nil {
		return signed + "."
	}
	return signed + "." + b64(sign(signed))
}

func hs256(key string) func(string) []byte {
	return func(signed string) []byte {
		m := hmac.New(sha256.New, []byte(key))
		m.Write([]byte(signed))
		return m.Sum(nil)
	}
}

func rs256(k *rsa.PrivateKey) func(string) []byte {
	return func(signed string) []byte {
		sum := sha256.Sum256([]byte(signed))
		sig, err := rsa.SignPKCS1v15(rand.Reader, k, crypto.SHA256, sum[:])
		if err != nil {
			panic(err)
		}
		return sig
	}
}

func es256(k *ecdsa.PrivateKey) func(string) []byte {
	return func(signed string) []byte {
		sum := sha256.Sum256([]byte(signed))
		r, s, err := ecdsa.Sign(rand.Reader, k, sum[:])
		if err != nil {
			panic(err)
		}
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	}
}

// rsaKeys and ecKeys are made once: RSA keys take their time.
var (
	rsaKeys = sync.OnceValue(func() [2]*rsa.PrivateKey { return [2]*rsa.PrivateKey{newRSA(2048), newRSA(2048)} })
	weakRSA = sync.OnceValue(func() *rsa.PrivateKey { return newRSA(1024) })
	ecKeys  = sync.OnceValue(func() [2]*ecdsa.PrivateKey {
		return [2]*ecdsa.PrivateKey{newEC(elliptic.P256()), newEC(elliptic.P384())}
	})
	edKey = sync.OnceValue(func() ed25519.PrivateKey {
		_, k, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			panic(err)
		}
		return k
	})
)

func newRSA(bits int) *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return k
}

func newEC(c elliptic.Curve) *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(c, rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
}

func publicPEM(k crypto.Signer) string {
	b, err := x509.MarshalPKIXPublicKey(k.Public())
	if err != nil {
		panic(err)
	}
	return block("PUBLIC KEY", b)
}

func privatePEM(k crypto.Signer) string {
	b, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		panic(err)
	}
	return block("PRIVATE KEY", b)
}

func block(kind string, b []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}))
}

// jwk is a public key as RFC 7517 has it, with more members.
func jwk(k crypto.Signer, more map[string]any) map[string]any {
	m := map[string]any{}
	switch p := k.Public().(type) {
	case *rsa.PublicKey:
		m["kty"], m["n"], m["e"] = "RSA", b64(p.N.Bytes()), b64(big.NewInt(int64(p.E)).Bytes())
	case *ecdsa.PublicKey:
		b, err := p.Bytes() // 4, x, y
		if err != nil {
			panic(err)
		}
		half := (len(b) - 1) / 2
		m["kty"], m["crv"], m["x"], m["y"] = "EC", p.Curve.Params().Name, b64(b[1:1+half]), b64(b[1+half:])
	case ed25519.PublicKey:
		m["kty"], m["crv"], m["x"] = "OKP", "Ed25519", b64(p)
	}
	for name, v := range more {
		m[name] = v
	}
	return m
}

func jwks(keys ...map[string]any) string {
	b, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		panic(err)
	}
	return string(b)
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int, body string, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Add(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(bytes.NewReader([]byte(body)))}
}

// serving is an environment in which every URL answers with the set.
func serving(set string) auth.Env {
	return auth.Env{HTTP: roundTrip(func(*http.Request) (*http.Response, error) { return answer(200, set), nil })}
}

const keysURL = "https://issuer.example/keys"

func remote(t testing.TB, env auth.Env, algs ...jose.Algorithm) *jose.Verifier {
	t.Helper()
	return build(t, env, jose.Config{Algorithms: algs, JWKS: keysURL})
}

func withSecret(t testing.TB, r jose.Rules) *jose.Verifier {
	t.Helper()
	return build(t, auth.Env{}, jose.Config{Algorithms: []jose.Algorithm{"HS256"}, Secrets: []secret.String{secret.New(shared)}, Rules: r})
}

func build(t testing.TB, env auth.Env, c jose.Config) *jose.Verifier {
	t.Helper()
	c.Method = "jwt"
	v, err := jose.New(env, c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// code is what a token is refused with; "" passes.
func code(t testing.TB, v *jose.Verifier, token string) string {
	t.Helper()
	_, err := v.Verify(context.Background(), token, authtest.Now)
	if err == nil {
		return ""
	}
	if strings.Contains(err.Error(), "s3cret") {
		t.Errorf("a secret is told: %v", err)
	}
	return auth.DenialOf(err).Code
}
