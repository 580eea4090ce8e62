// Package oauth2 checks an OAuth 2.0 access token (RFC 6750): by asking the
// authorization server (RFC 7662), or by the signature of a JWT.
package oauth2

import (
	"cmp"
	"context"
	"errors"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/jose"
)

const name = "oauth2"

// Method is the declaration.
func Method() auth.Method {
	return auth.Define(auth.Definition[options]{
		Name:    name,
		Title:   "OAuth 2.0 access token",
		Summary: "The sender sends an access token, which the authorization server vouches for (RFC 6750, RFC 7662).",
		Doc: "Set `introspection_endpoint` to ask the server about each token, or a key (`jwt_secret`, `public_key` or `jwks_url`) to check the token's own signature. " +
			"With both, the endpoint is asked; with `validate_token: false` the key decides.\n\n" +
			"Of a token that the server calls active, `exp`, `nbf`, `aud` and `iss` are checked too. A good answer is kept for `cache_ttl`, a bad one for 10s.\n\n" +
			"An endpoint with a private address needs a line in `egress.allow`.",
		New: func(env auth.Env, o *options) (auth.Verifier, error) { return newVerifier(env, o) },
	})
}

// verifier has one of tokens and server, or neither: then any token passes.
type verifier struct {
	place  jose.Place
	tokens *jose.Verifier
	server *server
}

func newVerifier(env auth.Env, o *options) (*verifier, error) {
	v := &verifier{place: jose.Place{Header: "Authorization", Scheme: cmp.Or(o.tokenType, defaultType)}}
	var err error
	switch {
	case o.introspects() && (o.validate || !o.hasKey()):
		v.server, err = newServer(env, o)
	case o.hasKey():
		v.tokens, err = newTokens(env, o)
	case o.open():
		err = o.untested()
	default:
		err = errors.New("needs introspection_endpoint, or a key: jwt_secret, public_key or jwks_url")
	}
	if err != nil {
		return nil, errors.New(name + ": " + err.Error())
	}
	return v, nil
}

// untested refuses rules that nothing would look at.
func (o *options) untested() error {
	if len(o.rules.Scopes)+len(o.rules.Issuers)+len(o.rules.Audiences) > 0 {
		return errors.New("required_scope, issuer and audience need introspection_endpoint, or a key: jwt_secret, public_key or jwks_url")
	}
	return nil
}

func newTokens(env auth.Env, o *options) (*jose.Verifier, error) {
	if len(o.algorithms) == 0 {
		o.algorithms = defaultAlgorithms
	}
	algs, err := algorithms(o.algorithms)
	if err != nil {
		return nil, errors.New("jwt_algorithms " + err.Error())
	}
	return jose.New(env, jose.Config{
		Method: name, Algorithms: algs, Narrow: true,
		Secrets: o.secrets, PublicKeys: o.publicKeys, JWKS: o.jwks.String(), Rules: o.rules,
	})
}

// Verify checks the token.
func (v *verifier) Verify(ctx context.Context, r *auth.Request) (auth.Identity, error) {
	token, code := v.place.Token(r.Header)
	if code != "" {
		return auth.Identity{}, auth.Deny(name, code)
	}
	switch {
	case v.server != nil:
		return v.server.verify(ctx, token, r.Now)
	case v.tokens != nil:
		claims, err := v.tokens.Verify(ctx, token, r.Now)
		if err != nil {
			return auth.Identity{}, err
		}
		return v.tokens.Identity(claims), nil
	}
	return auth.Identity{Method: name, Subject: name}, nil
}

// Cost is that of asking a server, or of a header.
func (v *verifier) Cost() auth.Cost {
	if v.server != nil || v.tokens != nil && v.tokens.Remote() {
		return auth.CostRemote
	}
	return auth.CostHeader
}

// Challenge is that of RFC 6750 section 3.
func (v *verifier) Challenge(*auth.Request) string { return v.place.Challenge() }

// Sign makes a JWT, where there is a shared secret to sign with.
func (v *verifier) Sign(_ context.Context, r *auth.Request) error {
	if v.server != nil {
		return errors.New(name + ": only the authorization server can issue a token that it vouches for")
	}
	token := "hookd-test"
	if v.tokens != nil {
		var err error
		if token, err = v.tokens.Mint(r.Now, nil); err != nil {
			return errors.New(name + ": a public key can only verify: the issuer has to make the token")
		}
	}
	v.place.Set(r, token)
	return nil
}

// CredentialHeaders is the header.
func (v *verifier) CredentialHeaders() []string { return []string{v.place.Header} }

// CredentialParams is empty.
func (v *verifier) CredentialParams() []string { return nil }
