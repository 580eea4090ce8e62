// Package jose verifies and makes signed JSON Web Tokens (RFC 7519) in the
// compact form (RFC 7515). The signatures are golang-jwt's; the container, the
// choice of the key and the claims are looked at here, since RFC 8725 asks for
// more care than a general library may take.
//
// A verifier has one source of keys and the algorithms that suit it. A key is
// bound to its kind: a shared secret to HMAC, a public key to its own
// signature. What a token says of itself selects among these and adds nothing.
package jose

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/secret"
)

// MaxKeys is how many keys can be valid at once.
const MaxKeys = 8

// Config says which tokens are good. Exactly one of Secrets, PublicKeys and
// JWKS is set.
type Config struct {
	Method     string // for refusals: "jwt"
	Algorithms []Algorithm
	// Secrets are shared secrets, or public keys and certificates in PEM, but
	// not both: more than one while they are being replaced.
	Secrets    []secret.String
	PublicKeys []string // PEM
	JWKS       string   // URL of a JWK Set, RFC 7517 section 5
	// Narrow passes over algorithms that suit none of the keys, where some do.
	Narrow bool
	// SigningKey is the private key in PEM that Mint signs with; needed for
	// public keys only.
	SigningKey secret.String
	Rules      Rules
}

// Verifier checks tokens. It is safe for concurrent use.
type Verifier struct {
	method string
	algs   []Algorithm
	static []key
	remote *keySet // nil: static
	rules  Rules
	signer *signer // nil: cannot sign
}

// New checks the configuration. Its error names the setting that is wrong and
// holds no secret. It connects to nothing.
func New(env auth.Env, c Config) (*Verifier, error) {
	v := &Verifier{method: c.Method, algs: c.Algorithms, rules: c.Rules}
	if err := errors.Join(checkAlgorithms(c.Algorithms), c.Rules.Validate()); err != nil {
		return nil, err
	}
	sources := 0
	for _, set := range []bool{len(c.Secrets) > 0, len(c.PublicKeys) > 0, c.JWKS != ""} {
		if set {
			sources++
		}
	}
	switch {
	case sources == 0:
		return nil, errors.New("needs a key: a secret, a public key or the URL of a JWK Set")
	case sources > 1:
		return nil, errors.New("has more than one source of keys; give one of a secret, public keys and the URL of a JWK Set")
	case len(c.Secrets)+len(c.PublicKeys) > MaxKeys:
		return nil, fmt.Errorf("has more keys than can be valid at once (%d)", MaxKeys)
	}
	var err error
	if c.JWKS != "" {
		v.remote, err = newKeySet(env, c.JWKS)
	} else {
		v.static, err = staticKeys(&c)
	}
	if err != nil {
		return nil, err
	}
	if err := v.bind(c.Narrow); err != nil {
		return nil, err
	}
	v.signer, err = newSigner(v, c.SigningKey)
	return v, err
}

func staticKeys(c *Config) ([]key, error) {
	var keys []key
	for _, s := range c.Secrets {
		if !IsPublic(s.Reveal()) {
			if strings.TrimSpace(s.Reveal()) == "" {
				return nil, errors.New("a secret must not be blank")
			}
			keys = append(keys, key{secret: s})
			continue
		}
		public, err := parsePublic(s.Reveal())
		if err != nil {
			return nil, fmt.Errorf("a secret %w", err)
		}
		keys = append(keys, key{public: public})
	}
	for _, text := range c.PublicKeys {
		public, err := parsePublic(text)
		if err != nil {
			return nil, fmt.Errorf("a public key %w", err)
		}
		keys = append(keys, key{public: public})
	}
	if slices.ContainsFunc(keys, func(k key) bool { return (k.public == nil) != (keys[0].public == nil) }) {
		return nil, errors.New("shared secrets and public keys cannot be mixed")
	}
	return keys, nil
}

