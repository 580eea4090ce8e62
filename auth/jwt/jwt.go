// Package jwt checks a signed JSON Web Token (RFC 7519) that the sender sends
// as a bearer token.
package jwt

import (
	"context"
	"errors"
	"net/textproto"
	"net/url"
	"strings"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/jose"
	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/spec"
)

const name = "jwt"

// Method is the declaration.
func Method() auth.Method {
	return auth.Define(auth.Definition[options]{
		Name:    name,
		Title:   "JSON Web Token",
		Summary: "The sender sends a token that its issuer has signed (RFC 7519, RFC 6750).",
		Doc: "Give one source of keys: `secret` for HS algorithms, `public_key` for the others, or `jwks_url` where the issuer publishes its keys. " +
			"`secret` may also hold a public key or a certificate in PEM, as in the original service. Each of them may be a list while a key is being replaced.\n\n" +
			"The algorithm is the configured one, whatever the token says; `none` does not exist. A certificate is used as a key: its dates and issuer are not looked at.\n\n" +
			"The token says nothing about the body: whoever has one can send anything until it expires. A token without `exp` never does; set `require_exp`. " +
			"With `once`, each token is good for a single request.",
		New: func(env auth.Env, o *options) (auth.Verifier, error) { return newVerifier(env, o) },
	})
}

type options struct {
	secrets    []secret.String
	publicKeys []string
	jwks       url.URL
	algorithm  jose.Algorithm
	rules      jose.Rules
	header     string
	signingKey secret.String
}

// Fields describes the options.
func (o *options) Fields() spec.Fields {
	return spec.Fields{
		spec.Secrets(&o.secrets, "secret").Check(checkSecrets).
			Doc("The shared secret, used as text, or a public key in PEM; or a list of them while one is being replaced."),
		spec.Strings(&o.publicKeys, "public_key").Doc("The issuer's public key or certificate in PEM, or a list of them."),
		spec.URL(&o.jwks, "jwks_url").Check(jose.CheckKeysURL).
			Doc("Where the issuer publishes its keys (RFC 7517). They are kept as long as the answer says, and fetched again when a token names a new one."),
		spec.Enum(&o.algorithm, "algorithm", jose.Algorithms()...).Default(defaultAlgorithm).
			Doc("The only algorithm that is taken. HS256 needs a shared secret; for a public key, name the one that the issuer signs with."),
		spec.Strings(&o.rules.Issuers, "issuer").Check(jose.CheckTexts).Doc("What `iss` must be, or a list of which it must be one."),
		spec.Strings(&o.rules.Audiences, "audience").Check(jose.CheckTexts).
			Doc("What `aud` must name, or a list of which it must name one. Without it, any `aud` passes, as does none."),
		spec.Strings(&o.rules.Scopes, "scopes").Check(jose.CheckTexts).
			Doc("Scopes that `scope` or `scp` must have, all of them, as a list or separated by blanks; else the answer is 403."),
		spec.Bool(&o.rules.VerifyExpiry, "verify_exp").Default(true).Doc("Refuse a token from its `exp` on."),
		spec.Bool(&o.rules.RequireExpiry, "require_exp").Default(false).Doc("Refuse a token without `exp`."),
		spec.Duration(&o.rules.Leeway, "leeway").Range(0, jose.MaxLeeway.Seconds()).Doc("How far the issuer's clock may be off, at most 5m."),
		spec.Duration(&o.rules.MaxAge, "max_age").Doc("How old `iat` may be, which must be there then."),
		spec.Bool(&o.rules.Once, "once").Default(false).Doc("Take each token once only; it needs `jti` and `exp`."),
		spec.String(&o.header, "header").Default(defaultHeader).Check(checkHeader).Advanced().
			Doc("The header with the token. In another one than Authorization it stands alone, or behind `Bearer`."),
		spec.Secret(&o.signingKey, "signing_key").Advanced().
			Doc("The private key in PEM that `hookd test-send` signs with, for public keys. Leave it out where hookd only receives."),
	}
}

const defaultAlgorithm jose.Algorithm = "HS256"

const defaultHeader = "Authorization"

// Validate checks what spans fields.
func (o *options) Validate() []spec.Issue {
	if err := o.rules.Validate(); err != nil {
		return []spec.Issue{{Message: err.Error()}}
	}
	return nil
}

func checkSecrets(ss []secret.String) error {
	for _, s := range ss {
		if strings.TrimSpace(s.Reveal()) == "" {
			return errors.New("must not be blank")
		}
	}
	return nil
}

func checkHeader(s string) error {
	if s == "" || strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c) }) {
		return errors.New("is no header name")
	}
	return nil
}

type verifier struct {
	tokens *jose.Verifier
	place  jose.Place
}

func newVerifier(env auth.Env, o *options) (*verifier, error) {
	if o.algorithm == "" {
		o.algorithm = defaultAlgorithm
	}
	if o.header == "" {
		o.header = defaultHeader
	}
	tokens, err := jose.New(env, jose.Config{
		Method: name, Algorithms: []jose.Algorithm{o.algorithm},
		Secrets: o.secrets, PublicKeys: o.publicKeys, JWKS: o.jwks.String(), SigningKey: o.signingKey, Rules: o.rules,
	})
	if err != nil {
		return nil, errors.New(name + ": " + err.Error())
	}
	return &verifier{tokens, jose.Place{Header: textproto.CanonicalMIMEHeaderKey(o.header), Scheme: "Bearer"}}, nil
}

// Verify checks the token.
func (v *verifier) Verify(ctx context.Context, r *auth.Request) (auth.Identity, error) {
	token, code := v.place.Token(r.Header)
	if code != "" {
		return auth.Identity{}, auth.Deny(name, code)
	}
	claims, err := v.tokens.Verify(ctx, token, r.Now)
	if err != nil {
		return auth.Identity{}, err
	}
	return v.tokens.Identity(claims), nil
}

// Cost is that of a header, or of asking for the keys.
func (v *verifier) Cost() auth.Cost {
	if v.tokens.Remote() {
		return auth.CostRemote
	}
	return auth.CostHeader
}

// Challenge is that of RFC 6750 section 3.
func (v *verifier) Challenge(*auth.Request) string { return v.place.Challenge() }

// Sign makes a token, where there is a key to sign with.
func (v *verifier) Sign(_ context.Context, r *auth.Request) error {
	token, err := v.tokens.Mint(r.Now, nil)
	if err != nil {
		return errors.New(name + ": " + err.Error())
	}
	v.place.Set(r, token)
	return nil
}

// CredentialHeaders is the header.
func (v *verifier) CredentialHeaders() []string { return []string{v.place.Header} }

// CredentialParams is empty.
func (v *verifier) CredentialParams() []string { return nil }
