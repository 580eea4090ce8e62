package presets_test

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/auth/internal/scheme"
	"github.com/hookd/hookd/auth/presets"
)

// TestSamples: what a preset prepares is a request of the sender, with the
// delivery id and the event where the preset looks for them.
func TestSamples(t *testing.T) {
	t.Parallel()
	for _, p := range presets.All() {
		for _, id := range []string{"evt_\"1&=", "17"} {
			body := p.Body("", id, authtest.Now)
			wellFormed := json.Valid(body)
			if p.Form() {
				_, err := url.ParseQuery(string(body))
				wellFormed = err == nil
			}
			if !wellFormed {
				t.Errorf("%s: the sample is not well-formed: %s", p.Name, body)
			}
			if p.Code != nil {
				continue // made and marked in a test of its own
			}
			var secrets []string
			if !p.Unsigned {
				secrets = append(secrets, secretsOf(t, &p.Verify[0])[0])
			}
			v, err := newPreset(p, secrets...)
			if err != nil {
				t.Fatal(err)
			}
			r := authtest.Request()
			r.Header, r.Body = nil, body
			v.Prepare(r, "", id)
			if err := v.Sign(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			checkMarks(t, p, v, r, id)
			if r.Header.Get("Content-Type") == "" {
				t.Errorf("%s: headers %v", p.Name, r.Header)
			}
			r.Header.Set("User-Agent", "mine")
			if v.Prepare(r, "other", "other"); r.Header.Get("User-Agent") != "mine" {
				t.Errorf("%s: a header of the caller was replaced", p.Name)
			}
		}
	}
}

func checkMarks(t *testing.T, p *presets.Preset, v *presets.Verifier, r *auth.Request, id string) {
	t.Helper()
	m := v.Mark(r)
	if want := id; len(p.ID) > 0 && m.DeliveryID != want && m.DeliveryID != presets.Number(id) {
		t.Errorf("%s: the delivery id of a prepared request is %q, want %q", p.Name, m.DeliveryID, want)
	}
	if len(p.ID) > 0 && m.Covered != p.CoversID() {
		t.Errorf("%s: the id is covered: %v, and the page says %v", p.Name, m.Covered, p.CoversID())
	}
	if len(p.Type) > 0 && m.Type != p.DefaultEvent {
		t.Errorf("%s: the type of a prepared request is %q, want %q", p.Name, m.Type, p.DefaultEvent)
	}
}

func TestDeclarations(t *testing.T) {
	t.Parallel()
	last := ""
	senders := 0
	for _, p := range presets.All() {
		if p.Name <= last {
			t.Errorf("%q after %q", p.Name, last)
		}
		last = p.Name
		senders++
		for what, text := range map[string]string{
			"title": p.Title, "summary": p.Summary, "doc": p.Doc, "source": p.Source, "sample": p.Sample, "event": p.DefaultEvent,
		} {
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s: no %s", p.Name, what)
			}
		}
		for what, text := range map[string]string{"summary": p.Summary, "doc": p.Doc, "retry": p.Retry} {
			if text != "" && !strings.HasSuffix(text, ".") {
				t.Errorf("%s: the %s is not made of sentences: %q", p.Name, what, text)
			}
		}
		if strings.Contains(p.Summary, "\n") || strings.ToLower(p.Name) != p.Name || strings.ContainsAny(p.Name, " _.") {
			t.Errorf("%s: name or summary %q", p.Name, p.Summary)
		}
		if u, err := url.Parse(p.Source); err != nil || u.Scheme != "https" || u.Host == "" {
			t.Errorf("%s: source %q", p.Name, p.Source)
		}
		if p.Window < 3*24*time.Hour {
			t.Errorf("%s: remembers ids for %s only", p.Name, p.Window)
		}
		if proofs := len(p.Verify); (proofs > 0) == (p.Code != nil || p.Unsigned) || (p.Code != nil || p.Unsigned) && p.Signing == "" {
			t.Errorf("%s: %d ways of data, code %v, unsigned %v, %q", p.Name, proofs, p.Code != nil, p.Unsigned, p.Signing)
		}
	}
	if senders < 90 {
		t.Errorf("%d senders", senders)
	}
	for _, name := range []string{"GitHub", "", "githu", "github2"} {
		if _, ok := presets.Lookup(name); ok {
			t.Errorf("found %q", name)
		}
	}
}

