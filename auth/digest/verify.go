package digest

import (
	"context"
	"crypto/subtle"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/authparam"
)

// credential is what Authorization says.
type credential struct {
	facts
	algorithm string
	response  string
	opaque    string
	count     uint32 // nc; 0 in the form of RFC 2069
}

// Verify computes the response for every password. A nonce is looked at only
// after a response was right: the sender then knows the password, and is told to
// go on with a fresh nonce where this one is too old (RFC 7616 section 3.3).
func (v *verifier) Verify(_ context.Context, r *auth.Request) (auth.Identity, error) {
	c, err := read(r)
	if err != nil {
		return auth.Identity{}, err
	}
	a, err := v.allowed(c)
	if err != nil {
		return auth.Identity{}, err
	}
	if !sameTarget(c.uri, r.Host, r.URL) {
		return auth.Identity{}, deny(auth.CodeTarget, "uri is not the path and query of the request")
	}
	if err := v.matches(a, c); err != nil {
		return auth.Identity{}, err
	}
	until, genuine, usable := v.nonces.check(c.nonce, r.Now)
	if !usable {
		return auth.Identity{}, v.stale(r.Now, genuine)
	}
	return auth.Identity{
		Method: name, Subject: "digest:" + v.username,
		Once: []auth.Once{{Key: "digest:" + c.nonce + ":" + strconv.FormatUint(uint64(c.count), 16), Until: until}},
	}, nil
}

func deny(code, why string) *auth.Denial {
	return &auth.Denial{Method: name, Code: code, Err: errors.New(why)}
}

func (v *verifier) stale(now time.Time, genuine bool) *auth.Denial {
	if !genuine {
		return deny(auth.CodeStale, "the nonce was not made here, or under a password that is gone")
	}
	d := deny(auth.CodeStale, "the nonce is too old, or from the future")
	d.Challenge = v.challenge(now, true)
	return d
}

// read parses the header and checks what needs no configuration.
func read(r *auth.Request) (*credential, error) {
	value, code := auth.OneHeader(r.Header, header)
	if code != "" {
		return nil, &auth.Denial{Method: name, Code: code, Asked: code == auth.CodeMissing}
	}
	c, err := parse(value)
	if err != nil {
		return nil, &auth.Denial{Method: name, Code: auth.CodeMalformed, Err: err}
	}
	c.method, c.body = r.Method, r.Body
	return c, nil
}

// parse reads RFC 7616 section 3.4. Values may be quoted or not, whatever the
// RFC says of each: senders differ.
func parse(value string) (*credential, error) {
	found, ps, err := authparam.Parse(value)
	if err != nil {
		return nil, err
	}
	if !strings.EqualFold(found, scheme) {
		return nil, errors.New("the scheme is not Digest")
	}
	if _, ok := ps.Get("username*"); ok {
		return nil, errors.New("username* is not supported: send username in UTF-8")
	}
	if hashed, _ := ps.Get("userhash"); hashed != "" && !strings.EqualFold(hashed, "false") {
		return nil, errors.New("userhash is not supported: send username as it is")
	}
	c := &credential{algorithm: "MD5"} // RFC 7616 section 3.4: where it is absent
	for _, f := range []struct {
		name     string
		into     *string
		required bool
	}{
		{"username", &c.username, true},
		{"realm", &c.realm, true},
		{"nonce", &c.nonce, true},
		{"uri", &c.uri, true},
		{"response", &c.response, true},
		{"opaque", &c.opaque, true},
		{"algorithm", &c.algorithm, false},
		{"qop", (*string)(&c.qop), false},
		{"nc", &c.nc, false},
		{"cnonce", &c.cnonce, false},
	} {
		got, ok := ps.Get(f.name)
		if !ok && f.required {
			return nil, errors.New(f.name + " is missing")
		}
		if ok {
			*f.into = got
		}
		if got == "" && ok && f.name != "opaque" {
			return nil, errors.New(f.name + " is empty")
		}
	}
	return c, c.checkCount()
}

// checkCount reads nc, which qop needs and which makes no sense without.
func (c *credential) checkCount() error {
	if c.qop == qopNone {
		if c.nc != "" || c.cnonce != "" {
			return errors.New("nc and cnonce need qop")
		}
		return nil
	}
	if c.cnonce == "" {
		return errors.New("qop needs cnonce")
	}
	n, err := strconv.ParseUint(c.nc, 16, 32)
	if err != nil || len(c.nc) != 8 || n == 0 {
		return errors.New("nc is not 8 hexadecimal digits and more than 0")
	}
	c.count = uint32(n)
	return nil
}

// allowed checks the algorithm and the qop against the challenge.
func (v *verifier) allowed(c *credential) (algorithm, error) {
	a, ok := find(v.offered, c.algorithm)
	if !ok {
		return a, deny(auth.CodeAlgorithm, "the algorithm was not offered")
	}
	c.qop = qop(strings.ToLower(string(c.qop)))
	switch {
	case c.qop == v.qop, v.qop == qopNone && c.qop == qopAuth:
	case c.qop == qopNone:
		return a, deny(auth.CodeAlgorithm, `the form of RFC 2069 (without qop) needs "qop": ""`)
	default:
		return a, deny(auth.CodeAlgorithm, "the qop was not offered")
	}
	if a.sess && c.qop == qopNone {
		return a, deny(auth.CodeAlgorithm, "an algorithm with -sess needs qop")
	}
	return a, nil
}

// matches compares everything, always, so that its time tells nothing of what
// is wrong.
func (v *verifier) matches(a algorithm, c *credential) error {
	_, user := v.user.Find(c.username)
	_, realm := v.realms.Find(c.realm)
	opaque := subtle.ConstantTimeCompare([]byte(v.opaque), []byte(c.opaque))
	response := 0
	for _, p := range v.passwords {
		response |= subtle.ConstantTimeCompare([]byte(a.response(&c.facts, p.Reveal())), []byte(c.response))
	}
	switch {
	case !user:
		return deny(auth.CodeMismatch, "another username")
	case !realm:
		return deny(auth.CodeMismatch, "another realm")
	case opaque == 0:
		return deny(auth.CodeMismatch, "opaque is not that of the challenge")
	case response == 0:
		return auth.Deny(name, auth.CodeSignatureMismatch)
	}
	return nil
}
