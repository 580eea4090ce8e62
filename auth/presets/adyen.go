package presets

import (
	"time"

	"github.com/hookd/hookd/auth/internal/scheme"
)

// adyen has no delivery id: the same pspReference comes with an AUTHORISATION
// and, later, with its CHARGEBACK, and a request may hold several items.
func adyen() *Preset {
	const item = "NotificationRequestItem."
	return &Preset{
		Name:    "adyen",
		Title:   "Adyen (payments)",
		Summary: "Standard webhooks of Adyen: payments, modifications, disputes and reports.",
		Doc: "The secret is the HMAC key of the webhook from *Developers → Webhooks → Security*: 64 hex digits. " +
			"Adyen asks to accept the old key for a while after a change: give both.\n\n" +
			"Every item of a request has a signature of its own, and all must be right. It covers the references, the account, the amount, " +
			"the event code and `success`; **all else, such as `reason`, `eventDate` and `additionalData`, is not covered**. " +
			"For the webhooks of the Adyen platform (Banking, Issuing, Management) take `adyen-platform`.\n\n" +
			"Any 2xx is taken as accepted.",
		Source: "https://docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures",
		Verify: []scheme.Alternative{{
			Key:     scheme.Key{Enc: scheme.Hex},
			ForEach: "json:notificationItems",
			Sig:     scheme.Sig{At: at("item:" + item + "additionalData.hmacSignature"), Enc: scheme.Base64},
			Signed: "{item?:" + item + "pspReference}:{item?:" + item + "originalReference}:{item?:" + item + "merchantAccountCode}:" +
				"{item?:" + item + "merchantReference}:{item?:" + item + "amount.value}:{item?:" + item + "amount.currency}:" +
				"{item:" + item + "eventCode}:{item:" + item + "success}",
		}},
		Covers:   CoversPart,
		Type:     at("json:notificationItems.0." + item + "eventCode"),
		Window:   30 * 24 * time.Hour,
		Deadline: 10 * time.Second,
		Retry:    "Three times at once, then after 2, 5, 10, 15 and 30 minutes and 1, 2, 4 and 8 hours, for up to 30 days.",
		Headers:  inJSONWith("User-Agent", "Adyen HttpClient 1.0"),

		DefaultEvent: "AUTHORISATION",
		Sample: `{"live":"false","notificationItems":[{"NotificationRequestItem":{"additionalData":{},"amount":{"currency":"EUR","value":1000},` +
			`"eventCode":"{event}","eventDate":"{rfc3339}","merchantAccountCode":"TestMerchant","merchantReference":"order-1","paymentMethod":"visa",` +
			`"pspReference":"{delivery}","reason":"033899:1111:03/2030","success":"true"}}]}`,
	}
}
