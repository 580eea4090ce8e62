package httpwebhook_test

import (
	"fmt"
	"strings"
	"testing"

	"go.uber.org/goleak"

	httpwebhook "github.com/hookd/hookd/modules/http_webhook"
	"github.com/hookd/hookd/modules/moduletest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	whsec = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	// The key pair of Svix's README, the private half as its seed.
	seed = "6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc="
	whpk = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
)

func TestSuite(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module: httpwebhook.Module(),
		Start: func(t *testing.T) *moduletest.Far {
			r := newReceiver(t)
			far := r.far(fmt.Sprintf(`{
				"url": %q,
				"headers": {"Authorization": "Bearer canary-7f3a", "X-Team": "canary-team"},
				"forward_headers": true,
				"signing": {"secret": [%q, %q]}
			}`, r.url(), whsec, "whsk_"+seed))
			far.Secrets = []string{"canary-7f3a", "canary-team", whsec[6:], seed}
			return far
		},
		Bad: []moduletest.Bad{
			{Options: `{"url": "ftp://a.example/"}`, Want: `scheme "ftp"`, Path: "url"},
			{Options: `{"url": "https://user:pw@a.example/"}`, Want: "put them into headers", Path: "url"},
			{Options: `{"url": "http://127.1/"}`, Want: "four plain numbers", Path: "url"},
			{Options: `{"url": "http://a.example:99999/"}`, Want: "port", Path: "url"},
			{Options: `{"url": "/relative"}`, Path: "url"},
			{Options: `{"url": "https://a.example/", "method": "GET"}`, Want: "POST", Path: "method"},
			{Options: `{"url": "https://a.example/", "method": "DELETE"}`, Want: "POST", Path: "method"},
			{Options: `{"url": "https://a.example/", "timeout": 0}`, Want: "10 minutes", Path: "timeout"},
			{Options: `{"url": "https://a.example/", "timeout": "1h"}`, Want: "10 minutes", Path: "timeout"},
			{Options: `{"url": "https://a.example/", "allowed_hosts": ["http://x/"]}`, Want: "is a URL", Path: "allowed_hosts"},
			{Options: `{"url": "https://a.example/", "signing": {"secret": "hunter2"}}`, Want: "whsec_", Path: "signing.secret"},
			{Options: `{"url": "https://a.example/", "signing": {"secret": "whsec_c2hvcnQ="}}`, Want: "24 to 64", Path: "signing.secret"},
			{Options: `{"url": "https://a.example/", "signing": {"secret": "whsk_c2hvcnQ="}}`, Want: "private ed25519 key", Path: "signing.secret"},
			{Options: `{"url": "https://a.example/", "signing": {"secret": ["whsk_` + seed + `", "` + whpk + `"]}}`, Want: "cannot sign", Path: "signing.secret"},
			{Options: `{"url": "https://a.example/", "signing": {"secret": [` + strings.Repeat(`"`+whsec+`",`, 8) + `"` + whsec + `"]}}`, Want: "at once (8)", Path: "signing.secret"},
			{Options: `{"url": "https://a.example/", "signing": {}}`, Want: "required", Path: "signing"},
			{Options: `{"url": "https://a.example/", "headers": {"Hookd-Delivery-Id": "x"}}`, Want: "set by hookd", Path: "headers"},
			{Options: `{"url": "https://a.example/", "tls": {"cert_file": "x"}}`, Want: "go together", Path: "tls"},
		},
	})
}
