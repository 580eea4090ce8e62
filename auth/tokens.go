package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"strings"
	"unicode/utf8"

	"github.com/hookd/hookd/internal/secret"
)

// Tokens are secrets that travel as they are: passwords, API keys, bearer
// tokens. More than one is accepted while they are being rotated. Only digests
// are kept. It is immutable and safe for concurrent use.
type Tokens struct {
	sums [][sha256.Size]byte
	fold bool
}

// NewTokens takes the accepted secrets. With fold, letters are compared without
// regard to case.
func NewTokens(fold bool, accepted ...secret.String) Tokens {
	t := Tokens{fold: fold}
	for _, s := range accepted {
		t.sums = append(t.sums, t.sum(s.Reveal()))
	}
	return t
}

// Find returns the index of the secret that got is equal to. Its time depends
// on the length of got only: digests are compared, and all of them.
func (t Tokens) Find(got string) (int, bool) {
	sum := t.sum(got)
	found := -1
	for i := range t.sums {
		same := subtle.ConstantTimeCompare(t.sums[i][:], sum[:])
		found = subtle.ConstantTimeSelect(same, i, found)
	}
	return found, found >= 0
}

func (t Tokens) sum(s string) [sha256.Size]byte {
	if t.fold && utf8.ValidString(s) { // ToLower would make all bad bytes alike
		s = strings.ToLower(s)
	}
	return sha256.Sum256([]byte(s))
}

// Empty reports whether nothing is accepted.
func (t Tokens) Empty() bool { return len(t.sums) == 0 }
