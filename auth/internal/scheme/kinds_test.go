package scheme_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/scheme"
)

// pair is a key in the forms that an operator may give.
type pair struct{ private, public string }

func pemOf(t testing.TB, private any, public any) pair {
	t.Helper()
	priv, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return pair{
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: priv})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pub})),
	}
}

// der is a pair of PEM as base64 of DER.
func (p pair) der(t testing.TB) pair {
	t.Helper()
	strip := func(text string) string {
		block, _ := pem.Decode([]byte(text))
		return base64.StdEncoding.EncodeToString(block.Bytes)
	}
	return pair{strip(p.private), strip(p.public)}
}

var rsaKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func rsaPair(t testing.TB) pair {
	t.Helper()
	key, err := rsaKey()
	if err != nil {
		t.Fatal(err)
	}
	return pemOf(t, key, key.Public())
}

func ecdsaPair(t testing.TB, curve elliptic.Curve) pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return pemOf(t, key, key.Public())
}

var edSeed = []byte("0123456789abcdef0123456789abcdef")

func edKey() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(edSeed) }

func signedAt(kind scheme.Kind, h scheme.Hash, keyEnc, sigEnc scheme.Encoding) scheme.Alternative {
	return scheme.Alternative{
		Kind: kind, Hash: h, Key: scheme.Key{Enc: keyEnc},
		Sig:    scheme.Sig{At: []string{"header:X-Sig"}, Enc: sigEnc},
		Time:   &scheme.Time{At: "header:X-Time", Tolerance: 5 * time.Minute},
		Signed: "{time}.{body}",
	}
}

// TestAsymmetric signs with the private key and verifies with either half.
func TestAsymmetric(t *testing.T) {
	t.Parallel()
	ec, rs := ecdsaPair(t, elliptic.P256()), rsaPair(t)
	ed := pemOf(t, edKey(), edKey().Public())
	pub := hex.EncodeToString(edKey()[32:])
	for name, c := range map[string]struct {
		alt scheme.Alternative
		key pair
	}{
		"Ed25519 hex seed":     {signedAt(scheme.Ed25519, 0, scheme.Hex, scheme.Hex), pair{"seed:" + hex.EncodeToString(edSeed), pub}},
		"Ed25519 hex, 64":      {signedAt(scheme.Ed25519, 0, scheme.Hex, scheme.Hex), pair{"seed:" + hex.EncodeToString(edKey()), strings.ToUpper(pub)}},
		"Ed25519 base64":       {signedAt(scheme.Ed25519, 0, scheme.Base64, scheme.Base64), pair{"seed:" + base64.StdEncoding.EncodeToString(edSeed), base64.StdEncoding.EncodeToString(edKey()[32:])}},
		"Ed25519 PEM":          {signedAt(scheme.Ed25519, 0, scheme.Hex, scheme.Base64URL), ed},
		"ECDSA PEM":            {signedAt(scheme.ECDSA, 0, scheme.Plain, scheme.Base64), ec},
		"ECDSA DER":            {signedAt(scheme.ECDSA, 0, scheme.Plain, scheme.Hex), ec.der(t)},
		"RSA PEM, SHA-1":       {signedAt(scheme.RSA, scheme.SHA1, scheme.Plain, scheme.Base64), rs},
		"RSA DER, SHA-256":     {signedAt(scheme.RSA, scheme.SHA256, scheme.Plain, scheme.Base64), rs.der(t)},
		"RSA and blanks after": {signedAt(scheme.RSA, scheme.SHA512, scheme.Plain, scheme.Base64), pair{rs.private + "\n\n", rs.public + "\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			signer := compile(t, []scheme.Alternative{c.alt}, "", c.key.private)
			verifier := compile(t, []scheme.Alternative{c.alt}, "", ecOther(t, &c.alt), c.key.public)
			r := request("body")
			r.Now = time.Unix(1772366400, 0)
			if err := signer.Sign(r); err != nil {
				t.Fatal(err)
			}
			for _, s := range []*scheme.Scheme{signer, verifier} {
				if _, err := s.Verify(r); err != nil {
					t.Error(err)
				}
			}
			if id, _ := verifier.Verify(r); id.Subject != "test:1" {
				t.Errorf("subject %q", id.Subject)
			}
			if err := compile(t, []scheme.Alternative{c.alt}, "", c.key.public).Sign(r); err == nil || !strings.Contains(err.Error(), "needs the private key") {
				t.Errorf("signed with a public key: %v", err)
			}
			tampered(t, verifier, r)
		})
	}
}

