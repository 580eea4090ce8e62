package presets

import (
	"time"

	"github.com/hookd/hookd/auth/internal/scheme"
)

// shops sell things.
func shops() []*Preset {
	return []*Preset{
		{
			Name:    "shopify",
			Title:   "Shopify",
			Summary: "Webhooks of Shopify stores and apps.",
			Doc: "The secret is the app's *client secret*; for webhooks made by hand in the admin, the key shown below the list of *Settings → Notifications → Webhooks*. " +
				"After a rotation it may take an hour until the new one is used: give both.\n\n" +
				"The topic, the shop and the ids travel in headers, which the signature does not cover. `X-Shopify-Triggered-At` shows how old an event is.",
			Source:   "https://shopify.dev/docs/apps/build/webhooks/subscribe/https",
			Verify:   only(bodyBase64("X-Shopify-Hmac-Sha256", "")),
			ID:       at("header:X-Shopify-Webhook-Id", "header:X-Shopify-Event-Id"),
			Type:     at("header:X-Shopify-Topic"),
			Deadline: 5 * time.Second,
			Retry:    "8 times within 4 hours, then the subscription is removed.",
			Headers: inJSONWith("User-Agent", "Shopify-Captain-Hook",
				"X-Shopify-Topic", "{event}", "X-Shopify-Webhook-Id", "{delivery}", "X-Shopify-Event-Id", "{delivery}",
				"X-Shopify-Shop-Domain", "example.myshopify.com", "X-Shopify-API-Version", "2025-01"),
			DefaultEvent: "orders/create",
			Sample:       `{"id":820982911946154508,"email":"jon@example.com","total_price":"398.00","currency":"USD","line_items":[]}`,
		},
		{
			Name:    "woocommerce",
			Title:   "WooCommerce",
			Summary: "Webhooks of WooCommerce shops.",
			Doc: "The secret is the one of *WooCommerce → Settings → Advanced → Webhooks*. The shop can filter the hash; this preset wants the usual SHA-256.\n\n" +
				"The ping that WooCommerce sends when a webhook is saved is a form without a signature, and is refused.",
			Source: "https://woocommerce.com/document/webhooks/",
			Verify: only(bodyBase64("X-WC-Webhook-Signature", "")),
			ID:     at("header:X-WC-Webhook-Delivery-ID"),
			Type:   at("header:X-WC-Webhook-Topic"),
			Retry:  "None, and the id is new each time. Reported: disabled after 5 failures.",
			Headers: inJSONWith("User-Agent", "WooCommerce/9.0 Hookshot (WordPress/6.6)",
				"X-WC-Webhook-Topic", "{event}", "X-WC-Webhook-Delivery-ID", "{delivery}", "X-WC-Webhook-Source", "https://shop.example.com/"),
			DefaultEvent: "order.created",
			Sample:       `{"id":727,"number":"727","status":"processing","currency":"USD","total":"29.35","line_items":[]}`,
		},
		{
			Name:    "bigcommerce",
			Title:   "BigCommerce",
			Summary: "Webhooks of BigCommerce stores and apps.",
			Doc: "The secret is the *client secret* of the API account, as text. BigCommerce signs as Standard Webhooks has it, but for the key: " +
				"where a library for Standard Webhooks wants it encoded, hookd does not.\n\nThe body holds ids only; fetch the rest through the API.",
			Source: "https://developer.bigcommerce.com/docs/integrations/webhooks",
			Verify: only(standard("webhook", scheme.Key{})),
			ID:     at("header:webhook-id", "json:hash"),
			Type:   at("json:scope"),
			Retry: "11 times within 48 hours, after 1 minute to 24 hours; then the webhook is deactivated. " +
				"A domain that answers less than 90 % with success is blocked for a while.",
			Headers:      inJSONWith("webhook-id", "{delivery}"),
			DefaultEvent: "store/order/created",
			Sample:       `{"scope":"{event}","store_id":"1025646","data":{"type":"order","id":250},"hash":"dd70c0976e06b67aaf671e73f49dcb79230ebf9d","created_at":{unix},"producer":"stores/example"}`,
		},
		{
			Name:         "fourthwall",
			Title:        "Fourthwall",
			Summary:      "Webhooks of Fourthwall shops.",
			Doc:          "The secret is the one of *Settings → For developers → Webhooks*.",
			Source:       "https://docs.fourthwall.com/webhooks/signature-verification/",
			Verify:       only(bodyBase64("X-Fourthwall-Hmac-SHA256", "")),
			ID:           at("json:id"),
			Type:         at("json:type"),
			Headers:      inJSONWith(),
			DefaultEvent: "ORDER_PLACED",
			Sample:       `{"testMode":true,"id":"{delivery}","webhookId":"wcon_1","shopId":"sh_1","type":"{event}","apiVersion":"V1_BETA","createdAt":"{rfc3339}","data":{}}`,
		},
	}
}
