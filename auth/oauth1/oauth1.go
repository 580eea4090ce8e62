// Package oauth1 is the signature of OAuth 1.0, RFC 5849.
package oauth1

import (
	"crypto/rsa"
	"errors"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/secret"
)

const (
	name   = "oauth1"
	header = "Authorization"
	scheme = "OAuth"
)

// Method is the declaration.
func Method() auth.Method {
	return auth.Define(auth.Definition[options]{
		Name:    name,
		Title:   "OAuth 1.0",
		Summary: "The sender signs the method, the URL and its parameters (RFC 5849).",
		Doc: "The signature covers the scheme, host, port, path and query of the URL as the sender sees it: behind a proxy that changes " +
			"any of them, set `url`. It covers a form body; any other body only where the sender adds `oauth_body_hash`, " +
			"which `require_body_hash` insists on. The parameters may stand in `Authorization`, in the query or in a form body, in one place only.\n\n" +
			"`consumer_secret` and `public_key` may be lists while they are being replaced. `PLAINTEXT` sends the secrets as they are " +
			"and is taken over TLS only: ended here, or at a trusted proxy that sets `X-Forwarded-Proto`.",
		New: func(_ auth.Env, o *options) (auth.Verifier, error) { return newVerifier(o) },
	})
}

type verifier struct {
	consumerKey string
	consumer    auth.Tokens
	token       string
	tokens      auth.Tokens // empty: any token
	method      method
	keys        []secret.String // consumer and token secret, joined; one per consumer secret
	plain       auth.Tokens     // the same, for PLAINTEXT
	public      []*rsa.PublicKey
	base        base
	checkTime   bool
	window      time.Duration
	checkNonce  bool
	needHash    bool
	pathOnly    bool
}

var (
	_ auth.Signer     = (*verifier)(nil)
	_ auth.Challenger = (*verifier)(nil)
	_ auth.Sourced    = (*verifier)(nil)
)

func newVerifier(o *options) (*verifier, error) {
	if err := o.complete(); err != nil {
		return nil, errors.New("oauth1: " + err.Error())
	}
	public, err := publicKeys(o.publicKeys)
	if err != nil {
		return nil, errors.New("oauth1: public_key " + err.Error())
	}
	v := &verifier{
		consumerKey: o.consumerKey, consumer: auth.NewTokens(false, secret.New(o.consumerKey)),
		token: o.token, method: o.method, public: public, base: baseOf(&o.url),
		checkTime: o.verifyTimestamp, window: o.window, checkNonce: o.verifyNonce,
		needHash: o.requireBodyHash, pathOnly: o.pathOnly,
	}
	if o.token != "" {
		v.tokens = auth.NewTokens(false, secret.New(o.token))
	}
	for _, s := range o.consumerSecrets { // RFC 5849 section 3.4.2
		v.keys = append(v.keys, secret.New(escape(s.Reveal())+"&"+escape(o.tokenSecret.Reveal())))
	}
	v.plain = auth.NewTokens(false, v.keys...)
	return v, nil
}

// Cost is that of the body: parameters may be in it, and so may what is signed.
func (v *verifier) Cost() auth.Cost { return auth.CostBody }

// Challenge is that of RFC 5849 section 3.5.1.
func (v *verifier) Challenge(*auth.Request) string { return scheme + ` realm="Webhook API"` }

// CredentialHeaders is the header.
func (v *verifier) CredentialHeaders() []string { return []string{header} }

// CredentialParams are those that may travel in the query.
func (v *verifier) CredentialParams() []string {
	return []string{
		"oauth_body_hash", "oauth_callback", "oauth_consumer_key", "oauth_nonce", "oauth_signature", "oauth_signature_method",
		"oauth_timestamp", "oauth_token", "oauth_verifier", "oauth_version",
	}
}
