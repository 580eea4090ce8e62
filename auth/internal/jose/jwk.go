package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// maxJWKs is how many keys a set may hold.
const maxJWKs = 100

// parseJWKs reads a JWK Set. Keys of a kind that is not known, that are for
// something else than signatures, or that are broken, are passed over, as RFC
// 7517 section 5 asks; a set that leaves none is an error. Shared secrets
// (kty oct) are never taken from a set.
func parseJWKs(b []byte) ([]key, error) {
	set, err := Object(b)
	if err != nil {
		return nil, fmt.Errorf("the JWK Set %w", err)
	}
	var items []json.RawMessage
	if json.Unmarshal(set["keys"], &items) != nil {
		return nil, errors.New("the JWK Set has no list of keys")
	}
	if len(items) > maxJWKs {
		return nil, fmt.Errorf("the JWK Set has more than %d keys", maxJWKs)
	}
	var keys []key
	for _, item := range items {
		if k, ok := parseJWK(item); ok {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("the JWK Set has no key that could verify a signature")
	}
	return keys, nil
}

func parseJWK(raw json.RawMessage) (key, bool) {
	m, err := Object(raw)
	if err != nil || !verifies(m) {
		return key{}, false
	}
	k := key{}
	for name, into := range map[string]*string{"kid": &k.id, "alg": (*string)(&k.only)} {
		if raw, there := m[name]; there {
			var ok bool
			if *into, ok = text(raw); !ok {
				return key{}, false
			}
		}
	}
	kty, _ := text(m["kty"])
	switch kty {
	case "RSA":
		k.public = rsaKey(m)
	case "EC":
		k.public = ecKey(m)
	case "OKP":
		k.public = edKey(m)
	}
	if k.public == nil || usable(k.public) != nil {
		return key{}, false
	}
	return k, slices.ContainsFunc(Algorithms(), k.suits)
}

// verifies looks at what a key may be used for, RFC 7517 sections 4.2 and 4.3.
func verifies(m map[string]json.RawMessage) bool {
	if raw, there := m["use"]; there {
		if use, _ := text(raw); use != "sig" {
			return false
		}
	}
	if raw, there := m["key_ops"]; there {
		if ops, _ := texts(raw); !slices.Contains(ops, "verify") {
			return false
		}
	}
	return true
}

// number reads the base64url of a JWK's member; nil where it has none.
func number(m map[string]json.RawMessage, name string) []byte {
	s, _ := text(m[name])
	b, err := segmentBytes(s)
	if err != nil || len(b) == 0 {
		return nil
	}
	return b
}

// rsaKey is RFC 7518 section 6.3.1.
func rsaKey(m map[string]json.RawMessage) crypto.PublicKey {
	n, e := number(m, "n"), number(m, "e")
	if n == nil || e == nil || len(n) > maxRSA/8+1 || len(e) > 4 {
		return nil
	}
	exponent := new(big.Int).SetBytes(e)
	if exponent.BitLen() > 31 {
		return nil
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent.Int64())}
}

// ecKey is RFC 7518 section 6.2.1: coordinates have the full length of the
// curve, and the point is on it.
func ecKey(m map[string]json.RawMessage) crypto.PublicKey {
	crv, _ := text(m["crv"])
	curve, known := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}[crv]
	if !known {
		return nil
	}
	size := (curve.Params().BitSize + 7) / 8
	x, y := number(m, "x"), number(m, "y")
	if len(x) != size || len(y) != size {
		return nil
	}
	k, err := ecdsa.ParseUncompressedPublicKey(curve, slices.Concat([]byte{4}, x, y))
	if err != nil {
		return nil
	}
	return k
}

// edKey is RFC 8037 section 2.
func edKey(m map[string]json.RawMessage) crypto.PublicKey {
	crv, _ := text(m["crv"])
	x := number(m, "x")
	if crv != "Ed25519" || len(x) != ed25519.PublicKeySize {
		return nil
	}
	return ed25519.PublicKey(x)
}
