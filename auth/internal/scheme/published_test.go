package scheme_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/scheme"
	"github.com/hookd/hookd/internal/secret"
)

func hexOf(h scheme.Hash, header, prefix, signed string) []scheme.Alternative {
	return []scheme.Alternative{{Hash: h, Sig: scheme.Sig{At: []string{"header:" + header}, Prefix: prefix, Enc: scheme.Hex}, Signed: signed}}
}

func base64Of(header, signed string) []scheme.Alternative {
	return []scheme.Alternative{{Sig: scheme.Sig{At: []string{"header:" + header}, Enc: scheme.Base64}, Signed: signed}}
}

func timed(alts []scheme.Alternative, at string, f scheme.TimeFormat, tolerance time.Duration) []scheme.Alternative {
	for i := range alts {
		alts[i].Time = &scheme.Time{At: at, Format: f, Tolerance: tolerance}
	}
	return alts
}

func listed(alts []scheme.Alternative, split, kv, pick string) []scheme.Alternative {
	for i := range alts {
		s := &alts[i].Sig
		s.Split, s.KV, s.Pick = split, kv, pick
	}
	return alts
}

func standard(prefix string) []scheme.Alternative {
	a := timed(listed(base64Of(prefix+"-signature", "{header:"+prefix+"-id}.{time}.{body}"), " ", ",", "v1"), "header:"+prefix+"-timestamp", scheme.Unix, 5*time.Minute)
	a[0].Key = scheme.Key{Strip: "whsec_", Enc: scheme.Base64}
	return a
}

// senders describes those whose vectors are in testdata, to show that a new
// sender is data.
func senders() map[string][]scheme.Alternative {
	hubspot := func(version, signed string) []scheme.Alternative {
		a := hexOf(scheme.SHA256, "X-HubSpot-Signature", "", signed)
		a[0].Kind, a[0].When = scheme.Digest, [2]string{"header:X-HubSpot-Signature-Version", version}
		return a
	}
	adyen := base64Of("HmacSignature", "{body}")
	adyen[0].Key.Enc = scheme.Hex
	box := timed(append(base64Of("BOX-SIGNATURE-PRIMARY", "{body}{time}"), base64Of("BOX-SIGNATURE-SECONDARY", "{body}{time}")...),
		"header:BOX-DELIVERY-TIMESTAMP", scheme.RFC3339, 10*time.Minute)
	box[0].Fallthrough = true
	sanity := timed(listed(hexOf(scheme.SHA256, "sanity-webhook-signature", "", "{time}.{body}"), ",", "=", "v1"), "sig:t", scheme.UnixMilli, 0)
	sanity[0].Sig.Enc = scheme.Base64URL
	return map[string][]scheme.Alternative{
		"gitea":             hexOf(scheme.SHA256, "X-Gitea-Signature", "", "{body}"),
		"bitbucket-server":  hexOf(scheme.SHA256, "X-Hub-Signature", "sha256=", "{body}"),
		"coinbase-commerce": hexOf(scheme.SHA256, "X-CC-Webhook-Signature", "", "{body}"),
		"razorpay":          hexOf(scheme.SHA256, "X-Razorpay-Signature", "", "{body}"),
		"pusher":            hexOf(scheme.SHA256, "X-Pusher-Signature", "", "{body}"),
		"circleci":          listed(hexOf(scheme.SHA256, "circleci-signature", "", "{body}"), ",", "=", "v1"),
		"pagerduty":         listed(hexOf(scheme.SHA256, "X-PagerDuty-Signature", "", "{body}"), ",", "=", "v1"),
		"shopify":           base64Of("X-Shopify-Hmac-Sha256", "{body}"),
		"square":            base64Of("x-square-hmacsha256-signature", "{url}{body}"),
		"slack":             timed(hexOf(scheme.SHA256, "X-Slack-Signature", "v0=", "v0:{time}:{body}"), "header:X-Slack-Request-Timestamp", scheme.Unix, 5*time.Minute),
		"paddle":            timed(listed(hexOf(scheme.SHA256, "Paddle-Signature", "", "{time}:{body}"), ";", "=", "h1"), "sig:ts", scheme.Unix, 5*time.Second),
		"hubspot":           timed(base64Of("X-HubSpot-Signature-v3", "{method}{url}{body}{time}"), "header:X-HubSpot-Request-Timestamp", scheme.UnixMilli, 5*time.Minute),
		"hubspot-v1":        hubspot("v1", "{secret}{body}"),
		"hubspot-v2":        hubspot("v2", "{secret}{method}{url}{body}"),
		"standard-webhooks": standard("webhook"),
		"svix":              standard("svix"),
		"adyen-platform":    adyen,
		"box":               box,
		"sanity":            sanity,
	}
}

type vector struct {
	Provider, Case, Source, Note, Method, URL, Body string
	Secrets                                         []string
	Headers                                         map[string]string
	Now                                             int64
	Valid                                           bool
}

func (v *vector) request() *auth.Request {
	r := &auth.Request{Method: v.Method, URL: &url.URL{Path: "/"}, Header: http.Header{}, Body: []byte(v.Body), Now: time.Unix(v.Now, 0)}
	for k, value := range v.Headers {
		r.Header.Set(k, value)
	}
	return r
}

// TestPublished verifies what vendors and their libraries publish.
func TestPublished(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/published.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []vector
	if err := json.Unmarshal(b, &vectors); err != nil {
		t.Fatal(err)
	}
	tested := map[string]bool{}
	for i, c := range vectors {
		alts, ok := senders()[c.Provider]
		if !ok {
			t.Errorf("vector %d: nobody describes %s", i, c.Provider)
			continue
		}
		tested[c.Provider] = true
		s := compile(t, alts, c.URL, c.Secrets...)
		_, err := s.Verify(c.request())
		if (err == nil) != c.Valid {
			t.Errorf("vector %d, %s %s: valid %v, got %v (%s; %s)", i, c.Provider, c.Case, c.Valid, err, c.Source, c.Note)
		}
		if !c.Valid {
			continue
		}
		// What verifies can be signed again, and then verifies.
		r := c.request()
		for k := range c.Headers {
			if len(k) > 9 && k[len(k)-9:] == "Signature" {
				r.Header.Del(k)
			}
		}
		if err := s.Sign(r); err != nil {
			t.Errorf("vector %d, %s: %v", i, c.Provider, err)
		} else if _, err := s.Verify(r); err != nil {
			t.Errorf("vector %d, %s: own signature: %v", i, c.Provider, err)
		}
	}
	if len(tested) != len(senders()) {
		t.Errorf("%d of %d senders have vectors", len(tested), len(senders()))
	}
}

func compile(t *testing.T, alts []scheme.Alternative, publicURL string, secrets ...string) *scheme.Scheme {
	t.Helper()
	o := scheme.Options{Name: "test", URL: publicURL}
	for _, s := range secrets {
		o.Secrets = append(o.Secrets, secret.New(s))
	}
	s, err := scheme.Compile(alts, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
