package presets

import (
	"crypto/rand"
	"encoding/hex"

	"github.com/hookd/hookd/auth/internal/scheme"
)

// FreshSecret is a new secret of the form that the sender's have, for trying
// out: what test-send signs with where no sender has given one. Of a key pair it
// is the private key. It is "" where a hook has no secret.
func (p *Preset) FreshSecret() (string, error) {
	switch {
	case p.Fresh != nil:
		return p.Fresh()
	case p.Unsigned || p.NoSecret:
		return "", nil
	case len(p.Verify) > 0:
		return scheme.Fresh(&p.Verify[0])
	}
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return hex.EncodeToString(b[:]), nil
}

// SecretNote says in a sentence what the secret is, where it is no shared text;
// "" where it is.
func (p *Preset) SecretNote() string {
	if len(p.Verify) == 0 {
		return ""
	}
	switch p.Verify[0].Kind {
	case scheme.Basic:
		return "`secret` is `user:password`."
	case scheme.Ed25519, scheme.ECDSA, scheme.RSA:
		return "`secret` is the sender's public key. `hookd test-send` needs a private one: a hook for tests can have that, and then takes what it signs."
	case scheme.HMAC, scheme.Digest, scheme.Token:
	}
	return ""
}
