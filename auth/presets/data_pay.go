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
			Name:    "paddle",
			Title:   "Paddle Billing",
			Summary: "Notifications of Paddle Billing.",
			Doc: "The secret is the endpoint's secret key, `pdl_ntfset_…`, from *Developer Tools → Notifications*; it is used as text. " +
				"Several `h1` may come while it is rotated, and any that matches is enough.\n\n" +
				"Paddle's libraries refuse what is older than 5 seconds, which fails behind any queue; here it is 5 minutes, and `tolerance` changes that. " +
				"For Paddle Classic take `paddle-classic`.",
			Source:       "https://developer.paddle.com/webhooks/signature-verification",
			Verify:       paddleVerify(),
			ID:           at("json:event_id"),
			Type:         at("json:event_type"),
			Deadline:     5 * time.Second,
			Retry:        "Live: 60 times in 3 days, 20 of them in the first hour. Sandbox: 3 times in 15 minutes.",
			Headers:      inJSONWith("User-Agent", "Paddle"),
			DefaultEvent: "transaction.completed",
			Sample:       `{"event_id":"{delivery}","event_type":"{event}","occurred_at":"{rfc3339}","notification_id":"ntf_1","data":{"id":"txn_1","status":"completed"}}`,
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
			Name:         "coinbase-commerce",
			Title:        "Coinbase Commerce",
			Summary:      "Webhook subscriptions of Coinbase Commerce.",
			Doc:          "The secret is the *webhook shared secret* of *Settings → Notifications*.",
			Source:       "https://docs.cdp.coinbase.com/commerce/docs/webhooks-security",
			Verify:       only(bodyHex("X-CC-Webhook-Signature", "")),
			ID:           at("json:event.id"),
			Type:         at("json:event.type"),
			Retry:        "Counted in the member attempt_number; reported: for up to 3 days.",
			Headers:      inJSONWith("User-Agent", "weipay-webhooks"),
			DefaultEvent: "charge:confirmed",
			Sample:       `{"id":1,"scheduled_for":"{rfc3339}","attempt_number":1,"event":{"id":"{delivery}","resource":"event","type":"{event}","data":{"code":"EXAMPLE1"}}}`,
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
		{
			Name:    "mollie",
			Title:   "Mollie",
			Summary: "Next-generation webhooks of Mollie.",
			Doc: "The secret is the one shown when the webhook is made. The header may come several times while it is rotated, " +
				"and any that matches is enough.\n\nClassic webhooks of Mollie, a form with nothing but `id=`, are not signed and are refused.",
			Source:       "https://github.com/mollie/mollie-api-php/blob/master/docs/webhooks.md",
			Verify:       only(mollieVerify()),
			ID:           at("json:id"),
			Type:         at("json:type"),
			Headers:      inJSONWith("User-Agent", "Mollie HTTP client"),
			DefaultEvent: "payment-link.paid",
			Sample:       `{"resource":"event","id":"{delivery}","type":"{event}","entityId":"pl_1","createdAt":"{rfc3339}"}`,
		},
		{
			Name:    "chargebee",
			Title:   "Chargebee",
			Summary: "Webhooks of Chargebee sites, protected with Basic authentication.",
			Doc: "The secret is `user:password` of *Settings → Configure Chargebee → Webhooks → Protect webhook URL with basic authentication*. " +
				"Chargebee does not sign.",
			Source:       "https://www.chargebee.com/docs/billing/2.0/site-configuration/webhook_settings",
			Verify:       only(basic()),
			Covers:       CoversNone,
			ID:           at("json:id"),
			Type:         at("json:event_type"),
			Deadline:     20 * time.Second,
			Retry:        "Up to 7 times, after 2 minutes to 2 days.",
			Headers:      inJSONWith("User-Agent", "ChargeBee"),
			DefaultEvent: "payment_succeeded",
			Sample:       `{"id":"{delivery}","occurred_at":{unix},"source":"api","object":"event","api_version":"v2","event_type":"{event}","webhook_status":"scheduled","content":{}}`,
		},
		{
			Name:         "lemonsqueezy",
			Title:        "Lemon Squeezy",
			Summary:      "Webhooks of Lemon Squeezy stores.",
			Doc:          "The secret is the *signing secret* of *Settings → Webhooks*.",
			Source:       "https://docs.lemonsqueezy.com/help/webhooks/signing-requests",
			Verify:       only(bodyHex("X-Signature", "")),
			Type:         at("header:X-Event-Name", "json:meta.event_name"),
			Headers:      inJSONWith("X-Event-Name", "{event}"),
			DefaultEvent: "order_created",
			Sample:       `{"meta":{"event_name":"{event}"},"data":{"type":"orders","id":"1","attributes":{"status":"paid"}}}`,
		},
	}
}

// signing makes a signature cover what the template says.
func signing(a scheme.Alternative, template string) scheme.Alternative {
	a.Signed = template
	return a
}

func paddleVerify() []scheme.Alternative {
	a := timed(listed("Paddle-Signature", "h1", ""), "{time}:{body}", "sig:ts", scheme.Unix, tolerance)
	a.Sig.Split = ";"
	return only(a)
}

func adyenPlatform() scheme.Alternative {
	a := bodyBase64("HmacSignature", "")
	a.Key.Enc = scheme.Hex
	return a
}

func mollieVerify() scheme.Alternative {
	a := bodyHex("X-Mollie-Signature", "")
	a.Sig.HashPrefix, a.Sig.Repeat = true, true
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
	}
}