// ecOther is another valid public key for the alternative.
func ecOther(t *testing.T, a *scheme.Alternative) string {
	t.Helper()
	switch a.Kind {
	case scheme.ECDSA:
		return ecdsaPair(t, elliptic.P256()).public
	case scheme.RSA:
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		return pemOf(t, key, key.Public()).public
	default:
	}
	other := ed25519.NewKeyFromSeed([]byte(strings.Repeat("x", 32)))
	return pemOf(t, other, other.Public()).public
}

// tampered changes each part of a request that verifies.
func tampered(t *testing.T, s *scheme.Scheme, r *auth.Request) {
	t.Helper()
	sig := r.Header.Get("X-Sig")
	for name, change := range map[string]func(r *auth.Request){
		"body":          func(r *auth.Request) { r.Body = []byte("bodz") },
		"longer body":   func(r *auth.Request) { r.Body = []byte("body ") },
		"time":          func(r *auth.Request) { r.Header.Set("X-Time", "1772366401") },
		"no time":       func(r *auth.Request) { r.Header.Del("X-Time") },
		"late":          func(r *auth.Request) { r.Now = r.Now.Add(time.Hour) },
		"cut":           func(r *auth.Request) { r.Header.Set("X-Sig", sig[:len(sig)-4]) },
		"longer":        func(r *auth.Request) { r.Header.Set("X-Sig", sig+"AAAA") },
		"nothing":       func(r *auth.Request) { r.Header.Del("X-Sig") },
		"empty":         func(r *auth.Request) { r.Header.Set("X-Sig", "") },
		"zeros":         func(r *auth.Request) { r.Header.Set("X-Sig", strings.Repeat("0", len(sig))) },
		"junk":          func(r *auth.Request) { r.Header.Set("X-Sig", "!") },
		"changed":       func(r *auth.Request) { r.Header.Set("X-Sig", other(sig[:8])+sig[8:]) },
		"changed later": func(r *auth.Request) { n := len(sig) / 2; r.Header.Set("X-Sig", sig[:n]+other(sig[n:n+1])+sig[n+1:]) },
	} {
		c := *r
		c.Header = r.Header.Clone()
		change(&c)
		if verifies(s, &c) {
			t.Errorf("%s: accepted", name)
		}
	}
}

// other is text with its last character changed, within hex and base64.
func other(s string) string {
	c := byte('1')
	if s[len(s)-1] == c {
		c = '2'
	}
	return s[:len(s)-1] + string(c)
}

// TestKeysRefused: a key that is of another kind, weak or not whole.
func TestKeysRefused(t *testing.T) {
	t.Parallel()
	ec, rs := ecdsaPair(t, elliptic.P256()), rsaPair(t)
	weak, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // to be refused
	if err != nil {
		t.Fatal(err)
	}
	short := pemOf(t, weak, weak.Public())
	halves := append([]byte(nil), edKey()...)
	halves[63] ^= 1
	for name, c := range map[string]struct {
		kind scheme.Kind
		key  string
	}{
		"ECDSA for RSA":          {scheme.RSA, ec.public},
		"RSA for ECDSA":          {scheme.ECDSA, rs.public},
		"RSA for Ed25519":        {scheme.Ed25519, rs.public},
		"another curve":          {scheme.ECDSA, ecdsaPair(t, elliptic.P384()).public},
		"short RSA":              {scheme.RSA, short.public},
		"short private RSA":      {scheme.RSA, short.private},
		"two blocks":             {scheme.RSA, rs.public + rs.public},
		"cut PEM":                {scheme.RSA, rs.public[:200]},
		"cut DER":                {scheme.RSA, rs.der(t).public[:200]},
		"no base64":              {scheme.ECDSA, "s3cret"},
		"empty PEM":              {scheme.ECDSA, "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----"},
		"short Ed25519":          {scheme.Ed25519, hex.EncodeToString(edSeed[:31])},
		"private without prefix": {scheme.Ed25519, hex.EncodeToString(edKey())},
		"short seed":             {scheme.Ed25519, "seed:" + hex.EncodeToString(edSeed[:31])},
		"halves of two keys":     {scheme.Ed25519, "seed:" + hex.EncodeToString(halves)},
		"no hex":                 {scheme.Ed25519, "s3cret"},
		"empty seed":             {scheme.Ed25519, "seed:"},
	} {
		enc := scheme.Plain
		if c.kind == scheme.Ed25519 {
			enc = scheme.Hex
		}
		_, err := scheme.Compile([]scheme.Alternative{signedAt(c.kind, 0, enc, scheme.Base64)}, options(c.key))
		if err == nil {
			t.Errorf("%s: taken", name)
		} else if text := err.Error(); strings.Contains(text, "s3cret") || strings.Contains(text, "MII") || strings.Contains(text, "3031") {
			t.Errorf("%s: the key is told: %v", name, err)
		}
	}
}

