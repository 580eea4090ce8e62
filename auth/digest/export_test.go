package digest

import (
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/hookd/hookd/auth"
)

// Quick is Method with a key that is made fast: the suite makes hundreds.
func Quick() auth.Method { return method(1) }

// Response exposes the computation to vectors with other servers' nonces.
func Response(algorithm, username, realm, password, method, uri, nonce, nc, cnonce, withQop, body string) string {
	a, ok := find(algorithms(), algorithm)
	if !ok {
		panic(algorithm)
	}
	return a.response(&facts{username, realm, method, uri, nonce, qop(withQop), nc, cnonce, []byte(body)}, password)
}

// Parse reads a header and returns what it says.
func Parse(value string) (fields map[string]string, err error) {
	c, err := parse(value)
	if err != nil {
		return nil, err
	}
	return map[string]string{
		"username": c.username, "realm": c.realm, "nonce": c.nonce, "uri": c.uri, "response": c.response, "opaque": c.opaque,
		"algorithm": c.algorithm, "qop": string(c.qop), "nc": c.nc, "cnonce": c.cnonce,
	}, nil
}

// SameTarget compares uri with a request.
var SameTarget = sameTarget

// FixedNonce is a good nonce that is always the same: fuzzing runs in several
// processes.
func FixedNonce(v auth.Verifier, now time.Time) string {
	n := v.(*verifier).nonces
	var b [nonceSize]byte
	binary.BigEndian.PutUint64(b[:], uint64(now.Unix()))
	copy(b[timeSize+randomSize:], sign(n.keys[0](), b[:]))
	return base64.RawURLEncoding.EncodeToString(b[:])
}
