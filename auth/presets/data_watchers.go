package presets

import (
	"time"

	"github.com/hookd/hookd/auth/internal/scheme"
)

// watchers tell that something happened to systems.
func watchers() []*Preset {
	return []*Preset{
		{
			Name:    "pagerduty",
			Title:   "PagerDuty",
			Summary: "Webhook subscriptions of PagerDuty, version 3.",
			Doc: "The secret is the one shown when the subscription is made. It looks like base64 and is used as text. " +
				"Several signatures may come while it is rotated, and any that matches is enough.\n\n" +
				"An answer of 4xx stops the redelivery.",
			Source:       "https://developer.pagerduty.com/docs/webhooks/webhook-signatures/",
			Verify:       only(listed("X-PagerDuty-Signature", "v1", "{body}")),
			ID:           at("header:X-Webhook-Id", "json:event.id"),
			Type:         at("json:event.event_type"),
			Retry:        "Not after 4xx; reported: otherwise for up to 48 hours.",
			Headers:      inJSONWith("User-Agent", "PagerDuty-Webhook/V3.0", "X-Webhook-Id", "{delivery}"),
			DefaultEvent: "incident.triggered",
			Sample:       `{"event":{"id":"{delivery}","event_type":"{event}","resource_type":"incident","occurred_at":"{rfc3339}","data":{"id":"P1","type":"incident","status":"triggered","title":"Example"}}}`,
		},
		{
			Name:    "sentry",
			Title:   "Sentry",
			Summary: "Webhooks of Sentry integrations.",
			Doc: "The secret is the integration's *client secret*. Sentry documents the signature over the body as its library prints it, " +
				"which is the body as sent.",
			Source:   "https://docs.sentry.io/organization/integrations/integration-platform/webhooks/",
			Verify:   only(bodyHex("Sentry-Hook-Signature", "")),
			ID:       at("header:Request-ID"),
			Type:     at("header:Sentry-Hook-Resource", "json:action"),
			Deadline: time.Second,
			Retry:    "1000 timeouts within 24 hours end the subscription.",
			Headers: inJSONWith("User-Agent", "Sentry-Hook", "Request-ID", "{delivery}",
				"Sentry-Hook-Resource", "{event}", "Sentry-Hook-Timestamp", "{unix}"),
			DefaultEvent: "issue",
			Sample:       `{"action":"created","installation":{"uuid":"1"},"data":{"issue":{"id":"1","title":"Example","level":"error"}},"actor":{"type":"application","id":"sentry","name":"Sentry"}}`,
		},
		{
			Name:         "rootly",
			Title:        "Rootly",
			Summary:      "Webhook endpoints of Rootly.",
			Doc:          "The secret is the one of *Configuration → Webhooks*. Time and body are signed without anything between them.",
			Source:       "https://docs.rootly.com/configuration/webhooks",
			Verify:       only(signing(stamped("X-Rootly-Signature", "v1", scheme.Unix, tolerance), "{time}{body}")),
			ID:           at("json:event.id"),
			Type:         at("json:event.type"),
			Headers:      inJSONWith(),
			DefaultEvent: "incident.created",
			Sample:       `{"event":{"id":"{delivery}","type":"{event}","issued_at":"{rfc3339}"},"data":{"id":"1","title":"Example"}}`,
		},
		{
			Name:         "launchdarkly",
			Title:        "LaunchDarkly",
			Summary:      "Webhooks of LaunchDarkly accounts.",
			Doc:          "The secret is the one of *Integrations → Webhooks*, with *Sign this webhook* chosen.",
			Source:       "https://launchdarkly.com/docs/integrations/webhooks",
			Verify:       only(bodyHex("X-LD-Signature", "")),
			ID:           at("json:_id"),
			Type:         at("json:kind"),
			Headers:      inJSONWith(),
			DefaultEvent: "flag",
			Sample:       `{"_id":"{delivery}","date":{unixms},"kind":"{event}","name":"Example","titleVerb":"turned on the flag"}`,
		},
		{
			Name:    "pusher",
			Title:   "Pusher Channels",
			Summary: "Webhooks of Pusher Channels apps.",
			Doc: "The secret is the app's *secret*. `X-Pusher-Key` names the token that Pusher signs with, the oldest active one: " +
				"give all active secrets.",
			Source:       "https://pusher.com/docs/channels/server_api/webhooks/",
			Verify:       only(bodyHex("X-Pusher-Signature", "")),
			Type:         at("json:events.0.name"),
			Retry:        "With growing intervals for 5 minutes.",
			Headers:      inJSONWith("X-Pusher-Key", "example"),
			DefaultEvent: "channel_occupied",
			Sample:       `{"time_ms":{unixms},"events":[{"name":"{event}","channel":"example"}]}`,
		},
		{
			Name:    "ably",
			Title:   "Ably",
			Summary: "Batched webhook integrations of Ably apps.",
			Doc: "The secret is the part of the API key behind the colon. Ably signs only with *Batch request* and *Enveloped* on, and a signing key chosen; " +
				"`X-Ably-Key` names the key.",
			Source:       "https://ably.com/docs/platform/integrations/webhooks",
			Verify:       only(bodyBase64("X-Ably-Signature", "")),
			Type:         at("json:items.0.source"),
			Retry:        "Batches are kept for 5 minutes, with intervals that grow to a minute.",
			Headers:      inJSONWith("X-Ably-Key", "example", "X-Ably-Version", "1.2"),
			DefaultEvent: "channel.message",
			Sample:       `{"items":[{"webhookId":"1","source":"{event}","timestamp":{unixms},"serial":"a","name":"channel.message","data":{"channelId":"example","messages":[]}}]}`,
		},
		{
			Name:    "cloudevents",
			Title:   "CloudEvents",
			Summary: "Senders of the CloudEvents webhook specification.",
			Doc: "The secret is the token that you agree on with the sender. It travels as `Authorization: Bearer …`, or as the query parameter `access_token`; " +
				"the specification wants receivers to take both. With both in one request, the header decides.\n\nId and type are read in the binary mode and in the structured one.",
			Source:       "https://github.com/cloudevents/spec/blob/main/cloudevents/http-webhook.md",
			Verify:       only(token("Authorization", "Bearer "), scheme.Alternative{Kind: scheme.Token, Sig: scheme.Sig{At: at("query:access_token")}}),
			Covers:       CoversNone,
			ID:           at("header:ce-id", "json:id"),
			Type:         at("header:ce-type", "json:type"),
			Headers:      inJSONWith("ce-specversion", "1.0", "ce-id", "{delivery}", "ce-type", "{event}", "ce-source", "/example"),
			DefaultEvent: "com.example.created",
			Sample:       `{"id":1,"name":"Example"}`,
		},
	}
}
