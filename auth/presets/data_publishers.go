package presets

import "github.com/hookd/hookd/auth/internal/scheme"

// publishers keep content.
func publishers() []*Preset {
	return []*Preset{
		{
			Name:    "sanity",
			Title:   "Sanity",
			Summary: "GROQ-powered webhooks of Sanity projects.",
			Doc: "The secret is the one typed into the webhook's settings. The signature is in base64url without padding, and checked to its last bit.\n\n" +
				"Sanity's own library does not limit the age of a request, and neither does this preset unless you set `tolerance`.",
			Source: "https://github.com/sanity-io/webhook-toolkit",
			Verify: only(sanityStamp()),
			ID:     at("header:idempotency-key"),
			Type:   at("header:sanity-operation"),
			Retry:  "Twice, 30 seconds apart, on 429 and 5xx only.",
			Headers: inJSONWith("User-Agent", "Sanity.io webhook delivery",
				"sanity-operation", "{event}", "idempotency-key", "{delivery}"),
			DefaultEvent: "update",
			Sample:       `{"_id":"resume","_type":"page","_rev":"1"}`,
		},
		{
			Name:         "webflow",
			Title:        "Webflow",
			Summary:      "Webhooks of Webflow sites and apps.",
			Doc:          "The secret is the *client secret* of the app, or for webhooks of a site token the secret that the API returns when the webhook is made.",
			Source:       "https://developers.webflow.com/data/docs/working-with-webhooks",
			Verify:       only(timed(bodyHex("x-webflow-signature", ""), "{time}:{body}", "header:x-webflow-timestamp", scheme.UnixMilli, tolerance)),
			Type:         at("json:triggerType"),
			Headers:      inJSONWith(),
			DefaultEvent: "form_submission",
			Sample:       `{"triggerType":"{event}","payload":{"name":"Contact","siteId":"1","data":{"email":"jon@example.com"},"id":"1"}}`,
		},
		{
			Name:         "mux",
			Title:        "Mux",
			Summary:      "Webhooks of Mux environments.",
			Doc:          "The secret is the *signing secret* of the webhook, from *Settings → Webhooks*; each webhook has its own.",
			Source:       "https://www.mux.com/docs/core/verify-webhook-signatures",
			Verify:       only(stamped("Mux-Signature", "v1", scheme.Unix, tolerance)),
			ID:           at("json:id"),
			Type:         at("json:type"),
			Headers:      inJSONWith("User-Agent", "Mux Webhooks"),
			DefaultEvent: "video.asset.ready",
			Sample:       `{"type":"{event}","id":"{delivery}","created_at":"{rfc3339}","object":{"type":"asset","id":"1"},"environment":{"name":"Example","id":"1"},"data":{"status":"ready"}}`,
		},
	}
}

func sanityStamp() scheme.Alternative {
	a := stamped("sanity-webhook-signature", "v1", scheme.UnixMilli, 0)
	a.Sig.Enc = scheme.Base64URL
	return a
}
