// Package standardwebhooks checks requests that are signed as of Standard
// Webhooks 1.0, with shared secrets and with public keys.
package standardwebhooks

import (
	"errors"
	"net/http"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/internal/standardwebhooks"
)

const name = "standard_webhooks"

// Method is the declaration.
func Method() auth.Method {
	return auth.Define(auth.Definition[options]{
		Name:    name,
		Title:   "Standard Webhooks",
		Summary: "The sender signs id, time and body as of Standard Webhooks 1.0, with a shared secret or an ed25519 key.",
		Doc: "The kind of a key is told by how it begins: `whsec_` is a shared secret, for `v1` signatures (HMAC-SHA256); `whpk_` is the sender's public key, for `v1a` signatures (ed25519). " +
			"`secret` may be a list of both, while a key is being replaced or v1a takes over from v1; one signature by any of them is enough. " +
			"Signatures of other versions are ignored.\n\n" +
			"With `whpk_` keys only, whoever reads the configuration can check requests but not make them; then `hookd test-send` needs the private key `whsk_`, which a receiver seldom has. " +
			"It signs with the first key that can sign.\n\n" +
			"`webhook-id` is the delivery id: a repeat within 7 days is answered with the first acceptance and not delivered again. " +
			"An id that holds a dot is refused: it could be split in more than one way. The event type is the body's member `type`, where it has one.\n\n" +
			"Senders that run on Svix use other header names: set `prefix` to `svix`.\n\n" +
			"Source: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>.",
		New: func(_ auth.Env, o *options) (auth.Verifier, error) { return newVerifier(o) },
	})
}

type options struct {
	secrets   []secret.String
	prefix    string
	tolerance time.Duration
}

const (
	defaultPrefix    = "webhook"
	defaultTolerance = 5 * time.Minute
	// window is how long an id is remembered. The specification's retries span
	// 75 hours.
	window = 7 * 24 * time.Hour
)

// Fields describes the options.
func (o *options) Fields() spec.Fields {
	return spec.Fields{
		spec.Secrets(&o.secrets, "secret").Required().Check(checkSecrets).
			Doc("`whsec_` and the base64 of a shared secret of 24 to 64 bytes, `whpk_` and the base64 of a public ed25519 key, or `whsk_` and that of a private one; or a list of up to 8."),
		spec.String(&o.prefix, "prefix").Default(defaultPrefix).Check(checkPrefix).
			Doc("What the names of the headers begin with: `webhook` is webhook-id, webhook-timestamp and webhook-signature; `svix` is svix-id and so on."),
		spec.Duration(&o.tolerance, "tolerance").Default(defaultTolerance).Check(checkTolerance).
			Doc("How far the time of sending may be off, in both directions."),
	}
}

func checkSecrets(all []secret.String) error {
	_, err := standardwebhooks.ParseKeys(all)
	return err
}

func checkPrefix(s string) error {
	if !httpguts.ValidHeaderFieldName(s) || len(s) > 64 {
		return errors.New("is not the beginning of a header name")
	}
	return nil
}

func checkTolerance(d time.Duration) error {
	if d <= 0 || d > 24*time.Hour {
		return errors.New("must be more than 0 and at most 24h")
	}
	return nil
}

// names are the canonical names of the headers.
type names struct{ id, timestamp, signature string }

func headers(prefix string) names {
	return names{
		id:        http.CanonicalHeaderKey(prefix + "-Id"),
		timestamp: http.CanonicalHeaderKey(prefix + "-Timestamp"),
		signature: http.CanonicalHeaderKey(prefix + "-Signature"),
	}
}
