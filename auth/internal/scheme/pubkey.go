package scheme

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/hookd/hookd/internal/secret"
)

// minRSA is the length in bits of the shortest RSA key that is taken (NIST SP
// 800-131A).
const minRSA = 2048

// seedPrefix tells a private Ed25519 key where the sender has no prefix for it.
const seedPrefix = "seed:"

// public turns the configured secret into a key that verifies.
func (k Key) public(kind Kind, h Hash, s secret.String) (*publicKey, error) {
	pub := &publicKey{kind: kind, hash: h.crypto()}
	if kind == Ed25519 {
		pub.hash = crypto.Hash(0)
	}
	err := pub.load(k, s.Reveal())
	if err != nil {
		return nil, err
	}
	return pub, pub.fits()
}

func (pub *publicKey) load(k Key, text string) error {
	if strings.Contains(text, "-----BEGIN ") {
		block, rest := pem.Decode([]byte(text))
		if block == nil || len(bytes.TrimSpace(rest)) > 0 {
			return errors.New("the secret is not one PEM block")
		}
		return pub.der(block.Bytes)
	}
	if pub.kind == Ed25519 {
		return pub.ed25519(k, text)
	}
	text = strings.TrimPrefix(text, k.Strip)
	der := make([]byte, len(text))
	n, ok := Base64.decode(der, text)
	if !ok {
		return errors.New("the secret is neither PEM nor the base64 of DER")
	}
	return pub.der(der[:n])
}

// der reads a public or a private key.
func (pub *publicKey) der(b []byte) error {
	if key, err := x509.ParsePKIXPublicKey(b); err == nil {
		pub.public = key
		return nil
	}
	key, err := x509.ParsePKCS8PrivateKey(b)
	if err != nil { // the error may quote the key
		return errors.New("the secret is neither a public key nor a private one (PUBLIC KEY or PRIVATE KEY in PEM, or the base64 of the same)")
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return errors.New("the secret is a key that cannot sign")
	}
	pub.private, pub.public = signer, signer.Public()
	return nil
}

// ed25519 reads a raw key. A public key and a seed have the same length, and
// one taken for the other would let anybody sign who knows the public key: only
// the prefix tells them apart.
func (pub *publicKey) ed25519(k Key, text string) error {
	prefix := seedPrefix
	if k.Private != "" {
		prefix = k.Private
	}
	text, private := strings.CutPrefix(text, prefix)
	if !private {
		text = strings.TrimPrefix(text, k.Strip)
	}
	b := make([]byte, len(text))
	n, ok := k.Enc.decode(b, text)
	if !ok {
		return errors.New("the secret is not " + k.Enc.name())
	}
	b = b[:n]
	switch {
	case private && (n == ed25519.SeedSize || n == ed25519.PrivateKeySize):
		key := ed25519.NewKeyFromSeed(b[:ed25519.SeedSize])
		if n == ed25519.PrivateKeySize && !bytes.Equal(key, b) {
			return errors.New("the halves of the private key do not belong together")
		}
		pub.private, pub.public = key, key.Public()
	case private:
		return fmt.Errorf("the private key has %d bytes: an Ed25519 seed has %d", n, ed25519.SeedSize)
	case n != ed25519.PublicKeySize:
		return fmt.Errorf("the public key has %d bytes: one of Ed25519 has %d (a private one begins with %q)", n, ed25519.PublicKeySize, prefix)
	default:
		pub.public = ed25519.PublicKey(b)
	}
	return nil
}

// fits refuses a key of another kind, or a weak one.
func (pub *publicKey) fits() error {
	switch key := pub.public.(type) {
	case ed25519.PublicKey:
		if pub.kind == Ed25519 {
			return nil
		}
	case *ecdsa.PublicKey:
		if pub.kind == ECDSA && key.Curve == elliptic.P256() {
			return nil
		}
	case *rsa.PublicKey:
		if pub.kind == RSA && key.N.BitLen() < minRSA {
			return fmt.Errorf("the RSA key has %d bits: at least %d are needed", key.N.BitLen(), minRSA)
		}
		if pub.kind == RSA {
			return nil
		}
	}
	return errors.New("the key is of another kind than " + map[Kind]string{Ed25519: "Ed25519", ECDSA: "ECDSA with P-256", RSA: "RSA"}[pub.kind])
}
