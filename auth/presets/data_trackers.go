package presets

import (
	"time"

	"github.com/hookd/hookd/auth/internal/scheme"
)

// trackers hold tasks, tickets and pages.
func trackers() []*Preset {
	return []*Preset{
		{
			Name:    "linear",
			Title:   "Linear",
			Summary: "Webhooks of Linear workspaces and apps.",
			Doc: "The secret is the *signing secret* of *Settings → API → Webhooks*.\n\n" +
				"The time of sending is the member `webhookTimestamp` of the body, in milliseconds. Linear's library allows 60 seconds, and so does this preset; " +
				"set `tolerance` to more where your hook is behind something slow.",
			Source: "https://linear.app/developers/webhooks",
			Verify: only(timed(bodyHex("Linear-Signature", ""), "{body}", "json:webhookTimestamp", scheme.UnixMilli, time.Minute)),
			ID:     at("header:Linear-Delivery"),
			Type:   at("header:Linear-Event", "json:type"),
			Retry:  "After 1 minute, 1 hour and 6 hours.",
			Headers: inJSONWith("User-Agent", "Linear-Webhook",
				"Linear-Event", "{event}", "Linear-Delivery", "{delivery}"),
			DefaultEvent: "Issue",
			Sample:       `{"action":"create","type":"{event}","createdAt":"{rfc3339}","organizationId":"1","webhookTimestamp":{unixms},"webhookId":"1","data":{"id":"1","title":"Example"}}`,
		},
		{
			Name:    "jira",
			Title:   "Jira and Confluence",
			Summary: "Webhooks of Jira and Confluence that an administrator registered with a secret.",
			Doc: "The secret is the one of *System → WebHooks*. Webhooks of Connect and OAuth apps are not signed this way: " +
				"they carry a JWT.\n\nThe header is `X-Hub-Signature`, and the hash is SHA-256.",
			Source: "https://developer.atlassian.com/cloud/jira/platform/webhooks/",
			Verify: only(bodyHex("X-Hub-Signature", "sha256=")),
			ID:     at("header:X-Atlassian-Webhook-Identifier"),
			Type:   at("json:webhookEvent"),
			Retry:  "Counted in X-Atlassian-Webhook-Retry, with the same id.",
			Headers: inJSONWith("User-Agent", "Atlassian Webhook HTTP Client",
				"X-Atlassian-Webhook-Identifier", "{delivery}"),
			DefaultEvent: "jira:issue_created",
			Sample:       `{"timestamp":{unixms},"webhookEvent":"{event}","issue":{"id":"10000","key":"EX-1","fields":{"summary":"Example"}}}`,
		},
		{
			Name:    "asana",
			Title:   "Asana",
			Summary: "Webhooks of the Asana API.",
			Doc: "The secret is the `X-Hook-Secret` that Asana hands over while the webhook is made.\n\n" +
				"There is no delivery id, and an empty list of events every 8 hours is a heartbeat.",
			Source:       "https://developers.asana.com/docs/webhooks-guide",
			Verify:       only(bodyHex("X-Hook-Signature", "")),
			Type:         at("json:events.0.action"),
			Deadline:     10 * time.Second,
			Retry:        "With growing intervals for 24 hours; then the webhook is deleted.",
			Headers:      inJSONWith(),
			DefaultEvent: "changed",
			Sample:       `{"events":[{"user":{"gid":"1"},"created_at":"{rfc3339}","action":"{event}","resource":{"gid":"1","resource_type":"task"},"parent":null}]}`,
		},
		{
			Name:    "trello",
			Title:   "Trello",
			Summary: "Webhooks of the Trello API.",
			Doc: "The secret is the *OAuth secret* of the app from the Power-Up admin page, not the API token. " +
				"The signature covers the callback URL, too: set `public_url` to exactly what the webhook was made with.",
			Source:       "https://developer.atlassian.com/cloud/trello/guides/rest-api/webhooks/",
			Verify:       only(signing(sha1(bodyBase64("X-Trello-Webhook", "")), "{body}{url}")),
			ID:           at("json:action.id"),
			Type:         at("json:action.type"),
			Retry:        "Reported: 3 times, after 30, 60 and 120 seconds; 410 deletes the webhook.",
			Headers:      inJSONWith(),
			DefaultEvent: "updateCard",
			Sample:       `{"model":{"id":"1","name":"Example"},"action":{"id":"{delivery}","type":"{event}","date":"{rfc3339}","data":{"card":{"id":"1","name":"Example"}}}}`,
		},
		{
			Name:         "notion",
			Title:        "Notion",
			Summary:      "Webhook subscriptions of Notion integrations.",
			Doc:          "The secret is the *verification token* that Notion sends when the subscription is made and that you confirm there.",
			Source:       "https://developers.notion.com/reference/webhooks",
			Verify:       only(bodyHex("X-Notion-Signature", "sha256=")),
			ID:           at("json:id"),
			Type:         at("json:type"),
			Retry:        "Up to 8 attempts, counted in the member attempt_number.",
			Headers:      inJSONWith("User-Agent", "notion-api"),
			DefaultEvent: "page.created",
			Sample:       `{"id":"{delivery}","timestamp":"{rfc3339}","workspace_id":"1","subscription_id":"1","integration_id":"1","type":"{event}","attempt_number":1,"entity":{"id":"1","type":"page"},"data":{}}`,
		},
		{
			Name:         "clickup",
			Title:        "ClickUp",
			Summary:      "Webhooks of the ClickUp API.",
			Doc:          "The secret is the member `webhook.secret` of the answer with which the webhook was made. Several events may tell of the same history item, so that repeats are told by its id and the body.",
			Source:       "https://developer.clickup.com/docs/webhooksignature",
			Verify:       only(bodyHex("X-Signature", "")),
			ID:           at("json:history_items.0.id"),
			IDShared:     true,
			Type:         at("json:event"),
			Headers:      inJSONWith(),
			DefaultEvent: "taskCreated",
			Sample:       `{"event":"{event}","history_items":[{"id":"{delivery}","type":1,"field":"status"}],"task_id":"1","webhook_id":"7fa3ec74-69a8-4530-a251-8a13730bd204"}`,
		},
	}
}
