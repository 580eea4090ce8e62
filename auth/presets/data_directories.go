package presets

import (
	"time"

	"github.com/hookd/hookd/auth/internal/scheme"
)

// directories know who somebody is.
func directories() []*Preset {
	return []*Preset{
		{
			Name:         "auth0",
			Title:        "Auth0",
			Summary:      "Log streams of Auth0 tenants.",
			Doc:          "The secret is the *Authorization Token* of *Monitoring → Streams*: the whole value of the header, whatever you wrote there. Auth0 does not sign. A request holds many log entries in an array.",
			Source:       "https://auth0.com/docs/customize/log-streams/custom-log-streams",
			Verify:       only(token("Authorization", "")),
			Covers:       CoversNone,
			ID:           at("json:0.log_id"),
			IDShared:     true,
			Type:         at("json:0.data.type"),
			Headers:      inJSONWith(),
			DefaultEvent: "s",
			Sample:       `[{"log_id":"{delivery}","data":{"date":"{rfc3339}","type":"{event}","client_id":"1","user_id":"auth0|1"}}]`,
		},
		{
			Name:         "okta",
			Title:        "Okta",
			Summary:      "Event hooks of Okta organizations.",
			Doc:          "The secret is the *authentication secret* of the event hook, with `Authorization` as its field: the whole value of the header, whatever you wrote there. Okta does not sign.",
			Source:       "https://developer.okta.com/docs/concepts/event-hooks/",
			Verify:       only(token("Authorization", "")),
			Covers:       CoversNone,
			ID:           at("json:eventId"),
			Type:         at("json:data.events.0.eventType"),
			Deadline:     3 * time.Second,
			Retry:        "At most once, on 5xx and timeouts.",
			Reply:        &Reply{Status: 204},
			Headers:      inJSONWith(),
			DefaultEvent: "user.lifecycle.create",
			Sample:       `{"eventType":"com.okta.event_hook","eventTypeVersion":"1.0","cloudEventsVersion":"0.1","source":"https://example.okta.com/api/v1/eventHooks/1","eventId":"{delivery}","eventTime":"{rfc3339}","data":{"events":[{"uuid":"1","eventType":"{event}"}]}}`,
		},
		{
			Name:         "workos",
			Title:        "WorkOS",
			Summary:      "Webhooks of WorkOS environments.",
			Doc:          "The secret is the endpoint's *signing secret* from the dashboard. The timestamp is in milliseconds; 3 minutes are the usual tolerance.",
			Source:       "https://workos.com/docs/events/data-syncing/webhooks",
			Verify:       only(stamped("WorkOS-Signature", "v1", scheme.UnixMilli, 3*time.Minute)),
			ID:           at("json:id"),
			Type:         at("json:event"),
			Headers:      inJSONWith(),
			DefaultEvent: "user.created",
			Sample:       `{"id":"{delivery}","event":"{event}","created_at":"{rfc3339}","data":{"object":"user","id":"user_1","email":"jon@example.com"}}`,
		},
		{
			Name:         "elevenlabs",
			Title:        "ElevenLabs",
			Summary:      "Webhooks of ElevenLabs workspaces.",
			Doc:          "The secret is the one shown when the webhook is made. Requests up to 30 minutes old are taken.",
			Source:       "https://elevenlabs.io/docs/overview/administration/webhooks",
			Verify:       only(stamped("ElevenLabs-Signature", "v0", scheme.Unix, 30*time.Minute)),
			Type:         at("json:type"),
			Headers:      inJSONWith(),
			DefaultEvent: "post_call_transcription",
			Sample:       `{"type":"{event}","event_timestamp":{unix},"data":{"agent_id":"1","conversation_id":"{delivery}","status":"done"}}`,
		},
	}
}
