package presets

import (
	"time"

	"github.com/hookd/hookd/auth/internal/scheme"
)

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
			Name:    "gitlab",
			Title:   "GitLab (signing token)",
			Summary: "Project, group and system hooks of GitLab 19 and later that have a signing token.",
			Doc: "The secret is the hook's *signing token*, `whsec_…`. GitLab signs as Standard Webhooks has it, and only where a signing token is set; " +
				"for a hook that has just a secret token, take `gitlab-token`. With both, GitLab sends both, and this preset wants the signature.\n\n" +
				"The id stays the same when a delivery is sent again by hand.",
			Source: "https://docs.gitlab.com/user/project/integrations/webhooks/",
			Verify: only(standard("webhook", whsec())),
			ID:     at("header:webhook-id", "header:Idempotency-Key", "header:X-Gitlab-Event-UUID"),
			Type:   at("header:X-Gitlab-Event", "json:object_kind"),
			Retry:  gitlabRetry,
			Headers: inJSONWith("X-Gitlab-Event", "{event}", "webhook-id", "{delivery}",
				"Idempotency-Key", "{delivery}", "X-Gitlab-Event-UUID", "{delivery}"),
			DefaultEvent: "Push Hook",
			Sample:       gitlabSample,
		},
		{
			Name:    "gitlab-token",
			Title:   "GitLab (secret token)",
			Summary: "Project, group and system hooks of GitLab that have a secret token only.",
			Doc: "The secret is the hook's *secret token*, which GitLab sends as it is. Where GitLab is version 19 or later, " +
				"give the hook a signing token and take `gitlab`.",
			Source: "https://docs.gitlab.com/user/project/integrations/webhooks/",
			Verify: only(token("X-Gitlab-Token", "")),
			Covers: CoversNone,
			ID:     at("header:webhook-id", "header:Idempotency-Key", "header:X-Gitlab-Event-UUID"),
			Type:   at("header:X-Gitlab-Event", "json:object_kind"),
			Retry:  gitlabRetry,
			Headers: inJSONWith("X-Gitlab-Event", "{event}", "Idempotency-Key", "{delivery}",
				"webhook-id", "{delivery}", "X-Gitlab-Event-UUID", "{delivery}"),
			DefaultEvent: "Push Hook",
			Sample:       gitlabSample,
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
		{
			Name:    "gitea",
			Title:   "Gitea",
			Summary: "Repository, organization and system webhooks of Gitea.",
			Doc: "The secret is the one of *Settings → Webhooks*.\n\n" +
				"With the content type *form*, Gitea signs the JSON inside the field `payload` and not the form around it. Both are understood; " +
				"of such a form nothing but `payload` is proved.",
			Source: "https://docs.gitea.com/usage/webhooks",
			Verify: gitForms("X-Gitea-Signature"),
			ID:     at("header:X-Gitea-Delivery"),
			Type:   at("header:X-Gitea-Event"),
			Headers: inJSONWith("X-Gitea-Event", "{event}", "X-Gitea-Event-Type", "{event}",
				"X-Gitea-Delivery", "{delivery}"),
			DefaultEvent: "push",
			Sample:       giteaSample,
		},
		{
			Name:    "forgejo",
			Title:   "Forgejo",
			Summary: "Repository, organization and system webhooks of Forgejo and Codeberg.",
			Doc: "The secret is the one of *Settings → Webhooks*. Forgejo sends the headers of Gitea beside its own, and this preset reads its own.\n\n" +
				"With the content type *form*, the signature is over the JSON inside the field `payload`, as Gitea's is.",
			Source: "https://forgejo.org/docs/latest/user/webhooks/",
			Verify: gitForms("X-Forgejo-Signature"),
			ID:     at("header:X-Forgejo-Delivery"),
			Type:   at("header:X-Forgejo-Event"),
			Headers: inJSONWith("X-Forgejo-Event", "{event}", "X-Forgejo-Event-Type", "{event}",
				"X-Forgejo-Delivery", "{delivery}"),
			DefaultEvent: "push",
			Sample:       giteaSample,
		},
	}
}

const (
	gitlabRetry  = "None by itself. Four failures in a row disable the hook for a while, 40 for good; a resend by hand keeps the ids."
	gitlabSample = `{"object_kind":"push","event_name":"push","ref":"refs/heads/main","project":{"id":1,"path_with_namespace":"example/hello-world"},"commits":[],"total_commits_count":0}`
	giteaSample  = `{"ref":"refs/heads/main","repository":{"id":1,"full_name":"example/hello-world"},"sender":{"login":"example"},"commits":[]}`
)

// gitForms is the signature of Gitea and its kin: over the body, and for a form
// over the field that holds the JSON.
func gitForms(header string) []scheme.Alternative {
	body, form := bodyHex(header, ""), bodyHex(header, "")
	body.Fallthrough = true
	form.Signed = "{form:payload}"
	form.When = [2]string{"header:Content-Type", "application/x-www-form-urlencoded"}
	return only(body, form)
}
