package presets_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/auth/internal/scheme"
	"github.com/hookd/hookd/auth/presets"
	"github.com/hookd/hookd/internal/secret"
)

// subject is what authtest has to know of a preset, as its data has it.
func subject(t *testing.T, p *presets.Preset) authtest.Subject {
	t.Helper()
	a := &p.Verify[0]
	s := authtest.Subject{
		New: func(secrets ...string) (auth.Verifier, error) {
			v, err := newPreset(p, secrets...)
			if err != nil {
				return nil, err
			}
			return v, nil
		},
		Secrets:    secretsOf(t, a),
		CoversBody: p.Covers == presets.CoversBody,
		ReadsBody:  true, // the delivery id may be there
		Same:       sameCredential(a),
		Repeats:    a.Sig.Repeat,
	}
	if a.Time != nil {
		s.Tolerance = a.Time.Tolerance
	}
	place := "header:Authorization"
	if a.Kind != scheme.Basic {
		place = a.Sig.At[0]
	}
	switch kind, name, _ := strings.Cut(place, ":"); kind {
	case "header":
		if star, ok := strings.CutSuffix(name, "*"); ok {
			name, s.Repeats = star+"1", true
		}
		s.Header = http.CanonicalHeaderKey(name)
	case "query":
		s.Param = name
	default:
		t.Fatalf("%s: the suite cannot look into %s", p.Name, place)
	}
	switch {
	case a.Key.Enc == scheme.Hex:
		s.SameSecret = strings.EqualFold
	case a.Kind == scheme.ECDSA || a.Kind == scheme.RSA:
		// Reading a key a thousand times is slow, and not ours to test: that
		// another key is refused is part of the rotation.
		s.SameSecret = func(string, string) bool { return true }
	}
	return s
}

// sameCredential is the sameness of what a.Sig reads: hex has no case, and
// neither do the name of the hash and that of a scheme.
func sameCredential(a *scheme.Alternative) func(x, y string) bool {
	fixed := func(x string) int { // the length of what is compared as it is
		if a.Sig.Pick != "" {
			return strings.LastIndex(x, a.Sig.KV) + len(a.Sig.KV)
		}
		return len(a.Sig.Prefix)
	}
	switch {
	case a.Kind == scheme.Basic:
		return func(x, y string) bool {
			return len(x) > 6 && len(y) > 6 && strings.EqualFold(x[:6], y[:6]) && x[6:] == y[6:]
		}
	case a.Sig.Enc == scheme.Base64URL: // with padding or without
		return func(x, y string) bool { return strings.TrimSuffix(x, "=") == strings.TrimSuffix(y, "=") }
	case a.Kind == scheme.Token || a.Sig.Enc != scheme.Hex:
		return nil
	case a.Sig.HashPrefix:
		return strings.EqualFold
	}
	return func(x, y string) bool {
		n := fixed(x)
		return len(x) == len(y) && x[:n] == y[:n] && strings.EqualFold(x[n:], y[n:])
	}
}

// secretsOf are three secrets of the form that the sender's have; they sign.
func secretsOf(t testing.TB, a *scheme.Alternative) [3]string {
	t.Helper()
	texts := [3]string{"whsec_first-Secret-of-3", "whsec_second-Secret", "third secret, with \u00fcmlaut"}
	switch a.Kind {
	case scheme.Basic:
		return [3]string{"first:Passw0rd", "second:with:colon", "third:p\u00e4ssword"}
	case scheme.ECDSA, scheme.RSA:
		return map[scheme.Kind][3]string{scheme.ECDSA: keys().ecdsa, scheme.RSA: keys().rsa}[a.Kind]
	case scheme.Ed25519:
		return seeds(a.Key)
	case scheme.HMAC, scheme.Digest, scheme.Token:
	}
	for i, text := range texts {
		switch a.Key.Enc {
		case scheme.Hex:
			texts[i] = hex.EncodeToString([]byte(text))
		case scheme.Base64, scheme.Base64URL:
			texts[i] = a.Key.Strip + base64.StdEncoding.EncodeToString([]byte(text))
		case scheme.Plain:
		}
	}
	return texts
}

// seeds are private Ed25519 keys.
func seeds(k scheme.Key) (out [3]string) {
	for i := range out {
		seed := slices.Repeat([]byte{byte(i + 1)}, ed25519.SeedSize)
		text := hex.EncodeToString(seed)
		if k.Enc == scheme.Base64 {
			text = base64.StdEncoding.EncodeToString(seed)
		}
		prefix := k.Private
		if prefix == "" {
			prefix = "seed:"
		}
		out[i] = prefix + text
	}
	return out
}

// keys are private keys in the base64 of PKCS #8, made once.
var keys = sync.OnceValue(func() (all struct{ ecdsa, rsa [3]string }) {
	pkcs8 := func(key any, err error) string {
		if err == nil {
			var der []byte
			if der, err = x509.MarshalPKCS8PrivateKey(key); err == nil {
				return base64.StdEncoding.EncodeToString(der)
			}
		}
		panic(err)
	}
	for i := range all.rsa {
		all.ecdsa[i] = pkcs8(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
		all.rsa[i] = pkcs8(rsa.GenerateKey(rand.Reader, 2048))
	}
	return all
})

// newPreset makes the proof with what else the sender needs.
func newPreset(p *presets.Preset, secrets ...string) (*presets.Verifier, error) {
	o := presets.Options{Params: map[string]string{}}
	for _, s := range secrets {
		o.Secrets = append(o.Secrets, secret.New(s))
	}
	if p.NeedsURL() {
		o.PublicURL = "https://hooks.example.com/webhook/test"
	}
	for _, q := range p.Params {
		if q.Required {
			o.Params[q.Name] = "value_of_" + q.Name
		}
	}
	return p.New(auth.Env{}, o)
}

// prepared is a signed request with the sender's own sample.
func prepared(t testing.TB, p *presets.Preset, v *presets.Verifier, at time.Time) *auth.Request {
	t.Helper()
	r := authtest.Request()
	r.Header, r.Now = http.Header{}, at
	r.Body = p.Body("", "4d0c7b1e-delivery", at)
	v.Prepare(r, "", "4d0c7b1e-delivery")
	if err := v.Sign(t.Context(), r); err != nil {
		t.Fatalf("%s: sign: %v", p.Name, err)
	}
	return r
}
