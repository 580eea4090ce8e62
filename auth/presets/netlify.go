package presets

import (
	"encoding/hex"
	"errors"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/jose"
)

// netlify has neither a clock nor an id: its token holds iss and sha256 only.
func netlify() *Preset {
	return &Preset{
		Name:    "netlify",
		Title:   "Netlify",
		Summary: "Deploy notifications of Netlify sites.",
		Doc: "The secret is the *JWS secret token* of the HTTP notification. Without one, Netlify does not sign.\n\n" +
			"The token never expires and there is no delivery id, so that a request that somebody captured can be sent again; " +
			"the same body within the window of `deduplicate` is told apart by its digest.",
		Source: "https://docs.netlify.com/site-deploys/notifications/#payload-signature",
		Code: func(env auth.Env, o Options) (Checker, error) {
			if len(o.Secrets) == 0 {
				return nil, errors.New("needs a secret")
			}
			tokens, err := jose.New(env, jose.Config{
				Method: "netlify", Algorithms: []jose.Algorithm{"HS256"}, Secrets: o.Secrets,
				Rules: jose.Rules{Issuers: []string{"netlify"}, VerifyExpiry: true},
			})
			return &tokenHash{
				tokens: tokens, name: "netlify", place: jose.Place{Header: "X-Webhook-Signature"}, claim: "sha256", encode: hex.EncodeToString,
				own: map[string]any{"sub": nil, "jti": nil, "iat": nil, "exp": nil},
			}, err
		},
		Signing: "header X-Webhook-Signature, a JSON Web Token (HS256) with the SHA-256 of the body in hex as sha256",
		Type:    []string{"header:X-Netlify-Event"},
		Retry:   "Not published.",
		Headers: []Header{
			{"User-Agent", "hookd (as Netlify)"},
			{"Content-Type", "application/json"},
			{"X-Netlify-Event", "{event}"},
		},
		DefaultEvent: "deploy_created",
		Sample:       `{"id":"{delivery}","site_id":"fa4dd95a","state":"ready","name":"example","url":"https://example.com","context":"production"}`,
	}
}
