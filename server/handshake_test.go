package server_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/presets"
	"github.com/hookd/hookd/internal/secret"
)

// discordKey is the key of the application that the Discord hook is for.
var discordKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))

// shaking are hooks of all senders with a handshake, and one of a sender
// without.
var shaking = fmt.Sprintf(`{
  "github": {"provider": "github", "secret": "s3cret", "module": "log"},
  "slack": {"provider": "slack", "secret": "s3cret", "module": "log"},
  "zoom": {"provider": "zoom", "secret": "s3cret", "module": "log"},
  "meta": {"provider": "meta", "secret": "s3cret", "params": {"verify_token": "v3rify"}, "module": "log"},
  "whatsapp": {"provider": "whatsapp", "secret": "s3cret", "params": {"verify_token": "v3rify"}, "module": "log"},
  "meta-bare": {"provider": "meta", "secret": "s3cret", "module": "log"},
  "msgraph": {"provider": "msgraph", "secret": "s3cret", "module": "log"},
  "dropbox": {"provider": "dropbox", "secret": "s3cret", "module": "log"},
  "x": {"provider": "x-twitter", "secret": "s3cret", "module": "log"},
  "okta": {"provider": "okta", "secret": "s3cret", "module": "log"},
  "cloudevents": {"provider": "cloudevents", "secret": "s3cret", "module": "log", "rate_limit": {"max_requests": 30, "window_seconds": 15}},
  "cloudevents-free": {"provider": "cloudevents", "secret": "s3cret", "module": "log"},
  "cloudevents-pinned": {"provider": "cloudevents", "secret": "s3cret", "params": {"allowed_origins": "eventgrid.azure.net, b.example"}, "module": "log"},
  "discord": {"provider": "discord", "secret": %q, "module": "log"},
  "twitch": {"provider": "twitch", "secret": "s3cret-of-twitch", "module": "log"},
  "braintree": {"provider": "braintree", "secret": "private", "params": {"public_key": "public"}, "data_type": "form", "module": "log"},
  "trello": {"provider": "trello", "secret": "s3cret", "public_url": "https://example.com/webhook/trello", "module": "log"},
  "mandrill": {"provider": "mandrill", "secret": "s3cret", "public_url": "https://example.com/webhook/mandrill", "data_type": "form", "module": "log"},
  "mailchimp": {"provider": "mailchimp", "query_auth": {"parameter_name": "key", "api_key": "in-the-url"}, "data_type": "form", "module": "log"},
  "asana": {"provider": "asana", "params": {"capture": "on"}, "module": "log"},
  "asana-disarmed": {"provider": "asana", "secret": "s3cret", "module": "log"},
  "notion": {"provider": "notion", "params": {"capture": "on"}, "module": "log"}
}`, hex.EncodeToString(discordKey.Public().(ed25519.PublicKey)))

// served starts a daemon with the hooks, and drops from es those of senders
// that are not among the presets.
func served(t *testing.T, es []exchange) (*running, []exchange) {
	t.Helper()
	hooks := shaking
	for _, line := range strings.Split(shaking, "\n") {
		_, name, ok := strings.Cut(line, `"provider": "`)
		if name, _, _ = strings.Cut(name, `"`); !ok {
			continue
		}
		if _, known := presets.Lookup(name); !known {
			hooks = strings.Replace(hooks, line+"\n", "", 1)
			es = slices.DeleteFunc(slices.Clone(es), func(e exchange) bool { return strings.HasPrefix(e.path, name) })
			t.Logf("there is no preset %s", name)
		}
	}
	return start(t, t.TempDir(), hooks), es
}

// proved is how a request proves itself.
type proved func(t *testing.T, r *auth.Request)

// as signs with a preset's own code.
func as(provider, key string) proved {
	return func(t *testing.T, r *auth.Request) {
		t.Helper()
		p, ok := presets.Lookup(provider)
		if !ok {
			t.Fatal("no preset " + provider)
		}
		v, err := p.New(auth.Env{}, presets.Options{Secrets: []secret.String{secret.New(key)}})
		if err != nil {
			t.Fatal(err)
		}
		v.Prepare(r, "", "id-1")
		if err := v.Sign(context.Background(), r); err != nil {
			t.Fatal(err)
		}
	}
}

func discord(_ *testing.T, r *auth.Request) {
	at := fmt.Sprint(r.Now.Unix())
	r.Header.Set("X-Signature-Timestamp", at)
	r.Header.Set("X-Signature-Ed25519", hex.EncodeToString(ed25519.Sign(discordKey, append([]byte(at), r.Body...))))
}

