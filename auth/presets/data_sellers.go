package presets

import "github.com/hookd/hookd/auth/internal/scheme"

// sellers keep customers, and hirers keep applicants.
func sellers() []*Preset {
	const hubspotDoc = "The secret is the app's *client secret*."
	return []*Preset{
		{
			Name:    "hubspot",
			Title:   "HubSpot",
			Summary: "Webhooks and workflow calls of HubSpot apps, with the signature of version 3.",
			Doc: hubspotDoc + " The signature covers the method and the URL: set `public_url` to what HubSpot calls; the query is taken from each request.\n\n" +
				"A request holds many events in an array, and is told from a repeat by the first one's id and the body.",
			Source: "https://developers.hubspot.com/docs/apps/legacy-apps/authentication/validating-requests",
			Verify: only(timed(bodyBase64("X-HubSpot-Signature-v3", ""), "{method}{url_query_decoded}{body}{time}",
				"header:X-HubSpot-Request-Timestamp", scheme.UnixMilli, tolerance)),
			ID:           at("json:0.eventId"),
			IDShared:     true,
			Type:         at("json:0.subscriptionType"),
			Retry:        "Counted in the member attemptNumber; reported: up to 10 times within 24 hours.",
			Headers:      inJSONWith("User-Agent", "HubSpot Webhooks"),
			DefaultEvent: "contact.creation",
			Sample:       hubspotSample,
		},
		hubspotOld("1", "{secret}{body}", hubspotDoc),
		hubspotOld("2", "{secret}{method}{url_query}{body}", hubspotDoc+" The hash covers the method and the URL: set `public_url` to what HubSpot calls; the query is taken from each request."),
		{
			Name:    "zendesk",
			Title:   "Zendesk",
			Summary: "Webhooks of Zendesk accounts.",
			Doc: "The secret is the *signing secret* of *Admin Center → Apps and integrations → Webhooks*. It looks like base64 and is used as text. " +
				"The timestamp is a date and time, not a number.",
			Source: "https://developer.zendesk.com/documentation/webhooks/verifying/",
			Verify: only(timed(bodyBase64("X-Zendesk-Webhook-Signature", ""), "{time}{body}",
				"header:X-Zendesk-Webhook-Signature-Timestamp", scheme.RFC3339, tolerance)),
			ID:           at("header:X-Zendesk-Webhook-Invocation-Id"),
			Type:         at("json:type"),
			Retry:        "Reported: 5 times on 409, 429 and 503.",
			Headers:      inJSONWith("User-Agent", "Zendesk Webhook", "X-Zendesk-Webhook-Invocation-Id", "{delivery}"),
			DefaultEvent: "zen:event-type:ticket.created",
			Sample:       `{"id":"1","type":"{event}","account_id":1,"time":"{rfc3339}","subject":"zen:ticket:1","event":{},"detail":{"id":"1","subject":"Example"}}`,
		},
		{
			Name:         "intercom",
			Title:        "Intercom",
			Summary:      "Webhooks of Intercom apps.",
			Doc:          "The secret is the app's *client secret* of *Basic information*. The hash is SHA-1.",
			Source:       "https://developers.intercom.com/docs/webhooks/webhook-notifications",
			Verify:       only(sha1(bodyHex("X-Hub-Signature", "sha1="))),
			ID:           at("json:id"),
			Type:         at("json:topic"),
			Retry:        "More than 1000 errors in a row within 15 minutes pause the webhook; a private app is suspended after 7 days.",
			Headers:      inJSONWith("User-Agent", "intercom-webhooks/1.0"),
			DefaultEvent: "conversation.user.created",
			Sample:       `{"type":"notification_event","app_id":"1","id":"{delivery}","topic":"{event}","created_at":{unix},"delivery_attempts":1,"data":{"type":"notification_event_data","item":{"type":"conversation","id":"1"}}}`,
		},
		{
			Name:         "attio",
			Title:        "Attio",
			Summary:      "Webhooks of Attio workspaces.",
			Doc:          "The secret is the member `data.secret` of the answer with which the webhook was made.",
			Source:       "https://docs.attio.com/rest-api/guides/webhooks",
			Verify:       only(bodyHex("Attio-Signature", "")),
			Type:         at("json:events.0.event_type"),
			Headers:      inJSONWith(),
			DefaultEvent: "record.created",
			Sample:       `{"webhook_id":"1","events":[{"event_type":"{event}","id":{"workspace_id":"1","object_id":"1","record_id":"1"},"actor":{"type":"system","id":null}}]}`,
		},
		{
			Name:    "pipedrive",
			Title:   "Pipedrive",
			Summary: "Webhooks of Pipedrive, protected with Basic authentication.",
			Doc: "The secret is `user:password` of the webhook's *HTTP Auth* fields, which are optional in Pipedrive: fill them in. " +
				"Pipedrive does not sign.",
			Source:       "https://pipedrive.readme.io/docs/guide-for-webhooks-v2",
			Verify:       only(basic()),
			Covers:       CoversNone,
			ID:           at("json:meta.id"),
			Type:         at("json:meta.action"),
			Headers:      inJSONWith("User-Agent", "Pipedrive Webhooks"),
			DefaultEvent: "create",
			Sample:       `{"data":{"id":1,"title":"Example"},"previous":null,"meta":{"action":"{event}","entity":"deal","id":"{delivery}","timestamp":"{rfc3339}","version":"2.0"}}`,
		},
	}
}
