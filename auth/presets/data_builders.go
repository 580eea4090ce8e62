package presets

import (
	"time"

	"github.com/hookd/hookd/auth/internal/scheme"
)

// builders build and publish code.
func builders() []*Preset {
	return []*Preset{
		{
			Name:    "circleci",
			Title:   "CircleCI",
			Summary: "Outbound webhooks of CircleCI projects.",
			Doc: "The secret is the *secret token* of *Project Settings → Webhooks*. " +
				"The header is a list of versions of which only `v1` counts; others are ignored.",
			Source:       "https://circleci.com/docs/outbound-webhooks/",
			Verify:       only(listed("circleci-signature", "v1", "{body}")),
			ID:           at("json:id"),
			Type:         at("header:circleci-event-type", "json:type"),
			Deadline:     10 * time.Second,
			Retry:        `Sent again "at a later time".`,
			Headers:      inJSONWith("User-Agent", "CircleCI-Webhook/1.0", "circleci-event-type", "{event}"),
			DefaultEvent: "workflow-completed",
			Sample:       `{"id":"{delivery}","type":"{event}","happened_at":"{rfc3339}","webhook":{"id":"cf8c4fdd-0587-4da1-b4ca-4846e9640af9","name":"example"},"workflow":{"name":"build","status":"success"}}`,
		},
		{
			Name:    "buildkite",
			Title:   "Buildkite (signature)",
			Summary: "Notification services of Buildkite that send a signature.",
			Doc: "The secret is the *token* of *Notification Services → Webhook*, with *Send an HMAC signature* chosen. " +
				"For the other choice, the token as it is, take `buildkite-token`.",
			Source: "https://buildkite.com/docs/apis/webhooks",
			Verify: only(timed(listed("X-Buildkite-Signature", "signature", ""), "{time}.{body}", "sig:timestamp", scheme.Unix, tolerance)),
			Type:   at("header:X-Buildkite-Event", "json:event"),
			Headers: inJSONWith("User-Agent", "Buildkite-Request",
				"X-Buildkite-Event", "{event}"),
			DefaultEvent: "build.finished",
			Sample:       `{"event":"{event}","build":{"number":1,"state":"passed"},"pipeline":{"slug":"example"}}`,
		},
		{
			Name:         "buildkite-token",
			Title:        "Buildkite (token)",
			Summary:      "Notification services of Buildkite that send their token as it is.",
			Doc:          "The secret is the *token* of *Notification Services → Webhook*. Choose the HMAC signature there and take `buildkite` where you can.",
			Source:       "https://buildkite.com/docs/apis/webhooks",
			Verify:       only(token("X-Buildkite-Token", "")),
			Covers:       CoversNone,
			Type:         at("header:X-Buildkite-Event", "json:event"),
			Headers:      inJSONWith("User-Agent", "Buildkite-Request", "X-Buildkite-Event", "{event}"),
			DefaultEvent: "build.finished",
			Sample:       `{"event":"{event}","build":{"number":1,"state":"passed"},"pipeline":{"slug":"example"}}`,
		},
		{
			Name:         "npm",
			Title:        "npm",
			Summary:      "Hooks of the npm registry.",
			Doc:          "The secret is the one given to `npm hook add`.",
			Source:       "https://github.com/npm/npm-hook-receiver",
			Verify:       only(bodyHex("x-npm-signature", "sha256=")),
			Type:         at("json:event"),
			Headers:      inJSONWith(),
			DefaultEvent: "package:publish",
			Sample:       `{"event":"{event}","name":"example","type":"package","version":"1.0.0","hookOwner":{"username":"example"},"time":{unixms}}`,
		},
		{
			Name:     "dockerhub",
			Title:    "Docker Hub",
			Summary:  "Webhooks of Docker Hub repositories, which prove nothing.",
			Unsigned: true,
			Covers:   CoversNone,
			Signing:  "nothing is signed, and no token is sent",
			Doc: "Docker Hub neither signs nor sends a header of your choice: whoever knows the URL can send. Give the hook a proof that the URL can carry, " +
				"`query_auth`, and put its key into the URL that you tell Docker Hub. `callback_url` in the body is no longer supported.",
			Source:       "https://docs.docker.com/docker-hub/repos/manage/webhooks/",
			Headers:      inJSONWith(),
			DefaultEvent: "push",
			Sample:       `{"push_data":{"pushed_at":{unix},"pusher":"example","tag":"latest"},"repository":{"repo_name":"example/hello-world","status":"Active"}}`,
		},
	}
}