// bind wants an algorithm for each key, and a key for each algorithm. With
// narrow, algorithms without a key are dropped.
func (v *Verifier) bind(narrow bool) error {
	if v.remote != nil {
		return v.keep(narrow, func(a Algorithm) bool { return !a.symmetric() }, "takes a shared secret, which a JWK Set must not hold: use RS256 or whatever the issuer signs with")
	}
	for i := range v.static {
		k := &v.static[i]
		if slices.ContainsFunc(v.algs, k.suits) {
			continue
		}
		what := "a public key"
		if k.public == nil {
			what = "a shared secret"
		}
		return fmt.Errorf("%s does not go with %s: set the algorithm to %s or one like it", what, list(v.algs), usual(k.public))
	}
	return v.keep(narrow, func(a Algorithm) bool {
		return slices.ContainsFunc(v.static, func(k key) bool { return k.suits(a) })
	}, "suits none of the keys")
}

func (v *Verifier) keep(narrow bool, suits func(Algorithm) bool, text string) error {
	var kept []Algorithm
	for _, a := range v.algs {
		if suits(a) {
			kept = append(kept, a)
		} else if !narrow {
			return fmt.Errorf("the algorithm %s %s", a, text)
		}
	}
	if len(kept) == 0 {
		return fmt.Errorf("no algorithm: %s %s", list(v.algs), text)
	}
	v.algs = kept
	return nil
}

func list(as []Algorithm) string {
	texts := make([]string, 0, len(as))
	for _, a := range as {
		texts = append(texts, string(a))
	}
	if len(texts) == 0 {
		return "nothing"
	}
	return strings.Join(texts, ", ")
}

// Remote reports whether keys are fetched.
func (v *Verifier) Remote() bool { return v.remote != nil }

// Verify checks the signature, then the claims. The error is a *auth.Denial.
func (v *Verifier) Verify(ctx context.Context, compact string, now time.Time) (*Claims, error) {
	t, err := parse(compact)
	if err != nil {
		return nil, v.deny(auth.CodeMalformed, "the token "+err.Error())
	}
	if !slices.Contains(v.algs, t.alg) {
		return nil, v.deny(auth.CodeAlgorithm, fmt.Sprintf("the token is signed with %q", t.alg))
	}
	keys, err := v.keys(ctx, t)
	if err != nil {
		return nil, err
	}
	if !signedBy(t, keys) {
		return nil, v.deny(auth.CodeSignatureMismatch, "")
	}
	members, err := Object(t.payload)
	if err != nil {
		return nil, v.deny(auth.CodeMalformed, "the payload "+err.Error())
	}
	c, err := NewClaims(members)
	if err != nil {
		return nil, v.deny(auth.CodeMalformed, "the token "+err.Error())
	}
	return c, v.rules.Check(v.method, c, now)
}

// Identity is who the claims of a good token are about.
func (v *Verifier) Identity(c *Claims) auth.Identity {
	return auth.Identity{Method: v.method, Subject: Subject(v.method, c.Subject), Once: v.rules.Marks(v.method, c)}
}

func (v *Verifier) keys(ctx context.Context, t *token) ([]key, error) {
	if v.remote != nil {
		keys, err := v.remote.find(ctx, t.kid, t.alg)
		if err != nil {
			return nil, &auth.Denial{Method: v.method, Code: auth.CodeUnavailable, Unavailable: true, Err: err}
		}
		if len(keys) == 0 {
			return nil, v.deny(auth.CodeKey, fmt.Sprintf("no key for kid %q and %s", t.kid, t.alg))
		}
		return keys, nil
	}
	return v.static, nil
}

// signedBy asks only keys of the algorithm's kind.
func signedBy(t *token, keys []key) bool {
	for i := range keys {
		if keys[i].suits(t.alg) && methods[t.alg].Verify(t.signed, t.sig, keys[i].material()) == nil {
			return true
		}
	}
	return false
}

func (v *Verifier) deny(code, text string) *auth.Denial {
	d := auth.Deny(v.method, code)
	if text != "" {
		d.Err = errors.New(text)
	}
	return d
}