// wrong spoils a proof.
func wrong(p proved) proved {
	return func(t *testing.T, r *auth.Request) {
		body := r.Body
		r.Body = append([]byte(" "), body...)
		p(t, r)
		r.Body = body
	}
}

type exchange struct {
	name, method, path string
	header             map[string]string
	body               string
	prove              proved

	status int
	answer string
	want   map[string]string // headers of the answer, besides those that all have
}

const (
	textPlain = "text/plain; charset=utf-8"
	jsonType  = "application/json"
	problem   = "application/problem+json"
)

var exchanges = []exchange{
	{
		name: "slack", method: "POST", path: "slack", prove: as("slack", "s3cret"),
		body:   `{"token":"Jhj5dZrVaK7ZwHHjRyZWjbDl","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P","type":"url_verification"}`,
		status: 200, answer: "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P", want: map[string]string{"Content-Type": textPlain},
	},
	{name: "slack, not signed", method: "POST", path: "slack", body: `{"challenge":"abc","type":"url_verification"}`, status: 401},
	{name: "slack, wrong signature", method: "POST", path: "slack", body: `{"challenge":"abc","type":"url_verification"}`, prove: wrong(as("slack", "s3cret")), status: 401},
	{
		name: "zoom", method: "POST", path: "zoom", prove: as("zoom", "s3cret"),
		body:   `{"payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"},"event_ts":1654503849680,"event":"endpoint.url_validation"}`,
		status: 200, want: map[string]string{"Content-Type": jsonType},
		// printf qgg8vlvZRS6UYooatFL8Aw | openssl dgst -sha256 -hmac s3cret
		answer: `{"plainToken":"qgg8vlvZRS6UYooatFL8Aw","encryptedToken":"f54f2d5fee8f181aab8371bada7fed9bb675eae464f18ed4fb91715244b58ef4"}`,
	},
	{name: "zoom, wrong signature", method: "POST", path: "zoom", body: `{"payload":{"plainToken":"a"},"event":"endpoint.url_validation"}`, prove: wrong(as("zoom", "s3cret")), status: 401},
	{
		name: "meta", method: "GET", path: "meta?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=v3rify",
		status: 200, answer: "1158201444", want: map[string]string{"Content-Type": textPlain},
	},
	{name: "whatsapp", method: "GET", path: "whatsapp?hub.mode=subscribe&hub.verify_token=v3rify&hub.challenge=7", status: 200, answer: "7", want: map[string]string{"Content-Type": textPlain}},
	{name: "meta, wrong token", method: "GET", path: "meta?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=other", status: 403},
	{name: "meta, two tokens", method: "GET", path: "meta?hub.mode=subscribe&hub.challenge=1&hub.verify_token=v3rify&hub.verify_token=x", status: 403},
	{name: "meta, no token", method: "GET", path: "meta?hub.mode=subscribe&hub.challenge=1158201444", status: 401},
	{name: "meta, empty token", method: "GET", path: "meta-bare?hub.mode=subscribe&hub.challenge=1&hub.verify_token=", status: 401},
	{name: "meta, token not configured", method: "GET", path: "meta-bare?hub.mode=subscribe&hub.challenge=1&hub.verify_token=x", status: 401},
	{
		name: "msgraph", method: "POST", path: "msgraph?validationToken=Validation%3a+Testing+client+application+reachability+for+subscription",
		status: 200, answer: "Validation: Testing client application reachability for subscription", want: map[string]string{"Content-Type": textPlain},
	},
	{name: "dropbox", method: "GET", path: "dropbox?challenge=AbCdEf123", status: 200, answer: "AbCdEf123", want: map[string]string{"Content-Type": textPlain, "X-Content-Type-Options": "nosniff"}},
	{
		name: "x", method: "GET", path: "x?crc_token=Y3JjLXRva2Vu&nonce=123", status: 200,
		// printf Y3JjLXRva2Vu | openssl dgst -sha256 -hmac s3cret -binary | base64
		answer: `{"response_token":"sha256=oka6P/13zIGVD/o97VT6u2NXSk/mc9l4j+GgdvF7dfA="}`, want: map[string]string{"Content-Type": jsonType},
	},
	{name: "x, an event as token", method: "GET", path: "x?crc_token=" + url.QueryEscape(`{"for_user_id":"1"}`), status: 401},
	{name: "x, a number as token", method: "GET", path: "x?crc_token=12e3", status: 401},
	{name: "x, a word of JSON as token", method: "GET", path: "x?crc_token=true", status: 401},
	{
		name: "okta", method: "GET", path: "okta", header: map[string]string{"X-Okta-Verification-Challenge": "Me_rShK8JHsTnbyYrWXCEoMGbM_zsZ6k0hLPZ_Pg", "Authorization": "s3cret"},
		status: 200, answer: `{"verification":"Me_rShK8JHsTnbyYrWXCEoMGbM_zsZ6k0hLPZ_Pg"}`, want: map[string]string{"Content-Type": jsonType},
	},
	{name: "okta, wrong authorization", method: "GET", path: "okta", header: map[string]string{"X-Okta-Verification-Challenge": "abc", "Authorization": "other"}, status: 401},
	{name: "okta, no authorization", method: "GET", path: "okta", header: map[string]string{"X-Okta-Verification-Challenge": "abc"}, status: 401},
	{name: "okta, no challenge", method: "GET", path: "okta", header: map[string]string{"Authorization": "s3cret"}, status: 405},
	{
		name: "cloudevents", method: "OPTIONS", path: "cloudevents", header: map[string]string{"WebHook-Request-Origin": "eventemitter.example.com", "WebHook-Request-Rate": "1000"},
		status: 200, want: map[string]string{"Allow": "POST", "WebHook-Allowed-Origin": "eventemitter.example.com", "WebHook-Allowed-Rate": "120"},
	},
	{
		name: "cloudevents, no limit", method: "OPTIONS", path: "cloudevents-free", header: map[string]string{"WebHook-Request-Origin": "eventemitter.example.com"},
		status: 200, want: map[string]string{"Allow": "POST", "WebHook-Allowed-Origin": "eventemitter.example.com", "WebHook-Allowed-Rate": "*"},
	},
	{
		name: "cloudevents, listed", method: "OPTIONS", path: "cloudevents-pinned", header: map[string]string{"WebHook-Request-Origin": "eventgrid.azure.net"},
		status: 200, want: map[string]string{"WebHook-Allowed-Origin": "eventgrid.azure.net"},
	},
	{name: "cloudevents, not listed", method: "OPTIONS", path: "cloudevents-pinned", header: map[string]string{"WebHook-Request-Origin": "evil.example"}, status: 405},
	{name: "cloudevents, no origin", method: "OPTIONS", path: "cloudevents", status: 401},
	{name: "discord interactions", method: "POST", path: "discord", body: `{"application_id":"1","id":"2","token":"aW50","type":1,"version":1}`, prove: discord, status: 200, answer: `{"type":1}`, want: map[string]string{"Content-Type": jsonType}},
	{name: "discord interactions, wrong signature", method: "POST", path: "discord", body: `{"type":1}`, prove: wrong(discord), status: 401},
	{name: "discord events", method: "POST", path: "discord", body: `{"version":1,"application_id":"1234560123453231555","type":0}`, prove: discord, status: 204, want: map[string]string{"Content-Type": textPlain}},
	{name: "discord events, wrong signature", method: "POST", path: "discord", body: `{"type":0}`, prove: wrong(discord), status: 401},
	{
		name: "twitch", method: "POST", path: "twitch", header: map[string]string{"Twitch-Eventsub-Message-Type": "webhook_callback_verification"}, prove: as("twitch", "s3cret-of-twitch"),
		body:   `{"challenge":"pogchamp-kappa-360noscope-vohiyo","subscription":{"id":"f1c2a387"}}`,
		status: 200, answer: "pogchamp-kappa-360noscope-vohiyo", want: map[string]string{"Content-Type": textPlain},
	},
	{
		name: "twitch, wrong signature", method: "POST", path: "twitch", header: map[string]string{"Twitch-Eventsub-Message-Type": "webhook_callback_verification"},
		body: `{"challenge":"abc"}`, prove: wrong(as("twitch", "s3cret-of-twitch")), status: 401,
	},
	{
		name: "braintree", method: "GET", path: "braintree?bt_challenge=20f9f8ed05f77439fe955c977e4c8a53", status: 200,
		answer: "public|3077328431565fee44b856ee88190b8a2abd06e4", want: map[string]string{"Content-Type": textPlain},
	},
	{name: "braintree, another form", method: "GET", path: "braintree?bt_challenge=" + url.QueryEscape("bt_payload=x"), status: 401},
	{name: "trello", method: "HEAD", path: "trello", status: 200, want: map[string]string{"Content-Type": textPlain}},
	{name: "trello, GET", method: "GET", path: "trello", status: 200},
	{name: "mandrill", method: "HEAD", path: "mandrill", status: 200},
	{name: "mailchimp", method: "GET", path: "mailchimp?key=in-the-url", status: 200},
	{name: "mailchimp, wrong key", method: "GET", path: "mailchimp?key=other", status: 401},
	{name: "asana, not armed", method: "POST", path: "asana-disarmed", header: map[string]string{"X-Hook-Secret": "b537207f20cbfa02357cf448134da559"}, body: `{}`, status: 401},
	{
		name: "asana", method: "POST", path: "asana", header: map[string]string{"X-Hook-Secret": "b537207f20cbfa02357cf448134da559"}, body: `{}`,
		status: 200, want: map[string]string{"X-Hook-Secret": "b537207f20cbfa02357cf448134da559"},
	},
	{
		name: "notion", method: "POST", path: "notion", body: `{"verification_token":"secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl"}`,
		status: 200,
	},
	{name: "no handshake, GET", method: "GET", path: "github?challenge=a&hub.mode=subscribe&hub.challenge=a&crc_token=a", status: 405},
	{name: "no handshake, HEAD", method: "HEAD", path: "github", status: 405},
	{name: "no handshake, OPTIONS", method: "OPTIONS", path: "github", header: map[string]string{"WebHook-Request-Origin": "a"}, status: 405},
}

