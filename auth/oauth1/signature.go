package oauth1

import (
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // RFC 5849 sections 3.4.2 and 3.4.3
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"hash"
	"io"
	"strings"
)

// method is how a request is signed: RFC 5849 section 3.4, and HMAC-SHA256,
// which is the first with another hash.
type method string

const (
	hmacSHA1   method = "HMAC-SHA1"
	hmacSHA256 method = "HMAC-SHA256"
	rsaSHA1    method = "RSA-SHA1"
	plaintext  method = "PLAINTEXT"
)

func methods() []method { return []method{hmacSHA1, hmacSHA256, rsaSHA1, plaintext} }

func (m method) hash() func() hash.Hash {
	if m == hmacSHA256 {
		return sha256.New
	}
	return sha1.New
}

// matches reports whether signature is that of what write writes, under any of
// the keys.
func (v *verifier) matches(signature string, write func(io.Writer)) bool {
	switch v.method {
	case plaintext:
		_, ok := v.plain.Find(signature)
		return ok
	case rsaSHA1:
		return v.matchesRSA(signature, write)
	case hmacSHA1, hmacSHA256:
	}
	got, ok := decodeBase64(signature)
	if !ok {
		return false
	}
	sums := v.sums(write)
	found := false
	for _, want := range sums {
		if hmac.Equal(want, got) {
			found = true
		}
	}
	return found
}

// sums are the HMACs of what write writes, one per key.
func (v *verifier) sums(write func(io.Writer)) [][]byte {
	hashes, writers := make([]hash.Hash, len(v.keys)), make([]io.Writer, len(v.keys))
	for i, k := range v.keys {
		hashes[i] = hmac.New(v.method.hash(), []byte(k.Reveal()))
		writers[i] = hashes[i]
	}
	write(io.MultiWriter(writers...))
	sums := make([][]byte, len(hashes))
	for i, h := range hashes {
		sums[i] = h.Sum(nil)
	}
	return sums
}

func (v *verifier) matchesRSA(signature string, write func(io.Writer)) bool {
	got, ok := decodeBase64(signature)
	if !ok {
		return false
	}
	h := sha1.New() //nolint:gosec // as the sender does
	write(h)
	sum := h.Sum(nil)
	for _, k := range v.public {
		if rsa.VerifyPKCS1v15(k, crypto.SHA1, sum, got) == nil {
			return true
		}
	}
	return false
}

// decodeBase64 is strict, so that a signature has one text only; the decoder by
// itself skips line ends.
func decodeBase64(s string) ([]byte, bool) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, false
	}
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	return b, err == nil
}

// bodyHash is oauth_body_hash (draft-eaton-oauth-bodyhash): base64 of the hash of
// the bytes as sent.
func bodyHash(h hash.Hash, body []byte) string {
	h.Write(body)
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// matchesBody compares oauth_body_hash. Libraries differ in the hash that goes
// with HMAC-SHA256: both are taken, by their length.
func matchesBody(got string, body []byte) bool {
	want := bodyHash(sha1.New(), body) //nolint:gosec // as the sender does
	if len(got) > len(want) {
		want = bodyHash(sha256.New(), body)
	}
	return hmac.Equal([]byte(want), []byte(got))
}

// publicKeys reads PEM: a public key (PKIX or PKCS #1) or a certificate.
func publicKeys(texts []string) ([]*rsa.PublicKey, error) {
	if len(texts) > maxKeys {
		return nil, errors.New("has more keys than can be valid at once (8)")
	}
	var all []*rsa.PublicKey
	for _, t := range texts {
		block, rest := pem.Decode([]byte(t))
		if block == nil || strings.TrimSpace(string(rest)) != "" {
			return nil, errors.New("must be one PEM block per key")
		}
		key, err := publicKey(block)
		if err != nil {
			return nil, err
		}
		if key.Size() < 128 || key.Size() > 1024 {
			return nil, errors.New("must be a key of 1024 to 8192 bits")
		}
		all = append(all, key)
	}
	return all, nil
}

func publicKey(block *pem.Block) (*rsa.PublicKey, error) {
	var key any
	var err error
	switch block.Type {
	case "PUBLIC KEY":
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		var c *x509.Certificate
		if c, err = x509.ParseCertificate(block.Bytes); err == nil {
			key = c.PublicKey
		}
	default:
		return nil, errors.New("must be PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE; it is what the sender signs against, not its private key")
	}
	if err != nil {
		return nil, errors.New("cannot be read: " + err.Error())
	}
	if k, ok := key.(*rsa.PublicKey); ok {
		return k, nil
	}
	return nil, errors.New("is not an RSA key")
}