// TestCoverage: what a preset says of its coverage is what its data say.
func TestCoverage(t *testing.T) {
	t.Parallel()
	for _, p := range presets.All() {
		if p.Code != nil {
			continue
		}
		want := presets.CoversNone
		for _, a := range p.Verify {
			switch {
			case a.Kind == scheme.Token || a.Kind == scheme.Basic:
			case strings.Contains(a.Signed, "{body}"), strings.Contains(a.Signed, "{sorted_form}"), strings.Contains(a.Signed, "{php_form}"):
				want = presets.CoversBody
			case want != presets.CoversBody:
				want = presets.CoversPart
			}
		}
		if p.Covers != want {
			t.Errorf("%s says that it covers %s of the body, and its data %s", p.Name, p.Covers, want)
		}
		if (p.Warning() == "") != (want == presets.CoversBody) {
			t.Errorf("%s: warning %q", p.Name, p.Warning())
		}
	}
}

// TestFixedHash: no preset takes the hash from the request, and SHA-1 is where
// the sender has nothing else.
func TestFixedHash(t *testing.T) {
	t.Parallel()
	known := []string{"braintree", "github-sha1", "intercom", "mandrill", "paddle-classic", "trello", "vercel"}
	for _, p := range presets.All() {
		for _, a := range p.Verify {
			if (a.Hash == scheme.SHA1) != slices.Contains(known, p.Name) {
				t.Errorf("%s: hash %s", p.Name, a.Hash.Name())
			}
		}
	}
}

func TestFacts(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]string{
		"github": {
			"signature: header X-Hub-Signature-256, HMAC-SHA256 in hex behind sha256=", "covers: {body}", "of the body it covers: all",
			"delivery id: header X-GitHub-Delivery (not covered by the signature: the body is compared too)", "event type: header X-GitHub-Event", "answer within: 10 seconds",
			"headers: X-GitHub-Event, X-GitHub-Delivery", "remembered for: 7 days",
		},
		"stripe": {
			"signature: header Stripe-Signature, HMAC-SHA256 in hex as v1", "covers: {time}.{body}", "clock: t of the signature header, tolerance 5 minutes",
			"delivery id: JSON member id (covered by the signature)", "event type: JSON member type",
		},
		"square":       {"public_url: must be set: the signature covers the URL", "covers: {url}{body}"},
		"braintree":    {"setting public_key: the public key whose private key is the secret (required)", "or signature: form field bt_signature, HMAC-SHA1 in hex as {param:public_key}"},
		"hubspot-v1":   {"signature: header X-HubSpot-Signature, SHA256 in hex, where header X-HubSpot-Signature-Version is v1"},
		"chargebee":    {"signature: header Authorization, Basic, the secret is user:password", "of the body it covers: nothing"},
		"discord":      {"signature: header X-Signature-Ed25519, Ed25519 in hex"},
		"sendgrid":     {"signature: header X-Twilio-Email-Event-Webhook-Signature, ECDSA-SHA256 in base64"},
		"kick":         {"signature: header Kick-Event-Signature, RSA-SHA256 in base64"},
		"brevo":        {"signature: header Authorization, the secret itself behind Bearer"},
		"sanity":       {"clock: t of the signature header, no limit unless you set tolerance"},
		"cloudevents":  {"or signature: query parameter access_token, the secret itself"},
		"dockerhub":    {"signature: nothing is signed, and no token is sent", "delivery id: none: repeats are told by the body"},
		"gitlab-token": {"of the body it covers: nothing"},
		"mailgun":      {"of the body it covers: some members"},
	} {
		p, _ := presets.Lookup(name)
		var lines []string
		for _, f := range p.Facts() {
			lines = append(lines, f.Label+": "+f.Text)
		}
		for _, line := range want {
			if !slices.Contains(lines, line) {
				t.Errorf("%s lacks %q in\n%s", name, line, strings.Join(lines, "\n"))
			}
		}
	}
}