// do sends the request and returns the answer with its body.
func (r *running) do(t *testing.T, e *exchange) (*http.Response, string) {
	t.Helper()
	u, err := url.Parse("http://" + r.Listen + "/webhook/" + e.path)
	if err != nil {
		t.Fatal(err)
	}
	proof := &auth.Request{Method: e.method, URL: u, Host: u.Host, Header: http.Header{}, Body: []byte(e.body), Now: time.Now()}
	if e.body != "" {
		proof.Header.Set("Content-Type", "application/json")
	}
	for k, v := range e.header {
		proof.Header.Set(k, v)
	}
	if e.prove != nil {
		e.prove(t, proof)
	}
	for k, v := range e.header { // also what the preparing would set otherwise
		proof.Header.Set(k, v)
	}
	req, err := http.NewRequestWithContext(t.Context(), e.method, u.String(), strings.NewReader(e.body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = proof.Header
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}

// told is a request and its answer for the log of the test.
func (e *exchange) told(res *http.Response, body string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n> %s /webhook/%s\n", e.name, e.method, e.path)
	for _, k := range slices.Sorted(maps.Keys(e.header)) {
		fmt.Fprintf(&b, "> %s: %s\n", k, e.header[k])
	}
	if e.body != "" {
		fmt.Fprintf(&b, "> %s\n", e.body)
	}
	fmt.Fprintf(&b, "< %s\n", res.Status)
	for _, k := range []string{"Content-Type", "Cache-Control", "X-Content-Type-Options", "Allow", "Webhook-Allowed-Origin", "Webhook-Allowed-Rate", "X-Hook-Secret"} {
		if v := res.Header.Get(k); v != "" {
			fmt.Fprintf(&b, "< %s: %s\n", k, v)
		}
	}
	fmt.Fprintf(&b, "< %s", body)
	return b.String()
}

func TestHandshakes(t *testing.T) {
	r, es := served(t, exchanges)
	for i := range es {
		e := &es[i]
		res, body := r.do(t, e)
		t.Log(e.told(res, body))
		if res.StatusCode != e.status {
			t.Errorf("%s: status %d, want %d", e.name, res.StatusCode, e.status)
			continue
		}
		if res.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: may be sniffed", e.name)
		}
		if e.status < 300 {
			if body != e.answer {
				t.Errorf("%s: answer %q, want %q", e.name, body, e.answer)
			}
			if res.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: may be cached", e.name)
			}
		} else if e.method != "HEAD" && !strings.HasPrefix(res.Header.Get("Content-Type"), problem) {
			t.Errorf("%s: refused with %q", e.name, res.Header.Get("Content-Type"))
		}
		for k, v := range e.want {
			if got := res.Header.Get(k); got != v {
				t.Errorf("%s: %s is %q, want %q", e.name, k, got, v)
			}
		}
	}
	if lanes, err := r.client(t).Lanes(t.Context()); err != nil || len(lanes) == 0 {
		t.Error(lanes, err)
	}
	if r.out.String() != "" {
		t.Errorf("handshakes were delivered as events: %s", r.out)
	}
}

