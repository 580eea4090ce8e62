package payloads_test

import (
	"encoding/json"
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/testdata/payloads"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// keys that every sample of a provider has, and for GitHub those of the event.
var githubKeys = map[string][]string{
	"check_run":     {"action", "check_run", "organization"},
	"create":        {"ref", "ref_type", "master_branch", "pusher_type"},
	"delete":        {"ref", "ref_type", "pusher_type"},
	"deployment":    {"action", "deployment"},
	"issue_comment": {"action", "issue", "comment"},
	"issues":        {"action", "issue"},
	"ping":          {"zen", "hook_id", "hook"},
	"pull_request":  {"action", "number", "pull_request"},
	"push":          {"ref", "before", "after", "commits", "head_commit", "pusher", "compare"},
	"release":       {"action", "release"},
	"star":          {"action", "starred_at"},
	"workflow_run":  {"action", "workflow_run", "workflow"},
}

// The type of data.object in each Stripe event.
var stripeObjects = map[string]string{
	"charge.refunded":               "charge",
	"charge.succeeded":              "charge",
	"checkout.session.completed":    "checkout.session",
	"customer.created":              "customer",
	"customer.subscription.created": "subscription",
	"customer.subscription.deleted": "subscription",
	"invoice.paid":                  "invoice",
	"invoice.payment_failed":        "invoice",
	"payment_intent.payment_failed": "payment_intent",
	"payment_intent.succeeded":      "payment_intent",
}

func TestGitHub(t *testing.T) {
	t.Parallel()
	events := payloads.Events("github")
	if len(events) != len(githubKeys) {
		t.Errorf("events: %v, want those of the table", events)
	}
	for _, name := range events {
		var doc map[string]json.RawMessage
		decode(t, "github", name, &doc)
		for _, k := range append([]string{"repository", "sender"}, githubKeys[name]...) {
			if _, ok := doc[k]; !ok {
				t.Errorf("github/%s has no %q", name, k)
			}
		}
		var repo struct {
			FullName string `json:"full_name"`
			Owner    struct{ Login string }
		}
		if err := json.Unmarshal(doc["repository"], &repo); err != nil || repo.FullName != repo.Owner.Login+"/demo-repo" {
			t.Errorf("github/%s: repository %+v: %v", name, repo, err)
		}
	}
}

func TestStripe(t *testing.T) {
	t.Parallel()
	events := payloads.Events("stripe")
	if len(events) != len(stripeObjects) {
		t.Errorf("events: %v, want those of the table", events)
	}
	ids := map[string]string{}
	for _, name := range events {
		var doc struct {
			ID, Object, Type string
			Created          int64
			Livemode         *bool
			APIVersion       string `json:"api_version"`
			Data             struct {
				Object struct{ ID, Object string }
			}
		}
		decode(t, "stripe", name, &doc)
		if doc.Object != "event" || doc.Type != name || doc.Created == 0 || doc.APIVersion == "" || doc.Livemode == nil || *doc.Livemode {
			t.Errorf("stripe/%s: %+v", name, doc)
		}
		if !strings.HasPrefix(doc.ID, "evt_") || ids[doc.ID] != "" {
			t.Errorf("stripe/%s: id %q, also of %q", name, doc.ID, ids[doc.ID])
		}
		ids[doc.ID] = name
		if doc.Data.Object.Object != stripeObjects[name] || doc.Data.Object.ID == "" {
			t.Errorf("stripe/%s: object %+v, want a %q", name, doc.Data.Object, stripeObjects[name])
		}
	}
}

// Every file of the folder is a sample that Load finds.
func TestEverySampleLoads(t *testing.T) {
	t.Parallel()
	err := fs.WalkDir(payloads.FS, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		provider, file, _ := strings.Cut(p, "/")
		event, err := url.QueryUnescape(strings.TrimSuffix(file, path.Ext(file)))
		if err != nil || url.QueryEscape(event) != strings.TrimSuffix(file, path.Ext(file)) {
			t.Errorf("%s is not the name of an event: %v", p, err)
		}
		if !slices.Contains(payloads.Events(provider), event) {
			t.Errorf("Events(%q) lacks %q", provider, event)
		}
		if path.Ext(file) == ".form" {
			checkForm(t, provider, event)
		} else {
			decode(t, provider, event, new(any))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// checkForm wants the form that HTML has, and more than a few fields.
func checkForm(t *testing.T, provider, event string) {
	t.Helper()
	b, ok := payloads.Load(provider, event)
	if !ok {
		t.Fatalf("no sample %s/%s", provider, event)
	}
	form, err := url.ParseQuery(string(b))
	if err != nil || len(form) < 8 {
		t.Errorf("%s/%s has %d fields: %v", provider, event, len(form), err)
	}
}

func TestMostUsed(t *testing.T) {
	t.Parallel()
	for _, provider := range []string{
		"adyen", "bitbucket", "calendly", "clerk", "discord", "forgejo", "gitea", "github", "gitlab", "gitlab-token", "hubspot", "intercom", "jira", "linear",
		"mailgun", "paddle", "pagerduty", "paypal", "razorpay", "sendgrid", "sentry", "shopify", "slack", "square", "stripe", "svix", "telegram", "twilio",
		"typeform", "whatsapp", "zoom",
	} {
		if len(payloads.Events(provider)) == 0 {
			t.Errorf("no sample of %s", provider)
		}
	}
}

// No sample has a name, an address or a number of somebody's.
func TestInvented(t *testing.T) {
	t.Parallel()
	mail := regexp.MustCompile(`[A-Za-z0-9._-]+@([A-Za-z0-9.-]+)`)
	err := fs.WalkDir(payloads.FS, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := payloads.FS.ReadFile(p)
		if err != nil {
			return err
		}
		text := strings.ReplaceAll(string(b), "%40", "@")
		for _, m := range mail.FindAllStringSubmatch(text, -1) {
			if host := m[1]; !strings.HasSuffix(host, "example.com") && !strings.HasSuffix(host, "github.com") && !strings.HasPrefix(m[0], "git@") {
				t.Errorf("%s: %s", p, m[0])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestUnknown(t *testing.T) {
	t.Parallel()
	for _, tc := range [][2]string{{"", ""}, {"github", "nope"}, {"nope", "push"}, {"github", "../stripe/invoice.paid"}, {".", "github/push"}, {"github/..", "push"}} {
		if b, ok := payloads.Load(tc[0], tc[1]); ok {
			t.Errorf("Load(%q, %q) found %d bytes", tc[0], tc[1], len(b))
		}
	}
	for _, p := range []string{"", ".", "..", "nope", "github/push.json", "github/"} {
		if got := payloads.Events(p); got != nil {
			t.Errorf("Events(%q) = %v", p, got)
		}
	}
}

func decode(t *testing.T, provider, event string, into any) {
	t.Helper()
	b, ok := payloads.Load(provider, event)
	if !ok {
		t.Fatalf("no sample %s/%s", provider, event)
	}
	least := 300
	if provider == "github" || provider == "stripe" {
		least = 1 << 10
	}
	if len(b) < least || len(b) > 20<<10 {
		t.Errorf("%s/%s is %d bytes long: not the size of a whole event", provider, event, len(b))
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Errorf("%s/%s: %v", provider, event, err)
	}
}
