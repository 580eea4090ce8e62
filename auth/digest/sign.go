package digest

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/authparam"
)

// offer is what a challenge says.
type offer struct {
	algorithm            algorithm
	realm, nonce, opaque string
	hasOpaque            bool
	qop                  qop
}

// Sign answers a nonce of its own making: who has the password can make one.
func (v *verifier) Sign(_ context.Context, r *auth.Request) error {
	o := offer{algorithm: v.offered[0], realm: v.realm, nonce: v.nonces.fresh(r.Now), opaque: v.opaque, hasOpaque: true, qop: cmp.Or(v.qop, qopAuth)}
	v.answer(r, &o)
	return nil
}

// SignChallenge answers the strongest of the challenges whose algorithm and qop
// are configured, as the first request with its nonce.
func (v *verifier) SignChallenge(_ context.Context, r *auth.Request, challenges []string) error {
	all, err := authparam.ParseChallenges(challenges)
	if err != nil {
		return fmt.Errorf("digest_auth: WWW-Authenticate cannot be read: %w", err)
	}
	var best *offer
	var why []error
	for _, c := range all {
		if !strings.EqualFold(c.Scheme, scheme) {
			continue
		}
		o, err := v.consider(c.Params)
		if err != nil {
			why = append(why, err)
		} else if best == nil || v.rank(o) < v.rank(best) {
			best = o
		}
	}
	switch {
	case best != nil:
		v.answer(r, best)
		return nil
	case len(why) == 0:
		return errors.New("digest_auth: WWW-Authenticate has no Digest challenge")
	}
	return fmt.Errorf("digest_auth: no challenge can be answered: %w", errors.Join(why...))
}

// rank is the place among the algorithms: 0 is the strongest.
func (v *verifier) rank(o *offer) int {
	for i, a := range v.offered {
		if a.name == o.algorithm.name {
			return i
		}
	}
	return len(v.offered)
}

// consider reads one challenge. What is weaker than the configuration is not
// answered: anybody can write a challenge.
func (v *verifier) consider(ps authparam.Params) (*offer, error) {
	o := &offer{qop: cmp.Or(v.qop, qopAuth)}
	o.realm, _ = ps.Get("realm")
	o.nonce, _ = ps.Get("nonce")
	o.opaque, o.hasOpaque = ps.Get("opaque")
	if o.nonce == "" {
		return nil, errors.New("no nonce")
	}
	wanted, ok := ps.Get("algorithm")
	if !ok {
		wanted = "MD5"
	}
	if o.algorithm, ok = find(v.offered, wanted); !ok {
		return nil, fmt.Errorf("algorithm %.40q is not configured", wanted)
	}
	offered, ok := ps.Get("qop")
	switch {
	case !ok && v.qop == qopNone && !o.algorithm.sess:
		o.qop = qopNone
	case !ok:
		return nil, errors.New("no qop")
	case !hasToken(offered, string(o.qop)):
		return nil, fmt.Errorf("qop %.40q does not hold %s", offered, o.qop)
	}
	return o, nil
}

// hasToken looks for a token in a list with commas.
func hasToken(list, token string) bool {
	for t := range strings.SplitSeq(list, ",") {
		if strings.EqualFold(strings.Trim(t, " \t"), token) {
			return true
		}
	}
	return false
}

// answer writes the header with the first password, a count of 1, and a random
// cnonce.
func (v *verifier) answer(r *auth.Request, o *offer) {
	f := facts{username: v.username, realm: o.realm, method: r.Method, uri: target(r.URL), nonce: o.nonce, qop: o.qop, body: r.Body}
	if f.qop != qopNone {
		var b [18]byte
		_, _ = rand.Read(b[:]) // never fails since Go 1.24
		f.nc, f.cnonce = "00000001", base64.RawURLEncoding.EncodeToString(b[:])
	}
	q := authparam.Quote
	text := scheme + " username=" + q(f.username) + ", realm=" + q(f.realm) + ", nonce=" + q(f.nonce) + ", uri=" + q(f.uri) +
		", algorithm=" + o.algorithm.name
	if f.qop != qopNone {
		text += ", qop=" + string(f.qop) + ", nc=" + f.nc + ", cnonce=" + q(f.cnonce)
	}
	if o.hasOpaque {
		text += ", opaque=" + q(o.opaque)
	}
	text += ", response=" + q(o.algorithm.response(&f, v.passwords[0].Reveal()))
	if r.Header == nil {
		r.Header = make(http.Header)
	}
	r.Header.Set(header, text)
}
