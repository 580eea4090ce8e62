package presets

import "time"

// hosters run it.
func hosters() []*Preset {
	return []*Preset{
		{
			Name:         "vercel",
			Title:        "Vercel",
			Summary:      "Account and integration webhooks of Vercel.",
			Doc:          "The secret is shown when the webhook is made; for an integration it is the client secret. The hash is SHA-1.",
			Source:       "https://vercel.com/docs/webhooks",
			Verify:       only(sha1(bodyHex("x-vercel-signature", ""))),
			ID:           at("json:id"),
			Type:         at("json:type"),
			Deadline:     30 * time.Second,
			Retry:        "With growing intervals for up to 24 hours.",
			Headers:      inJSONWith(),
			DefaultEvent: "deployment.succeeded",
			Sample:       `{"id":"{delivery}","type":"{event}","createdAt":{unixms},"payload":{"deployment":{"id":"dpl_1","url":"example.vercel.app"}}}`,
		},
		{
			Name:         "heroku",
			Title:        "Heroku",
			Summary:      "App webhooks of Heroku.",
			Doc:          "The secret is the one given to `heroku webhooks:add --secret`, or printed by it. An `Authorization` header of your own may come along; this preset does not need it.",
			Source:       "https://devcenter.heroku.com/articles/app-webhooks",
			Verify:       only(bodyBase64("Heroku-Webhook-Hmac-SHA256", "")),
			ID:           at("json:id"),
			Type:         at("json:webhook_metadata.event.include"),
			Retry:        "Webhooks of the level \"sync\" are sent again, those of \"notify\" are not.",
			Headers:      inJSONWith("User-Agent", "Heroku-Webhooks"),
			DefaultEvent: "api:release",
			Sample:       `{"id":"{delivery}","action":"create","resource":"release","data":{"version":1},"webhook_metadata":{"attempt":{"id":"1"},"event":{"id":"1","include":"{event}"}}}`,
		},
		{
			Name:         "doppler",
			Title:        "Doppler",
			Summary:      "Webhooks of Doppler projects.",
			Doc:          "The secret is the *signing secret* of the project's webhook. Without one, Doppler does not sign.",
			Source:       "https://docs.doppler.com/docs/webhooks",
			Verify:       only(bodyHex("x-doppler-signature", "sha256=")),
			Type:         at("json:type"),
			Headers:      inJSONWith(),
			DefaultEvent: "config.secrets.update",
			Sample:       `{"type":"{event}","project":{"id":"example","name":"example"},"config":{"name":"prd"}}`,
		},
		{
			Name:         "planetscale",
			Title:        "PlanetScale",
			Summary:      "Webhooks of PlanetScale databases.",
			Doc:          "The secret is the one shown in the webhook's settings, or in the answer of the API that makes it.",
			Source:       "https://planetscale.com/docs/concepts/webhooks",
			Verify:       only(bodyHex("X-PlanetScale-Signature", "")),
			Type:         at("json:event"),
			Headers:      inJSONWith(),
			DefaultEvent: "branch.ready",
			Sample:       `{"timestamp":{unix},"event":"{event}","organization":"example","database":"example","resource":{"id":"1","name":"main"}}`,
		},
	}
}
