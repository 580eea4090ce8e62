package oauth1

import (
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/spec"
)

const (
	defaultWindow = 5 * time.Minute
	maxKeys       = 8
	maxText       = 1000 // bytes of a key or token
)

type options struct {
	consumerKey     string
	consumerSecrets []secret.String
	token           string
	tokenSecret     secret.String
	method          method
	publicKeys      []string
	url             url.URL
	verifyTimestamp bool
	window          time.Duration
	verifyNonce     bool
	requireBodyHash bool
	pathOnly        bool
}

// Fields describes the options.
func (o *options) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&o.consumerKey, "consumer_key").Required().Check(checkKey).Doc("The name of the sender, `oauth_consumer_key`."),
		spec.Secrets(&o.consumerSecrets, "consumer_secret").Check(checkSecrets).
			Doc("The secret shared with the sender, or a list of them while one is being replaced. Needed unless the method is `RSA-SHA1`."),
		spec.String(&o.token, "token").Check(checkToken).
			Doc("The `oauth_token` that the sender must send. Without it any token is taken, and none."),
		spec.OptionalSecret(&o.tokenSecret, "token_secret").Doc("The secret that belongs to the token, where the sender has one."),
		spec.Enum(&o.method, "signature_method", methods()...).Default(hmacSHA1).
			Doc("How the sender signs. It is never taken from the request."),
		spec.Strings(&o.publicKeys, "public_key").Check(checkPublicKeys).
			Doc("For `RSA-SHA1`: the sender's public key or certificate (PEM), or a list of them while one is being replaced."),
		spec.URL(&o.url, "url").Check(checkURL).Example(url.URL{Scheme: "https", Host: "hooks.example.com"}).
			Doc("What the sender sees as the URL, where a proxy changes it: scheme and host, and the path if that is changed too; no query."),
		spec.Bool(&o.verifyTimestamp, "verify_timestamp").Default(true).
			Doc("Refuse requests whose `oauth_timestamp` is missing or too far off. Without it nonces are kept for a day only."),
		spec.Duration(&o.window, "timestamp_window").Default(defaultWindow).Check(checkWindow).
			Doc("How far the time may be off, in both directions."),
		spec.Bool(&o.verifyNonce, "verify_nonce").Default(true).Doc("Take each request once, by its `oauth_nonce`."),
		spec.Bool(&o.requireBodyHash, "require_body_hash").Default(false).
			Doc("Refuse bodies that the signature does not cover: those that are no form and have no `oauth_body_hash`."),
		spec.Bool(&o.pathOnly, "path_only").Default(false).Advanced().
			Doc("Also take the signature that the original service asked for: over the path without host and query. Anybody can then change the query."),
	}
}

// Validate checks what spans fields.
func (o *options) Validate() []spec.Issue {
	switch rsa := o.method == rsaSHA1; {
	case rsa && len(o.publicKeys) == 0:
		return []spec.Issue{{Field: "public_key", Message: "is required for RSA-SHA1"}}
	case !rsa && len(o.publicKeys) > 0:
		return []spec.Issue{{Field: "public_key", Message: "does nothing unless signature_method is RSA-SHA1"}}
	case !rsa && len(o.consumerSecrets) == 0:
		return []spec.Issue{{Field: "consumer_secret", Message: "is required"}}
	case o.method == plaintext && o.requireBodyHash:
		return []spec.Issue{{Field: "require_body_hash", Message: "cannot be met: PLAINTEXT signs nothing"}}
	}
	return nil
}

// complete sets the defaults of options that were not decoded, and checks.
func (o *options) complete() error {
	if o.method == "" {
		o.method = hmacSHA1
	}
	if o.window == 0 {
		o.window = defaultWindow
	}
	for _, i := range o.Validate() {
		return errors.New(i.Field + " " + i.Message)
	}
	return errors.Join(checkKey(o.consumerKey), checkSecrets(o.consumerSecrets), checkToken(o.token), checkURL(o.url), checkWindow(o.window))
}

func checkKey(s string) error {
	if s == "" {
		return errors.New("must not be empty")
	}
	return checkToken(s)
}

func checkToken(s string) error {
	if len(s) > maxText {
		return errors.New("must not be longer than 1000 bytes")
	}
	if auth.HasControl(s) || strings.Contains(s, "\t") {
		return errors.New("must not hold control characters")
	}
	return nil
}

func checkSecrets(ss []secret.String) error {
	for _, s := range ss {
		if s.IsZero() {
			return errors.New("must not be empty")
		}
	}
	if len(ss) > maxKeys {
		return errors.New("has more secrets than can be valid at once (8)")
	}
	return nil
}

func checkPublicKeys(texts []string) error {
	_, err := publicKeys(texts)
	return err
}

func checkURL(u url.URL) error {
	switch {
	case u == url.URL{}:
		return nil
	case u.Scheme != "http" && u.Scheme != "https":
		return errors.New("must begin with https:// or http://")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.User != nil:
		return errors.New("must have no query, fragment or user")
	}
	return nil
}

func checkWindow(d time.Duration) error {
	if d < time.Second || d > 24*time.Hour {
		return errors.New("must be at least 1s and at most 24h")
	}
	return nil
}
