// Package digest is HTTP Digest authentication, RFC 7616.
package digest

import (
	"errors"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/authparam"
	"github.com/hookd/hookd/internal/secret"
)

const (
	name   = "digest_auth"
	header = "Authorization"
	scheme = "Digest"
)

// Method is the declaration.
func Method() auth.Method { return method(keyRounds) }

func method(rounds int) auth.Method {
	return auth.Define(auth.Definition[options]{
		Name:    name,
		Title:   "Digest",
		Summary: "The sender proves that it knows a password without sending it (RFC 7616).",
		Doc: "The sender is given a nonce with the first 401 and answers with a hash over it, the password, the method and the URL. " +
			"Nonces are signed instead of stored, so that they hold across restarts and on every instance; each counts once per `nc`, " +
			"and the same request never passes twice. When one is too old, the sender gets a fresh one with `stale=true` and goes on by itself.\n\n" +
			"Unless `qop` is `auth-int` the body is not covered: use TLS. The key that signs nonces is made from the password, slowly, " +
			"but anybody can ask for a nonce and then try passwords on it: choose a long random one. " +
			"`password` may be a list while it is being replaced. `userhash` and `username*` are not supported.",
		New: func(_ auth.Env, o *options) (auth.Verifier, error) { return newVerifier(o, rounds) },
	})
}

type verifier struct {
	username  string
	user      auth.Tokens
	realm     string
	realms    auth.Tokens
	opaque    string
	passwords []secret.String
	offered   []algorithm // strongest first
	qop       qop
	nonces    *nonces
}

var (
	_ auth.Signer     = (*verifier)(nil)
	_ auth.Challenged = (*verifier)(nil)
	_ auth.Challenger = (*verifier)(nil)
	_ auth.Sourced    = (*verifier)(nil)
)

func newVerifier(o *options, rounds int) (*verifier, error) {
	if err := o.complete(); err != nil {
		return nil, errors.New("digest_auth: " + err.Error())
	}
	offered, err := o.offered()
	if err != nil {
		return nil, errors.New("digest_auth: " + err.Error())
	}
	return &verifier{
		username: o.username, user: auth.NewTokens(false, secret.New(o.username)),
		realm: o.realm, realms: auth.NewTokens(false, secret.New(o.realm)),
		opaque:    opaqueOf(o.realm),
		passwords: o.passwords,
		offered:   offered,
		qop:       o.qop,
		nonces:    newNonces(o, rounds),
	}, nil
}

// Cost is that of a header, or of the body where the proof covers it.
func (v *verifier) Cost() auth.Cost {
	if v.qop == qopAuthInt {
		return auth.CostBody
	}
	return auth.CostHeader
}

// Challenge offers every algorithm with a fresh nonce.
func (v *verifier) Challenge(r *auth.Request) string { return v.challenge(r.Now, false) }

// challenge has one challenge per algorithm, strongest first (RFC 7616 section
// 3.7). They share a nonce: curl and Python read several challenges in one field
// as one, in which the last value of each parameter counts.
func (v *verifier) challenge(now time.Time, stale bool) string {
	nonce := v.nonces.fresh(now)
	offer := string(v.qop)
	if v.qop == qopNone { // older senders may ignore the offer, see options.qop
		offer = string(qopAuth)
	}
	text := ""
	for i, a := range v.offered {
		if i > 0 {
			text += ", "
		}
		text += scheme + " realm=" + authparam.Quote(v.realm) + `, qop="` + offer + `", algorithm=` + a.name +
			`, nonce="` + nonce + `", opaque="` + v.opaque + `", charset=UTF-8`
		if stale {
			text += ", stale=true"
		}
	}
	return text
}

// CredentialHeaders is the header.
func (v *verifier) CredentialHeaders() []string { return []string{header} }

// CredentialParams is empty.
func (v *verifier) CredentialParams() []string { return nil }
