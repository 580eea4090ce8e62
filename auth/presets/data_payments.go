package presets

import (
	"time"

	"github.com/hookd/hookd/auth/internal/scheme"
)

// payments move money.
func payments() []*Preset {
	return []*Preset{
		{
			Name:    "stripe",
			Title:   "Stripe",
			Summary: "Events of Stripe accounts and Connect applications.",
			Doc: "The secret is the endpoint's signing secret, `whsec_…`, from *Developers → Webhooks*; `stripe listen` prints its own. " +
				"It is used as it stands, `whsec_` included. While a secret is being rolled, Stripe signs with both, and any that matches is enough.\n\n" +
				"Timestamps more than 5 minutes off, in either direction, are refused; `tolerance` changes that.",
			Source:       "https://docs.stripe.com/webhooks#verify-manually",
			Verify:       only(stamped("Stripe-Signature", "v1", scheme.Unix, tolerance)),
			ID:           at("json:id"),
			Type:         at("json:type"),
			Retry:        "Live mode repeats with growing intervals for up to 3 days; a sandbox 3 times in a few hours.",
			Headers:      []Header{{"User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)"}, {"Content-Type", "application/json; charset=utf-8"}},
			DefaultEvent: "charge.succeeded",
			Sample:       `{"id":"{delivery}","object":"event","created":{unix},"livemode":false,"pending_webhooks":1,"type":"{event}","data":{"object":{}}}`,
		},
		{
			Name:    "square",
			Title:   "Square",
			Summary: "Webhook subscriptions of Square applications.",
			Doc: "The secret is the subscription's *signature key* from the Developer Console. " +
				"The signature covers the notification URL, too: set `public_url` to exactly what the subscription has.",
			Source:       "https://developer.squareup.com/docs/webhooks/step3validate",
			Verify:       only(signing(bodyBase64("x-square-hmacsha256-signature", ""), "{url}{body}")),
			ID:           at("json:event_id"),
			Type:         at("json:type"),
			Retry:        "Reported: with growing intervals for up to 24 hours.",
			Headers:      inJSONWith(),
			DefaultEvent: "payment.updated",
			Sample:       `{"merchant_id":"M1","type":"{event}","event_id":"{delivery}","created_at":"{rfc3339}","data":{"type":"payment","id":"P1","object":{}}}`,
		},
		{
			Name:    "adyen-platform",
			Title:   "Adyen (platform)",
			Summary: "Webhooks of Adyen's Balance Platform and Management API.",
			Doc: "The secret is the HMAC key of the webhook, in hex as Adyen shows it. Events from before a change of the key come with the old one: " +
				"give both for a while. Payment notifications are signed otherwise: take `adyen` for them.",
			Source:       "https://docs.adyen.com/development-resources/webhooks/verify-hmac-signatures",
			Verify:       only(adyenPlatform()),
			Type:         at("json:type"),
			Deadline:     10 * time.Second,
			Retry:        "Queued and sent again with growing intervals.",
			Headers:      inJSONWith("Protocol", "HmacSHA256"),
			DefaultEvent: "balancePlatform.accountHolder.updated",
			Sample:       `{"type":"{event}","environment":"test","data":{"id":"AH1"}}`,
		},
		{
			Name:    "braintree",
			Title:   "Braintree",
			Summary: "Webhooks of Braintree gateways.",
			Doc: "The secret is the *private key* of the API keys, and `public_key` under `params` the public key of the same pair: " +
				"the signature names it.\n\nThe event is base64 of XML in the field `bt_payload`; the kind of event is inside. There is no delivery id, " +
				"so that repeats are told by the body.",
			Source:       "https://developer.paypal.com/braintree/docs/guides/webhooks/parse",
			Verify:       only(braintreeForm("{form:bt_payload}", true), braintreeForm("{form:bt_payload}\n", false)),
			Covers:       CoversPart,
			Params:       []Param{{Name: "public_key", Doc: "the public key whose private key is the secret", Required: true}},
			Retry:        "Reported: every hour for up to 24 hours.",
			Headers:      inFormWith(),
			DefaultEvent: "check",
			Sample:       "bt_signature=&bt_payload=PG5vdGlmaWNhdGlvbj48a2luZD5jaGVjazwva2luZD48L25vdGlmaWNhdGlvbj4%3D",
		},
		{
			Name:    "razorpay",
			Title:   "Razorpay",
			Summary: "Webhooks of Razorpay accounts.",
			Doc: "The secret is the one typed into *Account & Settings → Webhooks*. After a change, repeats of older events still come " +
				"with the old secret: give both for a day.",
			Source:       "https://razorpay.com/docs/webhooks/validate-test/",
			Verify:       only(bodyHex("X-Razorpay-Signature", "")),
			ID:           at("header:x-razorpay-event-id"),
			Type:         at("json:event"),
			Deadline:     5 * time.Second,
			Retry:        "With growing intervals for 24 hours; then the webhook is disabled.",
			Headers:      inJSONWith("User-Agent", "Razorpay-Webhook/v1", "x-razorpay-event-id", "{delivery}"),
			DefaultEvent: "payment.captured",
			Sample:       `{"entity":"event","account_id":"acc_1","event":"{event}","contains":["payment"],"payload":{"payment":{"entity":{"id":"pay_1"}}},"created_at":{unix}}`,
		},
	}
}

// signing makes a signature cover what the template says.
func signing(a scheme.Alternative, template string) scheme.Alternative {
	a.Signed = template
	return a
}

func adyenPlatform() scheme.Alternative {
	a := bodyBase64("HmacSignature", "")
	a.Key.Enc = scheme.Hex
	return a
}

// braintreeForm is one of the two readings that Braintree's libraries try: some
// of its senders signed a line feed at the end.
func braintreeForm(signed string, next bool) scheme.Alternative {
	return scheme.Alternative{
		Hash: scheme.SHA1,
		Key:  scheme.Key{SHA1: true},
		Sig: scheme.Sig{
			At: []string{"form:bt_signature"}, Split: "&", KV: "|", Pick: "{param:public_key}", Enc: scheme.Hex,
		},
		Signed:      signed,
		Fallthrough: next,
		// Braintree's handshake signs any challenge of 20 to 32 hex digits.
		MinSigned: len("00112233445566778899aabbccddeeff\n") + 1,
	}
}
