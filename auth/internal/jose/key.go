package jose

import (
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

// key verifies. It is a shared secret where public is nil.
type key struct {
	id     string    // of a JWK; "" has none
	only   Algorithm // the JWK's own; "" is any of its kind
	secret secret.String
	public crypto.PublicKey
}

func (k *key) suits(a Algorithm) bool { return a.suits(k.public) && (k.only == "" || k.only == a) }

// material is the key as the library takes it.
func (k *key) material() any {
	if k.public == nil {
		return []byte(k.secret.Reveal())
	}
	return k.public
}

// The bounds of RSA keys in bits. RFC 7518 section 3.3 has the lower one; the
// upper one keeps a key of a foreign server from costing milliseconds.
const (
	minRSA = 2048
	maxRSA = 8192
)

// usable refuses keys that are too weak, or of a kind that no algorithm takes.
func usable(public crypto.PublicKey) error {
	switch k := public.(type) {
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits < minRSA || bits > maxRSA {
			return fmt.Errorf("is an RSA key of %d bits, and %d to %d are taken", bits, minRSA, maxRSA)
		}
		if k.E < 3 || k.E%2 == 0 {
			return errors.New("is an RSA key with an exponent that is none")
		}
		return nil
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() && k.Curve != elliptic.P384() && k.Curve != elliptic.P521() {
			return errors.New("is an EC key on another curve than P-256, P-384 and P-521")
		}
		return nil
	case ed25519.PublicKey:
		return nil
	}
	return errors.New("is neither an RSA, nor an EC, nor an Ed25519 key")
}

// IsPublic reports whether text is a public key or certificate rather than a
// secret: in PEM, as a JWK, or as OpenSSH writes it. Everybody may know such a
// text, so that it never becomes the secret of an HMAC.
func IsPublic(text string) bool {
	text = strings.TrimSpace(text)
	for _, start := range []string{"ssh-rsa ", "ssh-ed25519 ", "ecdsa-sha2-"} {
		if strings.HasPrefix(text, start) {
			return true
		}
	}
	return strings.Contains(text, "-----BEGIN ") || strings.HasPrefix(text, "{") && strings.Contains(text, `"kty"`)
}

// parsePublic reads one public key or certificate in PEM. More than one block
// is refused: in a certificate chain, only the first is the sender's.
func parsePublic(text string) (crypto.PublicKey, error) {
	block, err := onePEM(text)
	if err != nil {
		return nil, err
	}
	var public crypto.PublicKey
	switch block.Type {
	case "PUBLIC KEY":
		public, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		public, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		var c *x509.Certificate
		if c, err = x509.ParseCertificate(block.Bytes); err == nil {
			public = c.PublicKey
		}
	default:
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			return nil, errors.New("holds a private key; the public one is enough to verify (openssl pkey -pubout)")
		}
		return nil, fmt.Errorf("holds a PEM block %q; want PUBLIC KEY or CERTIFICATE", block.Type)
	}
	if err != nil {
		return nil, errors.New("holds a PEM block that cannot be read: " + err.Error())
	}
	return public, usable(public)
}

// parsePrivate reads one private key in PEM, unencrypted.
func parsePrivate(text string) (crypto.Signer, error) {
	block, err := onePEM(text)
	if err != nil {
		return nil, err
	}
	var private any
	switch block.Type {
	case "PRIVATE KEY":
		private, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		private, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		private, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		return nil, errors.New("is no unencrypted private key in PEM")
	}
	signer, ok := private.(crypto.Signer)
	if err != nil || !ok {
		return nil, errors.New("is a private key that cannot be read") // the cause could tell of its bytes
	}
	return signer, usable(signer.Public())
}

func onePEM(text string) (*pem.Block, error) {
	block, rest := pem.Decode([]byte(text))
	switch {
	case block == nil && strings.Contains(text, `\n`):
		return nil, errors.New(`is no PEM text: it holds "\n" where its lines should end`)
	case block == nil:
		return nil, errors.New("is no public key in PEM")
	case strings.TrimSpace(string(rest)) != "":
		return nil, errors.New("holds more than one PEM block; give a list with one in each")
	}
	return block, nil
}
