package presets

import (
	"time"

	"github.com/hookd/hookd/auth/internal/scheme"
)

// billers sell subscriptions and collect for others.
func billers() []*Preset {
	return []*Preset{
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

func paddleVerify() []scheme.Alternative {
	a := timed(listed("Paddle-Signature", "h1", ""), "{time}:{body}", "sig:ts", scheme.Unix, tolerance)
	a.Sig.Split = ";"
	return only(a)
}

func mollieVerify() scheme.Alternative {
	a := bodyHex("X-Mollie-Signature", "")
	a.Sig.HashPrefix, a.Sig.Repeat = true, true
	return a
}
