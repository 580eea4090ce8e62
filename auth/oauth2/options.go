package oauth2

import (
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hookd/hookd/auth/internal/jose"
	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/spec"
)

type options struct {
	tokenType  string
	endpoint   url.URL
	clientID   string
	clientKey  secret.String
	cacheFor   time.Duration
	validate   bool
	written    bool // validate_token is in the file
	secrets    []secret.String
	publicKeys []string
	jwks       url.URL
	algorithms []string
	rules      jose.Rules
}

// Fields describes the options.
func (o *options) Fields() spec.Fields {
	return spec.Fields{
		spec.URL(&o.endpoint, "introspection_endpoint").Check(checkEndpoint).
			Doc("Where the authorization server tells whether a token is good (RFC 7662). It is asked within 5s; when it cannot be, the sender is told 503."),
		spec.String(&o.clientID, "client_id").Doc("The name that hookd has at the endpoint."),
		spec.Secret(&o.clientKey, "client_secret").Doc("The password that goes with it."),
		spec.Duration(&o.cacheFor, "cache_ttl").Default(defaultCache).Range(0, time.Hour.Seconds()).
			Doc("How long a good token is not asked about again; a revoked one passes as long. 0 asks every time."),
		spec.Secrets(&o.secrets, "jwt_secret").
			Doc("Check the token as a JWT with this shared secret, or public key in PEM, instead of asking; or a list of them."),
		spec.Strings(&o.publicKeys, "public_key").Doc("Check it with this public key or certificate in PEM, or a list of them."),
		spec.URL(&o.jwks, "jwks_url").Check(jose.CheckKeysURL).Doc("Check it with the keys that the issuer publishes here (RFC 7517)."),
		spec.Strings(&o.algorithms, "jwt_algorithms").Default(defaultAlgorithms).Check(checkAlgorithms).
			Doc("The algorithms that a JWT may be signed with. Those that do not go with the kind of key are passed over: a public key never verifies HS256."),
		spec.Strings(&o.rules.Scopes, "required_scope").Check(jose.CheckTexts).
			Doc("Scopes that the token must have, all of them, as a list or separated by blanks; else the answer is 403."),
		spec.Strings(&o.rules.Issuers, "issuer").Check(jose.CheckTexts).Doc("What `iss` must be, or a list of which it must be one."),
		spec.Strings(&o.rules.Audiences, "audience").Check(jose.CheckTexts).Doc("What `aud` must name, or a list of which it must name one."),
		spec.Bool(&o.rules.VerifyExpiry, "verify_exp").Default(true).Doc("Refuse a token from its `exp` on."),
		spec.Bool(&o.rules.RequireExpiry, "require_exp").Default(false).Doc("Refuse a token without `exp`."),
		spec.Duration(&o.rules.Leeway, "leeway").Range(0, jose.MaxLeeway.Seconds()).Doc("How far the issuer's clock may be off, at most 5m."),
		spec.String(&o.tokenType, "token_type").Default(defaultType).Check(checkType).Advanced().
			Doc("The scheme before the token in the Authorization header."),
		spec.Bool(&o.validate, "validate_token").Default(true).Set(&o.written).Advanced().
			Doc("Without an endpoint and a key, `false` takes any token of the right type: it proves nothing."),
	}
}

const (
	defaultType  = "Bearer"
	defaultCache = time.Minute
)

var defaultAlgorithms = []string{"HS256", "RS256"}

// hasKey reports whether tokens are checked as JWTs.
func (o *options) hasKey() bool { return len(o.secrets)+len(o.publicKeys) > 0 || o.jwks.Host != "" }

// open reports whether any token passes, which somebody has to have written.
func (o *options) open() bool { return !o.introspects() && !o.hasKey() && o.written && !o.validate }

func (o *options) introspects() bool { return o.endpoint.Host != "" }

// Validate checks what spans fields.
func (o *options) Validate() []spec.Issue {
	if err := o.rules.Validate(); err != nil {
		return []spec.Issue{{Message: err.Error()}}
	}
	if o.open() {
		return []spec.Issue{{
			Field: "validate_token", Message: "any token passes: nothing checks it", Warning: true,
			Hint: "set introspection_endpoint, jwt_secret, public_key or jwks_url",
		}}
	}
	if o.introspects() && o.hasKey() && o.validate {
		return []spec.Issue{{Field: "introspection_endpoint", Message: "the endpoint decides: the key for JWTs is not used", Warning: true}}
	}
	return nil
}

// checkEndpoint refuses addresses that no policy opens. Where the name leads is
// looked at when it is dialled.
func checkEndpoint(u url.URL) error {
	if addr, err := netip.ParseAddr(u.Hostname()); err == nil {
		if rule, _ := netguard.Classify(addr); rule == netguard.RuleMetadata {
			return errors.New("is a metadata service")
		}
	}
	return netguard.CheckURL(&u)
}

func checkAlgorithms(names []string) error {
	_, err := algorithms(names)
	return err
}

// algorithms takes names in any case, as the original service did.
func algorithms(names []string) ([]jose.Algorithm, error) {
	var all []jose.Algorithm
	for _, n := range names {
		i := slices.IndexFunc(jose.Algorithms(), func(a jose.Algorithm) bool { return strings.EqualFold(string(a), n) })
		if i < 0 {
			return nil, errors.New("has a name that is no algorithm; there are HS256, RS256, ES256, PS256, their 384 and 512 forms, and EdDSA")
		}
		if a := jose.Algorithms()[i]; !slices.Contains(all, a) {
			all = append(all, a)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("must not be empty")
	}
	return all, nil
}

func checkType(s string) error {
	if len(s) > 40 || strings.ContainsFunc(s, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-'
	}) {
		return errors.New("is no name of a scheme: letters, digits and - only")
	}
	return nil
}
