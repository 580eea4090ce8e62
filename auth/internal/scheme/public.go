package scheme

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1" //nolint:gosec // senders that sign with RSA and SHA-1 leave no choice
	"errors"
)

// maxPublic bounds how many signatures of one request are tried: an asymmetric
// check costs a hundred times what a keyed hash does.
const maxPublic = 16

// publicKey verifies, and signs where the operator gave the private half.
type publicKey struct {
	kind    Kind
	hash    crypto.Hash
	public  crypto.PublicKey
	private crypto.Signer // nil: only the public half is known
}

func (h Hash) crypto() crypto.Hash {
	return [...]crypto.Hash{crypto.SHA256, crypto.SHA1, crypto.SHA512}[h]
}

// message is what the key signs: the covered bytes for Ed25519, which hashes
// them itself, and their hash for the others.
func (a *alternative) message(in *input) (b []byte, code string) {
	if a.kind == Ed25519 {
		return a.signed.render(in)
	}
	h := a.hash.new()()
	if code := a.signed.write(&state{w: h}, in); code != "" {
		return nil, code
	}
	return h.Sum(nil), ""
}

func (a *alternative) verifyPublic(in *input, values []string) (who int, code string) {
	message, code := a.message(in)
	if code != "" {
		return 0, code
	}
	m := matcher{a: a, message: message, who: -1}
	return m.match(values)
}

// onePublic tries a signature with all keys.
func (m *matcher) onePublic(v string) {
	m.tried++
	sig := make([]byte, len(v))
	n, ok := m.a.sig.Enc.decode(sig, v)
	if !ok || n == 0 || m.tried > maxPublic {
		return
	}
	m.decoded = true
	for i, k := range m.a.public {
		if k.verify(m.message, sig[:n]) {
			m.who = i
		}
	}
}

func (k *publicKey) verify(message, sig []byte) bool {
	switch pub := k.public.(type) {
	case ed25519.PublicKey:
		return ed25519.Verify(pub, message, sig)
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(pub, message, sig)
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(pub, k.hash, message, sig) == nil
	}
	return false
}

// sign makes what verify takes.
func (k *publicKey) sign(message []byte) ([]byte, error) {
	if k.private == nil {
		return nil, errors.New("it needs the private key, and the secret is the public one")
	}
	return k.private.Sign(rand.Reader, message, k.hash)
}

// signature is the text form of the signature of what in holds.
func (a *alternative) signature(in *input) (text, code string, err error) {
	if !a.asymmetric() {
		var sum digest
		if code := a.keys[0].sum(&sum, a.signed, in); code != "" {
			return "", code, nil
		}
		return a.sig.Enc.encode(sum[:a.hash.Size()]), "", nil
	}
	message, code := a.message(in)
	if code != "" {
		return "", code, nil
	}
	sig, err := a.public[0].sign(message)
	return a.sig.Enc.encode(sig), "", err
}
