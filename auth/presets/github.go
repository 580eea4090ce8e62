package presets

import (
	"time"

	"github.com/hookd/hookd/auth/internal/scheme"
)

// github takes X-Hub-Signature-256 only: the SHA-1 form that comes along with
// it is for receivers from before 2020.
func github() *Preset {
	return &Preset{
		Name:    "github",
		Title:   "GitHub",
		Summary: "Repository, organization and app webhooks of GitHub and GitHub Enterprise.",
		Doc: "The secret is the one that you type into *Settings → Webhooks → Secret*. Without one, GitHub does not sign.\n\n" +
			"Both content types work: the signature covers the bytes as sent. The delivery id is not covered by it, " +
			"so hookd tells repeated deliveries apart by the id and the body together.",
		Source: "https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries",
		Verify: []scheme.Alternative{{
			Kind:   scheme.HMAC,
			Hash:   scheme.SHA256,
			Sig:    scheme.Sig{At: []string{"header:X-Hub-Signature-256"}, Prefix: "sha256=", Enc: scheme.Hex},
			Signed: "{body}",
		}},
		ID:       []string{"header:X-GitHub-Delivery"},
		Type:     []string{"header:X-GitHub-Event"},
		Window:   7 * 24 * time.Hour,
		Deadline: 10 * time.Second,
		Retry:    "No automatic redelivery; by hand or through the API, with the same delivery id.",
		Headers: []Header{
			{"User-Agent", "GitHub-Hookshot/hookd"},
			{"Content-Type", "application/json"},
			{"X-GitHub-Event", "{event}"},
			{"X-GitHub-Delivery", "{delivery}"},
		},
		DefaultEvent: "ping",
		Sample:       `{"zen":"Design for failure.","hook_id":1,"action":"{event}","repository":{"full_name":"example/hello-world"},"sender":{"login":"octocat"}}`,
	}
}
