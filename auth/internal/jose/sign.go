package jose

import (
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/hookd/hookd/internal/secret"
)

// Lifetime is how long a token that Mint made is good.
const Lifetime = 5 * time.Minute

// signer is the key that Mint signs with.
type signer struct {
	alg     Algorithm
	secret  secret.String
	private crypto.Signer // nil: the secret
}

// newSigner is nil where there is nothing to sign with.
func newSigner(v *Verifier, pem secret.String) (*signer, error) {
	shared := v.remote == nil && v.static[0].public == nil
	if pem.IsZero() {
		if shared {
			return &signer{alg: v.algs[0], secret: v.static[0].secret}, nil
		}
		return nil, nil
	}
	if shared {
		return nil, errors.New("the signing key is for public keys: a shared secret signs by itself")
	}
	private, err := parsePrivate(pem.Reveal())
	if err != nil {
		return nil, fmt.Errorf("the signing key %w", err)
	}
	i := slices.IndexFunc(v.algs, func(a Algorithm) bool { return a.suits(private.Public()) })
	if i < 0 {
		return nil, fmt.Errorf("the signing key does not go with %s", list(v.algs))
	}
	if v.remote == nil && !slices.ContainsFunc(v.static, func(k key) bool { return equal(private.Public(), k.public) }) {
		return nil, errors.New("the signing key does not belong to any of the public keys")
	}
	return &signer{alg: v.algs[i], private: private}, nil
}

func equal(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}

// Mint makes a token that Verify accepts from now on, for Lifetime. claims are
// added to those that the rules ask for, or take their place; nil takes one
// away.
func (v *Verifier) Mint(now time.Time, claims map[string]any) (string, error) {
	if v.signer == nil {
		return "", errors.New("a public key can only verify: set signing_key to the private key to sign test requests")
	}
	all := jwt.MapClaims{
		"sub": "hookd-test", "jti": rand.Text(), "iat": now.Unix(), "exp": now.Add(Lifetime).Unix(),
	}
	if len(v.rules.Issuers) > 0 {
		all["iss"] = v.rules.Issuers[0]
	}
	if len(v.rules.Audiences) > 0 {
		all["aud"] = v.rules.Audiences[0]
	}
	if len(v.rules.Scopes) > 0 {
		all["scope"] = strings.Join(v.rules.Scopes, " ")
	}
	for name, value := range claims {
		all[name] = value
		if value == nil {
			delete(all, name)
		}
	}
	var material any = v.signer.private
	if v.signer.private == nil {
		material = []byte(v.signer.secret.Reveal())
	}
	return jwt.NewWithClaims(methods[v.signer.alg], all).SignedString(material)
}
