package presets

import (
	"crypto/hmac"
	"hash"
	"strconv"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/secret"
)

// codePresets are the senders that need code, and those whose body the engine
// had to learn: items that are signed one by one, a form in PHP's notation.
func codePresets() []*Preset {
	return []*Preset{adyen(), contentfulPreset(), msgraph(), paddleClassic(), paypalPreset(), twilioPreset()}
}

// signers find out which secret made a keyed hash. They are safe for concurrent
// use.
type signers struct {
	name    string // of the preset
	secrets []secret.String
}

// find compares the signature with that of each secret over each of the texts,
// and never stops early.
func (s *signers) find(h func() hash.Hash, got []byte, texts ...string) (auth.Identity, error) {
	who := -1
	for i := range s.secrets {
		for _, text := range texts {
			if hmac.Equal(s.sum(h, i, text), got) {
				who = i
			}
		}
	}
	if who < 0 {
		return auth.Identity{}, s.deny(auth.CodeSignatureMismatch, nil)
	}
	return auth.Identity{Method: s.name, Subject: s.name + ":" + strconv.Itoa(who)}, nil
}

// sum is the keyed hash with the secret that has the index.
func (s *signers) sum(h func() hash.Hash, index int, text string) []byte {
	m := hmac.New(h, []byte(s.secrets[index].Reveal()))
	_, _ = m.Write([]byte(text))
	return m.Sum(nil)
}

func (s *signers) deny(code string, err error) *auth.Denial {
	return &auth.Denial{Method: s.name, Code: code, Err: err}
}