// TestHandshakesElsewhere: the handshake of one sender is none on the hook of
// another.
func TestHandshakesElsewhere(t *testing.T) {
	r, es := served(t, exchanges)
	for _, e := range es {
		_, query, _ := strings.Cut(e.path, "?")
		e.path, e.header = "github?"+query, maps.Clone(e.header)
		if res, body := r.do(t, &e); res.StatusCode < 400 || strings.Contains(e.answer, body) && body != "" && len(body) < 80 {
			t.Errorf("%s is answered on the hook of GitHub: %d %s", e.name, res.StatusCode, body)
		}
	}
}

// TestHandshakesReflectWithCare: what comes back is never a page, never a second
// line, and never long.
func TestHandshakesReflectWithCare(t *testing.T) {
	r, _ := served(t, nil)
	const page = `<script>alert(1)</script>"\`
	for _, c := range []struct {
		what, value string
		back        bool
	}{
		{"a page", page, true},
		{"1024 bytes", strings.Repeat("a", 1024), true},
		{"1025 bytes", strings.Repeat("a", 1025), false},
		{"10 KiB", strings.Repeat("a", 10<<10), false},
		{"a second line", "a\r\nSet-Cookie: b=c", false},
		{"a line feed", "a\nb", false},
		{"NUL", "a\x00b", false},
		{"a tab", "a\tb", false},
		{"no UTF-8", "a\xffb", false},
		{"nothing", "", false},
	} {
		q := url.QueryEscape(c.value)
		// As %q, but for the bytes: those are sent as they are.
		inJSON := strings.NewReplacer(`\x00`, `\u0000`, `\xff`, string([]byte{0xff})).Replace(fmt.Sprintf("%q", c.value))
		for _, e := range []exchange{
			{name: "meta", method: "GET", path: "meta?hub.mode=subscribe&hub.verify_token=v3rify&hub.challenge=" + q},
			{name: "msgraph", method: "POST", path: "msgraph?validationToken=" + q},
			{name: "dropbox", method: "GET", path: "dropbox?challenge=" + q},
			{name: "slack", method: "POST", path: "slack", body: `{"type":"url_verification","challenge":` + inJSON + `}`, prove: as("slack", "s3cret")},
			{name: "zoom", method: "POST", path: "zoom", body: `{"event":"endpoint.url_validation","payload":{"plainToken":` + inJSON + `}}`, prove: as("zoom", "s3cret")},
		} {
			if _, known := presets.Lookup(e.name); !known {
				continue
			}
			res, body := r.do(t, &e)
			kind := res.Header.Get("Content-Type")
			if strings.Contains(kind, "html") || res.Header.Get("X-Content-Type-Options") != "nosniff" || res.Header.Get("Set-Cookie") != "" {
				t.Errorf("%s, %s: %v", e.name, c.what, res.Header)
			}
			answered := res.StatusCode == http.StatusOK && !strings.Contains(body, `"message":"200 OK"`)
			if answered != c.back {
				t.Errorf("%s, %s: status %d, %.100q", e.name, c.what, res.StatusCode, body)
			}
			if answered && kind == textPlain && body != c.value {
				t.Errorf("%s, %s: %q", e.name, c.what, body)
			}
			if answered && kind == jsonType && strings.ContainsAny(body, "<>") {
				t.Errorf("%s, %s: %q is not escaped", e.name, c.what, body)
			}
		}
	}
	for _, v := range []string{"a b", "ä", strings.Repeat("a", 1025)} {
		e := exchange{method: "OPTIONS", path: "cloudevents-free", header: map[string]string{"WebHook-Request-Origin": v}}
		if res, _ := r.do(t, &e); res.StatusCode != http.StatusUnauthorized || res.Header.Get("WebHook-Allowed-Origin") != "" {
			t.Errorf("origin %.20q: %d %v", v, res.StatusCode, res.Header)
		}
	}
}

// TestDiscordEvents are no pings, although their type is that of one.
func TestDiscordEvents(t *testing.T) {
	r, _ := served(t, nil)
	e := exchange{
		method: "POST", path: "discord", prove: discord,
		body: `{"version":1,"application_id":"1","type":1,"event":{"type":"APPLICATION_AUTHORIZED","timestamp":"2024-10-18T14:42:53","data":{}}}`,
	}
	if res, body := r.do(t, &e); res.StatusCode != http.StatusNoContent || body != "" || res.Header.Get("Hookd-Event-Id") == "" {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	r.settled(t)
	if !strings.Contains(r.out.String(), "APPLICATION_AUTHORIZED") {
		t.Errorf("not delivered: %s", r.out)
	}
}
