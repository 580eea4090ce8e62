package standardwebhooks

import (
	"crypto/ed25519"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/hookd/hookd/internal/secret"
)

// MaxKeys is how many keys may be valid at once.
const MaxKeys = 8

// The lengths of a shared secret in bytes: 192 to 512 bits.
const (
	minSecret = 24
	maxSecret = 64
)

// Key is a shared secret, a private key or a public key. It is immutable. fmt
// follows a pointer for some verbs, so a function keeps the bytes from being
// printed.
type Key struct{ m func() *material }

func newKey(m material) Key { return Key{func() *material { return &m }} }

type material struct {
	shared  []byte             // of v1; nil for an ed25519 key
	public  ed25519.PublicKey  // of v1a
	private ed25519.PrivateKey // of v1a; nil where only the public half is known
}

// The errors of keys; they hold no part of the key, which base64's own may.
var (
	errPrefix  = errors.New(`begins with none of "whsec_" (a shared secret), "whsk_" (a private ed25519 key) and "whpk_" (a public one); put the fitting one before base64 that came without`)
	errShared  = errors.New(`is not "whsec_" and the base64 of 24 to 64 bytes`)
	errPrivate = errors.New(`is not "whsk_" and the base64 of a private ed25519 key: its seed of 32 bytes, or that and the public key, 64 bytes`)
	errHalves  = errors.New(`is a "whsk_" key whose public half belongs to another private one`)
	errPublic  = errors.New(`is not "whpk_" and the base64 of a public ed25519 key of 32 bytes`)
)

// ParseKey reads the text form of a key: whsec_, whsk_ or whpk_ and base64 of
// either alphabet, padded or not.
func ParseKey(s secret.String) (Key, error) {
	prefix, text, _ := strings.Cut(s.Reveal(), "_")
	b, ok := debase64(text)
	switch prefix {
	case "whsec":
		if !ok || len(b) < minSecret || len(b) > maxSecret {
			return Key{}, errShared
		}
		return newKey(material{shared: b}), nil
	case "whpk":
		if !ok || len(b) != ed25519.PublicKeySize {
			return Key{}, errPublic
		}
		return newKey(material{public: b}), nil
	case "whsk":
		if !ok || len(b) != ed25519.SeedSize && len(b) != ed25519.PrivateKeySize {
			return Key{}, errPrivate
		}
		private := ed25519.NewKeyFromSeed(b[:ed25519.SeedSize])
		if len(b) == ed25519.PrivateKeySize && subtle.ConstantTimeCompare(private, b) != 1 {
			return Key{}, errHalves
		}
		return newKey(material{public: ed25519.PublicKey(private[ed25519.SeedSize:]), private: private}), nil
	}
	return Key{}, errPrefix
}

// ParseKeys reads a list of one to MaxKeys keys.
func ParseKeys(all []secret.String) ([]Key, error) {
	switch n := len(all); {
	case n == 0:
		return nil, errors.New("needs a key")
	case n > MaxKeys:
		return nil, fmt.Errorf("has more keys than can be valid at once (%d)", MaxKeys)
	}
	keys := make([]Key, len(all))
	for i, s := range all {
		var err error
		if keys[i], err = ParseKey(s); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// debase64 decodes strictly: no line breaks, no stray bits at the end.
func debase64(text string) ([]byte, bool) {
	enc := base64.StdEncoding
	if strings.ContainsAny(text, "-_") {
		enc = base64.URLEncoding
	}
	if !strings.HasSuffix(text, "=") {
		enc = enc.WithPadding(base64.NoPadding)
	}
	if strings.ContainsAny(text, "\r\n") { // the decoder would skip them
		return nil, false
	}
	b, err := enc.Strict().DecodeString(text)
	return b, err == nil
}

// CanSign reports whether the key makes signatures: a public one does not.
func (k Key) CanSign() bool { return k.m().shared != nil || k.m().private != nil }

func (k Key) version() string {
	if k.m().shared != nil {
		return v1
	}
	return v1a
}
