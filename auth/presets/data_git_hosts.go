package presets

import "github.com/hookd/hookd/auth/internal/scheme"

// gitHosts are those that anybody can run.
func gitHosts() []*Preset {
	return []*Preset{
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
