package presets

import "time"

// codeHosts keep repositories.
func codeHosts() []*Preset {
	return []*Preset{
		{
			Name:    "github",
			Title:   "GitHub",
			Summary: "Repository, organization and app webhooks of GitHub and GitHub Enterprise.",
			Doc: "The secret is the one that you type into *Settings → Webhooks → Secret*. Without one, GitHub does not sign.\n\n" +
				"Both content types work: the signature covers the bytes as sent. The delivery id is not covered by it, " +
				"so hookd tells repeated deliveries apart by the id and the body together.\n\n" +
				"Only `X-Hub-Signature-256` counts; the SHA-1 form that comes along with it is for receivers from before 2020.",
			Source:   "https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries",
			Verify:   only(bodyHex("X-Hub-Signature-256", "sha256=")),
			ID:       at("header:X-GitHub-Delivery"),
			Type:     at("header:X-GitHub-Event"),
			Deadline: 10 * time.Second,
			Retry:    "Redelivery by hand or through the API, with the same delivery id; no automatic one is reported.",
			Headers: inJSONWith("User-Agent", "GitHub-Hookshot/hookd",
				"X-GitHub-Event", "{event}", "X-GitHub-Delivery", "{delivery}"),
			DefaultEvent: "ping",
			Sample:       `{"zen":"Design for failure.","hook_id":1,"action":"{event}","repository":{"full_name":"example/hello-world"},"sender":{"login":"octocat"}}`,
		},
		{
			Name:    "github-sha1",
			Title:   "GitHub (SHA-1)",
			Summary: "Senders that only have GitHub's older signature with SHA-1.",
			Doc: "For GitHub Enterprise Server from before 2020 and for senders that imitate it. GitHub itself sends both signatures: " +
				"take `github` there, which ignores this one.",
			Source: "https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries",
			Verify: only(sha1(bodyHex("X-Hub-Signature", "sha1="))),
			ID:     at("header:X-GitHub-Delivery"),
			Type:   at("header:X-GitHub-Event"),
			Headers: inJSONWith("User-Agent", "GitHub-Hookshot/hookd",
				"X-GitHub-Event", "{event}", "X-GitHub-Delivery", "{delivery}"),
			DefaultEvent: "ping",
			Sample:       `{"zen":"Design for failure.","hook_id":1,"action":"{event}","repository":{"full_name":"example/hello-world"}}`,
		},
		{
			Name:    "bitbucket",
			Title:   "Bitbucket Cloud",
			Summary: "Repository and workspace webhooks of Bitbucket Cloud.",
			Doc: "The secret is the one of *Repository settings → Webhooks*. Without one, Bitbucket does not sign. " +
				"The header is `X-Hub-Signature`, and the hash is SHA-256 all the same.",
			Source: "https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/",
			Verify: only(bodyHex("X-Hub-Signature", "sha256=")),
			ID:     at("header:X-Request-UUID"),
			Type:   at("header:X-Event-Key"),
			Retry:  "Reported: up to 2 more attempts, counted in X-Attempt-Number.",
			Headers: inJSONWith("User-Agent", "Bitbucket-Webhooks/2.0",
				"X-Event-Key", "{event}", "X-Request-UUID", "{delivery}", "X-Attempt-Number", "1"),
			DefaultEvent: "repo:push",
			Sample:       `{"actor":{"display_name":"Example"},"repository":{"full_name":"example/hello-world"},"push":{"changes":[]}}`,
		},
		{
			Name:         "bitbucket-server",
			Title:        "Bitbucket Server and Data Center",
			Summary:      "Webhooks of a self-hosted Bitbucket.",
			Doc:          "The secret is the one of *Repository settings → Webhooks*. The header is `X-Hub-Signature`, and the hash is SHA-256.",
			Source:       "https://confluence.atlassian.com/bitbucketserver/manage-webhooks-938025878.html",
			Verify:       only(bodyHex("X-Hub-Signature", "sha256=")),
			ID:           at("header:X-Request-Id"),
			Type:         at("header:X-Event-Key", "json:eventKey"),
			Headers:      inJSONWith("X-Event-Key", "{event}", "X-Request-Id", "{delivery}"),
			DefaultEvent: "repo:refs_changed",
			Sample:       `{"eventKey":"{event}","date":"{rfc3339}","actor":{"name":"example"},"repository":{"slug":"hello-world"},"changes":[]}`,
		},
	}
}
