package digest

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"sync"
	"time"
)

// A nonce is a time, random bytes, and a signature over both; 42 bytes make 56
// characters of base64 with no bit to spare.
const (
	timeSize   = 8
	randomSize = 14
	macSize    = 20
	nonceSize  = timeSize + randomSize + macSize
)

// maxAhead is how far the clock of the instance that made a nonce may be ahead.
const maxAhead = time.Minute

// keyRounds makes a guess at the password cost what the OWASP Password Storage
// Cheat Sheet asks of PBKDF2-HMAC-SHA256. Strangers get nonces.
const keyRounds = 600_000

// nonces makes and knows nonces. It keeps nothing: any instance with the same
// name, realm and password knows them, before and after a restart.
type nonces struct {
	keys     []func() []byte // one per password; each is made when first needed
	lifetime time.Duration
}

func newNonces(o *options, rounds int) *nonces {
	n := &nonces{lifetime: o.lifetime}
	salt := sha256.Sum256([]byte("hookd digest nonce v1\x00" + o.username + "\x00" + o.realm))
	for _, p := range o.passwords {
		n.keys = append(n.keys, sync.OnceValue(func() []byte {
			key, err := pbkdf2.Key(sha256.New, p.Reveal(), salt[:], rounds, sha256.Size)
			if err != nil {
				panic(err) // fails for lengths and FIPS limits only, and these are constant
			}
			return key
		}))
	}
	return n
}

// fresh is a nonce under the first password.
func (n *nonces) fresh(now time.Time) string {
	var b [nonceSize]byte
	binary.BigEndian.PutUint64(b[:], uint64(now.Unix()))
	_, _ = rand.Read(b[timeSize : timeSize+randomSize]) // never fails since Go 1.24
	copy(b[timeSize+randomSize:], sign(n.keys[0](), b[:]))
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// check reports whether the nonce was made here, and whether it may still be
// used. until is when it no longer may.
func (n *nonces) check(nonce string, now time.Time) (until time.Time, genuine, usable bool) {
	var b [nonceSize]byte
	if len(nonce) != base64.RawURLEncoding.EncodedLen(nonceSize) {
		return time.Time{}, false, false
	}
	if _, err := base64.RawURLEncoding.Strict().Decode(b[:], []byte(nonce)); err != nil {
		return time.Time{}, false, false
	}
	for _, key := range n.keys {
		if hmac.Equal(sign(key(), b[:]), b[timeSize+randomSize:]) {
			genuine = true
		}
	}
	if !genuine {
		return time.Time{}, false, false
	}
	issued := time.Unix(int64(binary.BigEndian.Uint64(b[:])), 0)
	until = issued.Add(n.lifetime)
	return until, true, !now.After(until) && !now.Add(maxAhead).Before(issued)
}

// sign signs the time and the random bytes.
func sign(key, nonce []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(nonce[:timeSize+randomSize])
	return h.Sum(nil)[:macSize]
}

// opaqueOf is what the sender has to send back as it is. It says only that the
// challenge was this realm's: all that matters is in the nonce.
func opaqueOf(realm string) string {
	sum := sha256.Sum256([]byte("hookd digest opaque v1\x00" + realm))
	return base64.RawURLEncoding.EncodeToString(sum[:15])
}
