package digest

import (
	"crypto/md5" //nolint:gosec // RFC 7616 section 3.2; senders older than it know nothing else
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"slices"
	"strings"
)

// algorithm is one of RFC 7616 section 3.2. A session's (-sess) mixes the nonces
// into the hash of the password.
type algorithm struct {
	name string
	new  func() hash.Hash
	sess bool
}

// algorithms are all, strongest first.
func algorithms() []algorithm {
	return []algorithm{
		{"SHA-512-256", sha512.New512_256, false},
		{"SHA-512-256-sess", sha512.New512_256, true},
		{"SHA-256", sha256.New, false},
		{"SHA-256-sess", sha256.New, true},
		{"MD5", md5.New, false},
		{"MD5-sess", md5.New, true},
	}
}

func names() []string {
	var all []string
	for _, a := range algorithms() {
		all = append(all, a.name)
	}
	return all
}

// byName finds algorithms by their names in any case, and sorts them strongest
// first.
func byName(wanted []string) ([]algorithm, error) {
	if len(wanted) == 0 {
		return nil, errors.New("is empty")
	}
	var found []algorithm
	for _, a := range algorithms() {
		n := 0
		for _, w := range wanted {
			if strings.EqualFold(w, a.name) {
				n++
			}
		}
		if n > 1 {
			return nil, errors.New("has " + a.name + " twice")
		}
		if n == 1 {
			found = append(found, a)
		}
	}
	if len(found) != len(wanted) {
		return nil, errors.New("may hold " + strings.Join(names(), ", ") + " only")
	}
	return found, nil
}

// find returns the algorithm of that name, in any case.
func find(as []algorithm, name string) (algorithm, bool) {
	i := slices.IndexFunc(as, func(a algorithm) bool { return strings.EqualFold(a.name, name) })
	if i < 0 {
		return algorithm{}, false
	}
	return as[i], true
}

// facts are what a response is computed over, besides the password.
type facts struct {
	username, realm, method, uri, nonce string
	qop                                 qop // none is the form of RFC 2069
	nc, cnonce                          string
	body                                []byte // for auth-int
}

// response is RFC 7616 section 3.4.1: 32 or 64 lower-case hexadecimal digits.
func (a algorithm) response(f *facts, password string) string {
	secret := a.hash(f.username, f.realm, password)
	if a.sess {
		secret = a.hash(secret, f.nonce, f.cnonce)
	}
	request := []string{f.method, f.uri}
	if f.qop == qopAuthInt {
		request = append(request, a.hash(string(f.body)))
	}
	if f.qop == qopNone {
		return a.hash(secret, f.nonce, a.hash(request...))
	}
	return a.hash(secret, f.nonce, f.nc, f.cnonce, string(f.qop), a.hash(request...))
}

// hash is the hexadecimal hash of the parts with colons between them.
func (a algorithm) hash(parts ...string) string {
	h := a.new()
	for i, p := range parts {
		if i > 0 {
			_, _ = io.WriteString(h, ":")
		}
		_, _ = io.WriteString(h, p)
	}
	return hex.EncodeToString(h.Sum(nil))
}
