package presets

// hirers keep applicants and meetings.
func hirers() []*Preset {
	return []*Preset{
		{
			Name:         "ashby",
			Title:        "Ashby",
			Summary:      "Webhooks of Ashby.",
			Doc:          "The secret is the *secret token* of the webhook. Without one, Ashby does not sign.",
			Source:       "https://developers.ashbyhq.com/docs/authenticating-webhooks",
			Verify:       only(bodyHex("Ashby-Signature", "sha256=")),
			ID:           at("json:webhookActionId"),
			Type:         at("json:action"),
			Headers:      inJSONWith(),
			DefaultEvent: "applicationSubmit",
			Sample:       `{"action":"{event}","webhookActionId":"{delivery}","data":{"application":{"id":"1","status":"Active"}}}`,
		},
		{
			Name:         "greenhouse",
			Title:        "Greenhouse",
			Summary:      "Webhooks of Greenhouse Recruiting.",
			Doc:          "The secret is the *secret key* of the webhook. The header is `Signature`, and its value `sha256`, a space and the digest.",
			Source:       "https://developers.greenhouse.io/webhooks.html",
			Verify:       only(bodyHex("Signature", "sha256 ")),
			Type:         at("json:action"),
			Headers:      inJSONWith(),
			DefaultEvent: "hire_candidate",
			Sample:       `{"action":"{event}","payload":{"application":{"id":1,"status":"hired","candidate":{"id":1,"first_name":"Example"}}}}`,
		},
		{
			Name:         "checkr",
			Title:        "Checkr",
			Summary:      "Webhooks of Checkr accounts.",
			Doc:          "The secret is the account's *API key*, with which Checkr signs. Take care of it accordingly: it opens more than this hook.",
			Source:       "https://docs.checkr.com/#section/Webhooks",
			Verify:       only(bodyHex("X-Checkr-Signature", "")),
			ID:           at("json:id"),
			Type:         at("json:type"),
			Headers:      inJSONWith(),
			DefaultEvent: "report.completed",
			Sample:       `{"id":"{delivery}","object":"event","type":"{event}","created_at":"{rfc3339}","data":{"object":{"id":"1","object":"report","status":"clear"}}}`,
		},
		{
			Name:         "fireflies",
			Title:        "Fireflies.ai",
			Summary:      "Webhooks of Fireflies.ai.",
			Doc:          "The secret is the *signing secret* of *Settings → Developer settings*. The header is `X-Hub-Signature`, and the hash is SHA-256.",
			Source:       "https://docs.fireflies.ai/graphql-api/webhooks",
			Verify:       only(bodyHex("X-Hub-Signature", "sha256=")),
			Type:         at("json:event", "json:eventType"),
			Headers:      inJSONWith(),
			DefaultEvent: "meeting.transcribed",
			Sample:       `{"meeting_id":"{delivery}","event":"{event}","timestamp":{unixms},"client_reference_id":"1"}`,
		},
	}
}
