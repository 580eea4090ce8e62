package standardwebhooks

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"strings"
)

// MaxSignatures is how many signatures of known versions a list may have. Each
// one of ed25519 costs a pass over the body, for each key.
const MaxSignatures = MaxKeys

// Why a list of signatures was refused.
var (
	ErrMalformed = errors.New("the list of signatures is malformed")
	ErrTooMany   = errors.New("the list has more signatures than are looked at")
	ErrVersion   = errors.New("the list has no signature of a version that there is a key for")
	ErrMismatch  = errors.New("no signature is by any of the keys")
)

// signature is one element of the list, decoded.
type signature struct {
	version string
	bytes   []byte
}

// Verify returns the index of the key that made one of the signatures in list,
// the value of the signature header. Signatures of versions that no key has are
// ignored; shared secrets are compared in constant time.
func Verify(keys []Key, m Message, list string) (who int, err error) {
	signatures, err := parse(keys, list)
	if err != nil {
		return -1, err
	}
	who = -1
	for i, k := range keys {
		if k.m().shared == nil {
			continue
		}
		sum := k.mac(m)
		for _, s := range signatures {
			if s.version == v1 {
				who = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(sum, s.bytes), i, who)
			}
		}
	}
	if who < 0 {
		who = verifyPublic(keys, m, signatures)
	}
	if who < 0 {
		return -1, ErrMismatch
	}
	return who, nil
}

func verifyPublic(keys []Key, m Message, signatures []signature) (who int) {
	var text []byte
	for _, s := range signatures {
		if s.version != v1a {
			continue
		}
		if text == nil {
			text = m.text()
		}
		for i, k := range keys {
			if k.m().public != nil && ed25519.Verify(k.m().public, text, s.bytes) {
				return i
			}
		}
	}
	return -1
}

// parse returns the signatures of the versions that keys have. One that does
// not decode does not spoil the others.
func parse(keys []Key, list string) ([]signature, error) {
	var all []signature
	n := 0
	for element := range strings.SplitSeq(list, " ") {
		if element == "" {
			continue
		}
		version, text, ok := strings.Cut(element, ",")
		if !ok {
			return nil, ErrMalformed
		}
		if !has(keys, version) {
			continue
		}
		if n++; n > MaxSignatures {
			return nil, ErrTooMany
		}
		b, err := base64.StdEncoding.Strict().DecodeString(text)
		if err == nil && len(b) == size(version) && !strings.ContainsAny(text, "\r\n") {
			all = append(all, signature{version, b})
		}
	}
	switch {
	case n == 0:
		return nil, ErrVersion
	case len(all) == 0:
		return nil, ErrMalformed
	}
	return all, nil
}

func has(keys []Key, version string) bool {
	for _, k := range keys {
		if k.version() == version {
			return true
		}
	}
	return false
}

func size(version string) int {
	if version == v1 {
		return sha256.Size
	}
	return ed25519.SignatureSize
}
