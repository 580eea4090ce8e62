package presets

import (
	"time"

	"github.com/hookd/hookd/auth/internal/scheme"
)

// drawers collect forms, appointments, signatures and files.
func drawers() []*Preset {
	return []*Preset{
		{
			Name:         "typeform",
			Title:        "Typeform",
			Summary:      "Webhooks of Typeform forms.",
			Doc:          "The secret is the one of *Connect → Webhooks → Edit*. Without one, Typeform does not sign.",
			Source:       "https://www.typeform.com/developers/webhooks/secure-your-webhooks/",
			Verify:       only(bodyBase64("Typeform-Signature", "sha256=")),
			ID:           at("json:event_id"),
			Type:         at("json:event_type"),
			Headers:      inJSONWith("User-Agent", "Typeform Webhooks"),
			DefaultEvent: "form_response",
			Sample:       `{"event_id":"{delivery}","event_type":"{event}","form_response":{"form_id":"1","token":"1","submitted_at":"{rfc3339}","answers":[]}}`,
		},
		{
			Name:         "calendly",
			Title:        "Calendly",
			Summary:      "Webhook subscriptions of Calendly.",
			Doc:          "The secret is the `signing_key` with which the subscription was made. Calendly advises to refuse what is older than 3 minutes. There is no delivery id.",
			Source:       "https://developer.calendly.com/api-docs/webhook-signatures",
			Verify:       only(stamped("Calendly-Webhook-Signature", "v1", scheme.Unix, 3*time.Minute)),
			Type:         at("json:event"),
			Deadline:     15 * time.Second,
			Retry:        "Reported: for up to 24 hours.",
			Headers:      inJSONWith(),
			DefaultEvent: "invitee.created",
			Sample:       `{"event":"{event}","created_at":"{rfc3339}","created_by":"https://api.calendly.com/users/1","payload":{"name":"Example","email":"jon@example.com","status":"active"}}`,
		},
		{
			Name:         "calcom",
			Title:        "Cal.com",
			Summary:      "Webhooks of Cal.com.",
			Doc:          "The secret is the one of *Settings → Developer → Webhooks*. Without one, Cal.com does not sign.",
			Source:       "https://cal.com/docs/developing/guides/automation/webhooks",
			Verify:       only(bodyHex("X-Cal-Signature-256", "")),
			Type:         at("json:triggerEvent"),
			Headers:      inJSONWith(),
			DefaultEvent: "BOOKING_CREATED",
			Sample:       `{"triggerEvent":"{event}","createdAt":"{rfc3339}","payload":{"title":"Example","uid":"1"}}`,
		},
		{
			Name:    "docusign",
			Title:   "DocuSign Connect",
			Summary: "Connect notifications of DocuSign in JSON.",
			Doc: "The secret is an HMAC key of *Connect → Connect Keys*. DocuSign signs with every active key, in numbered headers, " +
				"and any that matches is enough.",
			Source:       "https://developers.docusign.com/platform/webhooks/connect/validate/",
			Verify:       only(bodyBase64("X-DocuSign-Signature-*", "")),
			Type:         at("json:event"),
			Headers:      inJSONWith("User-Agent", "docusign"),
			DefaultEvent: "envelope-completed",
			Sample:       `{"event":"{event}","apiVersion":"v2.1","uri":"/restapi/v2.1/accounts/1/envelopes/1","retryCount":0,"configurationId":1,"generatedDateTime":"{rfc3339}","data":{"envelopeId":"1"}}`,
		},
		{
			Name:         "dropbox",
			Title:        "Dropbox",
			Summary:      "Webhooks of Dropbox apps.",
			Doc:          "The secret is the *App secret*. The body only says which accounts changed: fetch the changes through the API.",
			Source:       "https://www.dropbox.com/developers/reference/webhooks",
			Verify:       only(bodyHex("X-Dropbox-Signature", "")),
			Headers:      inJSONWith("User-Agent", "DropboxWebhooks/1.0"),
			DefaultEvent: "change",
			Sample:       `{"list_folder":{"accounts":["dbid:{delivery}"]},"delta":{"users":[1]}}`,
		},
		{
			Name:    "box",
			Title:   "Box",
			Summary: "Webhooks of Box apps, version 2.",
			Doc: "The secret is the *primary* or *secondary* key of the app's *Webhooks* page; give both while they are rotated. " +
				"Box signs with both, in two headers.",
			Source:       "https://developer.box.com/guides/webhooks/v2/signatures-v2/",
			Verify:       boxVerify(),
			ID:           at("header:BOX-DELIVERY-ID"),
			Type:         at("json:trigger"),
			Retry:        "Reported: up to 12 times.",
			Headers:      inJSONWith("User-Agent", "Box-WH-Client", "BOX-DELIVERY-ID", "{delivery}", "BOX-SIGNATURE-VERSION", "1", "BOX-SIGNATURE-ALGORITHM", "HmacSHA256"),
			DefaultEvent: "FILE.UPLOADED",
			Sample:       `{"type":"webhook_event","id":"{delivery}","created_at":"{rfc3339}","trigger":"{event}","webhook":{"id":"1","type":"webhook"},"source":{"id":"1","type":"file","name":"example.txt"}}`,
		},
	}
}

func boxVerify() []scheme.Alternative {
	with := func(header string) scheme.Alternative {
		return timed(bodyBase64(header, ""), "{body}{time}", "header:BOX-DELIVERY-TIMESTAMP", scheme.RFC3339, 10*time.Minute)
	}
	first, second := with("BOX-SIGNATURE-PRIMARY"), with("BOX-SIGNATURE-SECONDARY")
	first.Fallthrough = true
	return only(first, second)
}
