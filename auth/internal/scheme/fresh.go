package scheme

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
)

// freshBytes is the length of a fresh secret: that of a SHA-256 block's half,
// and of an Ed25519 seed.
const freshBytes = 32

// Fresh is a new secret of the form that the alternative takes, for trying it
// out: for asymmetric kinds a private key, which verifies and signs.
func Fresh(a *Alternative) (string, error) {
	b := make([]byte, freshBytes)
	_, _ = rand.Read(b) // never fails since Go 1.24
	switch a.Kind {
	case Basic:
		return "hookd:" + hex.EncodeToString(b), nil
	case Ed25519:
		prefix := a.Key.Private
		if prefix == "" {
			prefix = seedPrefix
		}
		return prefix + a.Key.Enc.encode(ed25519.NewKeyFromSeed(b).Seed()), nil
	case ECDSA:
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		return pkcs8(key, err)
	case RSA:
		key, err := rsa.GenerateKey(rand.Reader, minRSA)
		return pkcs8(key, err)
	case HMAC, Digest, Token:
	}
	if a.Key.Enc == Plain {
		return hex.EncodeToString(b), nil
	}
	return a.Key.Strip + a.Key.Enc.encode(b), nil
}

// pkcs8 is the base64 of a private key.
func pkcs8(key any, err error) (string, error) {
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", err
	}
	return Base64.encode(der), nil
}
