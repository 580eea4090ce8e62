package presets

import (
	"time"

	"github.com/hookd/hookd/auth/internal/scheme"
)

// stripe uses the signing secret as it is, "whsec_" included.
func stripe() *Preset {
	return &Preset{
		Name:    "stripe",
		Title:   "Stripe",
		Summary: "Events of Stripe accounts and Connect applications.",
		Doc: "The secret is the endpoint's signing secret, `whsec_…`, from *Developers → Webhooks*; `stripe listen` prints its own. " +
			"While a secret is being rolled, Stripe signs with both, and any that matches is enough.\n\n" +
			"Timestamps more than 5 minutes off, in either direction, are refused; `tolerance` changes that.",
		Source: "https://docs.stripe.com/webhooks#verify-manually",
		Verify: []scheme.Alternative{{
			Kind: scheme.HMAC,
			Hash: scheme.SHA256,
			Sig: scheme.Sig{
				At: []string{"header:Stripe-Signature"}, Split: ",", KV: "=", Pick: "v1", Enc: scheme.Hex,
			},
			Signed: "{time}.{body}",
			Time:   &scheme.Time{At: "sig:t", Format: scheme.Unix, Tolerance: 5 * time.Minute},
		}},
		ID:     []string{"json:id"},
		Type:   []string{"json:type"},
		Window: 7 * 24 * time.Hour,
		Retry:  "Live mode repeats with growing intervals for up to 3 days; a sandbox 3 times in a few hours.",
		Headers: []Header{
			{"User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)"},
			{"Content-Type", "application/json; charset=utf-8"},
		},
		DefaultEvent: "charge.succeeded",
		Sample:       `{"id":"{delivery}","object":"event","created":{unix},"livemode":false,"pending_webhooks":1,"type":"{event}","data":{"object":{}}}`,
	}
}