// TestPublicKeyIsNoSeed: whoever knows the public key must not be able to sign
// with it as a seed.
func TestPublicKeyIsNoSeed(t *testing.T) {
	t.Parallel()
	pub := edKey()[32:]
	alt := signedAt(scheme.Ed25519, 0, scheme.Hex, scheme.Hex)
	r := request("body")
	r.Now = time.Unix(1772366400, 0)
	if err := compile(t, []scheme.Alternative{alt}, "", "seed:"+hex.EncodeToString(pub)).Sign(r); err != nil {
		t.Fatal(err)
	}
	if verifies(compile(t, []scheme.Alternative{alt}, "", hex.EncodeToString(pub)), r) {
		t.Error("a signature by the public key as a seed passed")
	}
}

// TestManySignatures: a list may not make hookd compute without end.
func TestManySignatures(t *testing.T) {
	t.Parallel()
	alt := signedAt(scheme.Ed25519, 0, scheme.Hex, scheme.Base64)
	alt.Sig.Split = " "
	s := compile(t, []scheme.Alternative{alt}, "", "seed:"+hex.EncodeToString(edSeed))
	r := request("body")
	r.Now = time.Unix(1772366400, 0)
	if err := s.Sign(r); err != nil {
		t.Fatal(err)
	}
	good := r.Header.Get("X-Sig")
	wrong := strings.Repeat("A", 86) + "== "
	for n, ok := range map[int]bool{0: true, 15: true, 16: false, 80: false} {
		r.Header.Set("X-Sig", strings.Repeat(wrong, n)+good)
		if verifies(s, r) != ok {
			t.Errorf("%d before the good one: want %v", n, ok)
		}
	}
}

func TestBasic(t *testing.T) {
	t.Parallel()
	s := compile(t, []scheme.Alternative{{Kind: scheme.Basic}}, "", "ci:pass:word", "n\u00e4me:p\u00e4ss")
	enc := func(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }
	for _, c := range []struct{ value, code string }{
		{enc("ci:pass:word"), ""},
		{"bAsIc" + enc("ci:pass:word")[5:], ""},
		{enc("n\u00e4me:p\u00e4ss"), ""},
		{enc("n\xe4me:p\xe4ss"), ""}, // Latin-1
		{enc("ci:pass"), auth.CodeMismatch},
		{enc("ci:pass:word "), auth.CodeMismatch},
		{enc("CI:pass:word"), auth.CodeMismatch},
		{enc("ci:pass:word\x00"), auth.CodeMalformed},
		{enc("ci:pass:word\n"), auth.CodeMalformed},
		{enc("ci"), auth.CodeMalformed},
		{enc(""), auth.CodeMalformed},
		{"Basic", auth.CodeMalformed},
		{"Bearer ci:pass:word", auth.CodeMalformed},
		{strings.Replace(enc("ci:pass:word"), " ", "  ", 1), auth.CodeMalformed},
		{enc("ci:pass:word") + " ", auth.CodeMalformed},
		{enc("ci:pass:word") + "=", auth.CodeMalformed},
		{"", auth.CodeMissing},
	} {
		_, err := s.Verify(request("", "Authorization", c.value))
		if got := codeOf(err); got != c.code {
			t.Errorf("%q: code %q, want %q", c.value, got, c.code)
		}
	}
	if got := codeOf(second(s.Verify(request("", "Authorization", enc("ci:pass:word"), "Authorization", enc("ci:pass:word"))))); got != auth.CodeDoubled {
		t.Errorf("twice: %q", got)
	}
	r := request("")
	if err := s.Sign(r); err != nil || !verifies(s, r) {
		t.Errorf("own credentials refused: %v", err)
	}
	if h := s.CredentialHeaders(); len(h) != 1 || h[0] != "Authorization" {
		t.Errorf("credential headers %q", h)
	}
	if s.Challenge() == "" || compile(t, hexOf(0, "X-Sig", "", "{body}"), "", "k").Challenge() != "" {
		t.Error("challenges")
	}
	for _, bad := range []string{"nocolon", ":password", "a:b\tc", "a:\x01", "a:" + strings.Repeat("x", 6000)} {
		if _, err := scheme.Compile([]scheme.Alternative{{Kind: scheme.Basic}}, options(bad)); err == nil {
			t.Errorf("took the secret %.10q", bad)
		}
	}
}

func second[A any](_ A, err error) error { return err }

func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return auth.DenialOf(err).Code
}
