package presets

import (
	"time"

	"github.com/hookd/hookd/auth/internal/scheme"
)

// chats carry messages and calls.
func chats() []*Preset {
	return []*Preset{
		{
			Name:    "slack",
			Title:   "Slack",
			Summary: "Events, interactions and slash commands of Slack apps.",
			Doc: "The secret is the app's *Signing Secret* from *Basic Information*, not the older verification token.\n\n" +
				"Slash commands and interactions are forms: give their hook `\"data_type\": \"form\"`. " +
				"The answer header `X-Slack-No-Retry: 1` keeps Slack from sending again; hookd's answers need none.",
			Source:   "https://docs.slack.dev/authentication/verifying-requests-from-slack",
			Verify:   only(timed(bodyHex("X-Slack-Signature", "v0="), "v0:{time}:{body}", "header:X-Slack-Request-Timestamp", scheme.Unix, tolerance)),
			ID:       at("json:event_id"),
			Type:     at("json:event.type", "json:type"),
			Deadline: 3 * time.Second,
			Retry:    "3 times: at once, after 1 minute and after 5, counted in X-Slack-Retry-Num.",
			Headers:  inJSONWith("User-Agent", "Slackbot 1.0 (+https://api.slack.com/robots)"),

			DefaultEvent: "app_mention",
			Sample:       `{"token":"unused","team_id":"T1","api_app_id":"A1","event":{"type":"{event}","user":"U1","text":"Hello","ts":"{unix}.000100","channel":"C1"},"type":"event_callback","event_id":"{delivery}","event_time":{unix}}`,
		},
		{
			Name:    "discord",
			Title:   "Discord",
			Summary: "Interactions and webhook events of Discord applications.",
			Doc: "The secret is the application's *Public Key* from *General Information*, in hex. It is no secret; write it into the configuration as it is.\n\n" +
				"Discord sends wrong signatures on purpose and drops an endpoint that accepts them. It publishes no age limit; 5 minutes is hookd's.",
			Source: "https://discord.com/developers/docs/events/webhook-events",
			Verify: only(scheme.Alternative{
				Kind:   scheme.Ed25519,
				Key:    scheme.Key{Enc: scheme.Hex},
				Sig:    scheme.Sig{At: at("header:X-Signature-Ed25519"), Enc: scheme.Hex},
				Signed: "{time}{body}",
				Time:   &scheme.Time{At: "header:X-Signature-Timestamp", Format: scheme.Unix, Tolerance: tolerance},
			}),
			ID:           at("json:id"),
			Type:         at("json:event.type", "json:type"),
			Deadline:     3 * time.Second,
			Retry:        "With growing intervals for up to 10 minutes.",
			Headers:      inJSONWith("User-Agent", "Discord-Webhook/1.0 (+https://discord.com)"),
			DefaultEvent: "APPLICATION_AUTHORIZED",
			Sample:       `{"id":"{delivery}","version":1,"application_id":"1234560123453231555","type":1,"event":{"type":"{event}","timestamp":"{rfc3339}","data":{}}}`,
		},
		{
			Name:    "telegram",
			Title:   "Telegram",
			Summary: "Updates of Telegram bots.",
			Doc: "The secret is the `secret_token` that you give to `setWebhook`. Telegram does not sign.\n\n" +
				"The kind of an update is the name of a member beside `update_id`, so that the event has no type; filter with `.message` or the like.",
			Source:       "https://core.telegram.org/bots/api#setwebhook",
			Verify:       only(token("X-Telegram-Bot-Api-Secret-Token", "")),
			Covers:       CoversNone,
			ID:           at("json:update_id"),
			Retry:        "With growing intervals of up to 2 minutes; Retry-After is obeyed. 410 for 23 hours removes the webhook.",
			Headers:      inJSONWith(),
			DefaultEvent: "message",
			Sample:       `{"update_id":{number},"message":{"message_id":1,"from":{"id":1,"is_bot":false,"first_name":"Example"},"chat":{"id":1,"type":"private"},"date":{unix},"text":"Hello"}}`,
		},
		{
			Name:    "zoom",
			Title:   "Zoom",
			Summary: "Event subscriptions of Zoom apps.",
			Doc: "The secret is the app's *Secret Token* from *Features → Access*, not the older verification token. " +
				"Zoom checks the endpoint again every 72 hours.",
			Source:       "https://developers.zoom.us/docs/api/webhooks/",
			Verify:       only(timed(bodyHex("x-zm-signature", "v0="), "v0:{time}:{body}", "header:x-zm-request-timestamp", scheme.Unix, tolerance)),
			ID:           at("header:x-zm-request-id"),
			Type:         at("json:event"),
			Deadline:     3 * time.Second,
			Retry:        "Reported: 3 times.",
			Headers:      inJSONWith("User-Agent", "Zoom Marketplace/1.0a", "x-zm-request-id", "{delivery}"),
			DefaultEvent: "meeting.started",
			Sample:       `{"event":"{event}","event_ts":{unixms},"payload":{"account_id":"1","object":{"id":"1","uuid":"1","topic":"Example","type":2}}}`,
		},
		{
			Name:    "msteams",
			Title:   "Microsoft Teams (outgoing webhook)",
			Summary: "Outgoing webhooks of Microsoft Teams channels.",
			Doc: "The secret is the *security token* shown when the outgoing webhook is made, in base64 as shown. " +
				"Teams shows the answer in the channel: give the hook a `response` with a message, `{\"type\":\"message\",\"text\":\"…\"}`.",
			Source:       "https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/add-outgoing-webhook",
			Verify:       only(teams()),
			ID:           at("json:id"),
			Type:         at("json:type"),
			Headers:      inJSONWith("User-Agent", "Microsoft-SkypeBotApi (Microsoft-BotFramework/3.0)"),
			DefaultEvent: "message",
			Sample:       `{"type":"{event}","id":"{delivery}","timestamp":"{rfc3339}","text":"<at>hook</at> hello","from":{"name":"Example"},"conversation":{"id":"1"}}`,
		},
	}
}

func teams() scheme.Alternative {
	a := bodyBase64("Authorization", "HMAC ")
	a.Key.Enc = scheme.Base64
	return a
}
