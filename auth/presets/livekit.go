package presets

import (
	"encoding/base64"
	"errors"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/jose"
)

// livekit puts the token into Authorization without a scheme. Its own libraries
// want the API key as the issuer, and give the clocks a minute.
func livekit() *Preset {
	return &Preset{
		Name:    "livekit",
		Title:   "LiveKit",
		Summary: "Room, participant, track, egress and ingress events of LiveKit Cloud and servers.",
		Doc: "The secret is the API secret that belongs to the API key which signs: the one chosen in *Settings → Webhooks*, or `webhook.api_key` of a server of your own. " +
			"Give that API key as `params.api_key`.\n\n" +
			"Tokens are good for a few minutes; clocks may differ by 1 minute, which `tolerance` changes (up to 5m).",
		Source: "https://docs.livekit.io/server/webhooks/",
		Code: func(env auth.Env, o Options) (Checker, error) {
			if len(o.Secrets) == 0 {
				return nil, errors.New("needs a secret")
			}
			tokens, err := jose.New(env, jose.Config{
				Method: "livekit", Algorithms: []jose.Algorithm{"HS256"}, Secrets: o.Secrets,
				Rules: jose.Rules{Issuers: []string{o.Params["api_key"]}, VerifyExpiry: true, RequireExpiry: true, Leeway: leeway(o)},
			})
			return &tokenHash{
				tokens: tokens, name: "livekit", place: jose.Place{Header: "Authorization"}, claim: "sha256", encode: base64.StdEncoding.EncodeToString,
				own: map[string]any{"sub": nil, "jti": nil},
			}, err
		},
		Signing: "header Authorization, a JSON Web Token (HS256) with the SHA-256 of the body in base64 as sha256",
		Params:  []Param{{Name: "api_key", Doc: "the API key that signs, `API…`", Required: true}},
		ID:      []string{"json:id"},
		Type:    []string{"json:event"},
		Window:  7 * 24 * time.Hour,
		Retry:   "Several times, with growing intervals.",
		Headers: []Header{
			{"User-Agent", "hookd (as LiveKit)"},
			{"Content-Type", "application/webhook+json"},
		},
		DefaultEvent: "room_started",
		Sample:       `{"event":"{event}","id":"{delivery}","createdAt":"{unix}","room":{"sid":"RM_1","name":"example","emptyTimeout":300}}`,
	}
}

// leeway is what a hook gives the clocks of a sender that has no usual: a
// minute.
func leeway(o Options) time.Duration {
	if o.Tolerance > 0 {
		return o.Tolerance
	}
	return time.Minute
}
