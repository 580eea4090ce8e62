package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"
	"slices"

	"github.com/golang-jwt/jwt/v5"
)

// Algorithm is the name of a signature algorithm, RFC 7518 section 3.1 and RFC
// 8037.
type Algorithm string

// methods are the algorithms that there are. "none" is not one.
var methods = map[Algorithm]jwt.SigningMethod{
	"HS256": jwt.SigningMethodHS256, "HS384": jwt.SigningMethodHS384, "HS512": jwt.SigningMethodHS512,
	"RS256": jwt.SigningMethodRS256, "RS384": jwt.SigningMethodRS384, "RS512": jwt.SigningMethodRS512,
	"ES256": jwt.SigningMethodES256, "ES384": jwt.SigningMethodES384, "ES512": jwt.SigningMethodES512,
	"PS256": jwt.SigningMethodPS256, "PS384": jwt.SigningMethodPS384, "PS512": jwt.SigningMethodPS512,
	"EdDSA": jwt.SigningMethodEdDSA,
}

// Algorithms returns all, in the order of the documentation.
func Algorithms() []Algorithm {
	return []Algorithm{
		"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA",
	}
}

// symmetric tells that the key that verifies also signs.
func (a Algorithm) symmetric() bool { return a[:2] == "HS" }

// curves are those of RFC 7518 section 3.4: each algorithm has one.
var curves = map[Algorithm]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()}

// suits reports whether a public key is of the algorithm's kind; nil is a
// shared secret. A key never serves an algorithm of another kind, whatever the
// token says.
func (a Algorithm) suits(public crypto.PublicKey) bool {
	switch k := public.(type) {
	case nil:
		return a.symmetric()
	case *rsa.PublicKey:
		return a[:2] == "RS" || a[:2] == "PS"
	case *ecdsa.PublicKey:
		return curves[a] == k.Curve
	case ed25519.PublicKey:
		return a == "EdDSA"
	}
	return false
}

// usual is what a key of this kind is mostly used with, for messages.
func usual(public crypto.PublicKey) Algorithm {
	for _, a := range Algorithms() {
		if a.suits(public) {
			return a
		}
	}
	return ""
}

func checkAlgorithms(as []Algorithm) error {
	for i, a := range as {
		if _, known := methods[a]; !known {
			return fmt.Errorf("there is no algorithm %q", a)
		}
		if slices.Contains(as[:i], a) {
			return fmt.Errorf("the algorithm %s is listed twice", a)
		}
	}
	return nil
}
