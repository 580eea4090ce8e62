package presets_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/auth/internal/scheme"
	"github.com/hookd/hookd/auth/presets"
	"github.com/hookd/hookd/internal/secret"
)

// kept is a place for one secret.
type kept struct {
	mu     sync.Mutex
	secret secret.String
	broken bool
}

func (k *kept) Get(string) (secret.String, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.secret, !k.secret.IsZero()
}

func (k *kept) Put(_ context.Context, _ string, s secret.String) (bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.broken {
		return false, errors.New("the disk is full")
	}
	if !k.secret.IsZero() {
		return false, nil
	}
	k.secret = s
	return true, nil
}

func armed() presets.Options {
	return presets.Options{
		Secrets: []secret.String{secret.New("s3cret")},
		Params:  map[string]string{"verify_token": "v3rify", "public_key": "public", "capture": "on"},
	}
}

func shakes(t testing.TB, env auth.Env) map[string]auth.Handshake {
	t.Helper()
	all, err := presets.Shakes(env, armed())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func ask(method, query, body string, headers ...string) *auth.Request {
	r := &auth.Request{Method: method, URL: &url.URL{Path: "/webhook/a", RawQuery: query}, Header: http.Header{}, Body: []byte(body)}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func TestShakingSendersAreKnown(t *testing.T) {
	t.Parallel()
	for _, name := range presets.Shaking() {
		p, ok := presets.Lookup(name)
		if !ok {
			if name != "msgraph" { // its proof is made apart
				t.Errorf("the handshake of %s belongs to no preset", name)
			}
			continue
		}
		if p.Handshake == nil || strings.TrimSpace(p.Handshake.Doc) == "" {
			t.Errorf("%s: no handshake, or none that is described", name)
		}
		if !slices.ContainsFunc(p.Facts(), func(f presets.Fact) bool { return f.Label == "handshake" && f.Text == p.Handshake.Doc }) {
			t.Errorf("%s: the page does not tell of the handshake", name)
		}
	}
	for _, p := range presets.All() {
		if p.Handshake != nil && !slices.Contains(presets.Shaking(), p.Name) {
			t.Errorf("%s has a handshake that nothing here looks at", p.Name)
		}
	}
}

// TestShakeAnswers are those of unsigned requests and of ones that have proved
// themselves; the whole way is in the tests of the daemon.
func TestShakeAnswers(t *testing.T) {
	t.Parallel()
	all := shakes(t, auth.Env{Captures: &kept{}})
	for _, c := range []struct {
		sender   string
		r        *auth.Request
		verified bool
		want     string
	}{
		{"msgraph", ask("POST", "validationToken=a%2Bb+c%3A1", ""), false, "a+b c:1"},
		{"msgraph", ask("POST", "other=1", ""), false, "-"},
		{"msgraph", ask("POST", "validationToken=a&validationToken=b", ""), false, "-"},
		{"msgraph", ask("GET", "validationToken=a", ""), false, "-"},
		{"dropbox", ask("POST", "challenge=a", ""), false, "-"},
		{"dropbox", ask("GET", "challenge=a&challenge=b", ""), false, "-"},
		{"dropbox", ask("GET", "challenge=a;b", ""), false, "a;b"},
		{"slack", ask("POST", "", `{"type":"url_verification","challenge":"c"}`), false, "-"},
		{"slack", ask("POST", "", `{"type":"url_verification","challenge":"c"}`), true, "c"},
		{"slack", ask("POST", "", `{"type":"event_callback","challenge":"c"}`), true, "-"},
		{"slack", ask("POST", "", `{"type":"url_verification","type":"x","challenge":"c"}`), true, "-"},
		{"slack", ask("POST", "", `{"type":"url_verification","challenge":"c","challenge":"d"}`), true, "-"},
		{"slack", ask("POST", "", `{"type":"url_verification","challenge":{"a":"c"}}`), true, "-"},
		{"zoom", ask("POST", "", `{"event":"meeting.started","payload":{"plainToken":"a"}}`), true, "-"},
		{"discord", ask("POST", "", `{"type":1}`), true, `{"type":1}`},
		{"discord", ask("POST", "", `{"type":1,"event":{"type":"X"}}`), true, "-"},
		{"discord", ask("POST", "", `{"type":2,"data":{"id":"1"}}`), true, "-"},
		{"discord", ask("POST", "", `{"type":0}`), true, ""},
		{"discord", ask("POST", "", `{"type":10}`), true, "-"},
		{"twitch", ask("POST", "", `{"challenge":"c"}`), true, "-"},
		{"twitch", ask("POST", "", `{"challenge":"c"}`, "Twitch-Eventsub-Message-Type", "notification"), true, "-"},
		{"okta", ask("GET", "", "", "X-Okta-Verification-Challenge", `a"b\<`), true, `{"verification":"a\"b\\\u003c"}`},
		{"okta", ask("GET", "", "", "X-Okta-Verification-Challenge", "a", "X-Okta-Verification-Challenge", "b"), true, "-"},
		{"braintree", ask("GET", "bt_challenge=20F9F8ED05F77439FE955C977E4C8A53", ""), false, "-"},
		{"braintree", ask("GET", "bt_challenge=20f9f8ed05f77439fe9", ""), false, "-"},
		{"x-twitter", ask("GET", "crc_token=false", ""), false, "-"},
		{"x-twitter", ask("GET", "crc_token=-0.1e1", ""), false, "-"},
		{"mailchimp", ask("GET", "key=a", ""), true, ""},
		{"trello", ask("POST", "", ""), false, "-"},
		{"trello", ask("HEAD", "", ""), false, ""},
	} {
		got := "-"
		if a := all[c.sender].Answer(t.Context(), c.r, c.verified); a != nil {
			if got = string(a.Body); a.Err != nil {
				got = a.Err.Error()
			}
		}
		if got != c.want {
			t.Errorf("%s %s %s %s: %q, want %q", c.sender, c.r.Method, c.r.URL.RawQuery, c.r.Body, got, c.want)
		}
		if a := all[c.sender].Answer(t.Context(), c.r, !c.verified); a != nil && c.want != "-" {
			t.Errorf("%s %s: answered with verified %v, too", c.sender, c.r.Body, !c.verified)
		}
	}
}

func TestShakeLanguage(t *testing.T) {
	t.Parallel()
	o := armed()
	for _, c := range []struct {
		name string
		step presets.Step
		o    presets.Options
	}{
		{"unknown source", presets.Step{Reply: presets.Reply{Body: "{cookie:a}"}}, o},
		{"unknown atom", presets.Step{Reply: presets.Reply{Body: "{challenge}"}}, o},
		{"open brace", presets.Step{Reply: presets.Reply{Body: "{query:a"}}, o},
		{"condition", presets.Step{When: []presets.Cond{{At: "type"}}}, o},
		{"token", presets.Step{Token: [2]string{"type", "verify_token"}}, o},
		{"list", presets.Step{Listed: [2]string{"type", "verify_token"}}, o},
		{"capture", presets.Step{Capture: "type"}, o},
		{"header", presets.Step{Reply: presets.Reply{Headers: []presets.Header{{Name: "A", Value: "{x}"}}}}, o},
		{"no secret to sign with", presets.Step{Reply: presets.Reply{Body: "{hmac-hex:query:a}"}}, presets.Options{}},
		{"secret of another form", presets.Step{Key: scheme.Key{Enc: scheme.Hex}, Reply: presets.Reply{Body: "{hmac-hex:query:a}"}}, o},
		{"list and star", presets.Step{Listed: [2]string{"query:a", "list"}}, presets.Options{Params: map[string]string{"list": "*,a"}}},
		{"empty list", presets.Step{Listed: [2]string{"query:a", "list"}}, presets.Options{Params: map[string]string{"list": " , "}}},
	} {
		if c.step.Capture != "" {
			c.o.Params = map[string]string{"capture": "on"}
		}
		_, err := presets.NewShake(&presets.Handshake{Steps: []presets.Step{c.step}}, auth.Env{}, c.o)
		if err == nil {
			t.Errorf("%s: was taken", c.name)
		} else if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: tells the secret: %v", c.name, err)
		}
	}
	h, err := presets.NewShake(&presets.Handshake{Steps: []presets.Step{{
		Methods: []string{"GET"},
		Reply: presets.Reply{
			Status: 201, ContentType: "application/json",
			Body:    `{"a":{"b":"{query:a}"},"r":"{rate}","{":"}"}`,
			Headers: []presets.Header{{Name: "X-A", Value: "<{query:a}>"}},
		},
	}}}, auth.Env{}, presets.Options{Rate: 7})
	if err != nil {
		t.Fatal(err)
	}
	a := h.Answer(t.Context(), ask("GET", `a="x"`, ""), false)
	if a == nil || a.Status != 201 || string(a.Body) != `{"a":{"b":"\"x\""},"r":"7","{":"}"}` || a.Header["X-A"] != `<"x">` || a.Header["Content-Type"] != "application/json" {
		t.Errorf("answer %+v", a)
	}
	if a := h.Answer(t.Context(), ask("GET", "a=x+y", ""), false); a != nil {
		t.Errorf("a blank in a header: %+v", a)
	}
}

func TestShakeCaptures(t *testing.T) {
	t.Parallel()
	hand := func(s string) *auth.Request { return ask("POST", "", "{}", "X-Hook-Secret", s) }
	const good, evil = "b537207f20cbfa02357cf448134da559", "00000000000000000000000000000000"
	place := &kept{broken: true}
	h := shakes(t, auth.Env{Captures: place, Hook: "tasks"})["asana"]
	if a := h.Answer(t.Context(), hand(good), true); a != nil {
		t.Errorf("answered after the proofs: %+v", a)
	}
	for _, c := range []struct {
		name, value string
		status      int // 0 is no answer
		repair      bool
	}{
		{"a broken place", good, 503, false},
		{"too short", good[:15], 400, true},
		{"with a blank", "b537207f20cbfa02357 cf448134da559", 0, false},
		{"not ASCII", "b537207f20cbfa02357cf448134da559ä", 0, false},
		{"the first", good, 200, false},
		{"the same", good, 200, false},
		{"another", evil, 409, false},
		{"the first again", good, 200, false},
	} {
		if c.repair {
			place.broken = false
		}
		a := h.Answer(t.Context(), hand(c.value), false)
		switch {
		case c.status == 0 && a == nil:
		case c.status == 0 || a == nil:
			t.Errorf("%s: %+v", c.name, a)
		case c.status == 200:
			if a.Err != nil || a.Header["X-Hook-Secret"] != c.value {
				t.Errorf("%s: %+v", c.name, a)
			}
		case a.Status != c.status || a.Err == nil || len(a.Header) != 0:
			t.Errorf("%s: %+v", c.name, a)
		case strings.Contains(a.Err.Error(), c.value):
			t.Errorf("%s: tells the secret: %v", c.name, a.Err)
		}
	}
	if s, _ := place.Get(""); !s.Equal(good) {
		t.Error("another secret is kept")
	}
	if a := shakes(t, auth.Env{})["asana"].Answer(t.Context(), hand(good), false); a == nil || a.Status != 503 {
		t.Errorf("without a place: %+v", a)
	}
}

// TestCapturingVerifier: a secret counts from the moment in which it is there,
// without a reload, and no longer than it is there.
func TestCapturingVerifier(t *testing.T) {
	t.Parallel()
	p, ok := presets.Lookup("asana")
	if !ok {
		t.Fatal("no preset asana")
	}
	const good = "b537207f20cbfa02357cf448134da559"
	place := &kept{}
	build := func(env auth.Env, secrets ...string) *presets.Verifier {
		t.Helper()
		o := presets.Options{Params: map[string]string{"capture": "on"}}
		for _, s := range secrets {
			o.Secrets = append(o.Secrets, secret.New(s))
		}
		v, err := p.New(env, o)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	v := build(auth.Env{Captures: place, Hook: "tasks"})
	signed := func(key string) *auth.Request {
		r := ask("POST", "", `{"events":[]}`)
		if err := buildAsana(t, p, key).Sign(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	if _, err := v.Verify(t.Context(), signed(good)); codeOf(err) != auth.CodeNotCaptured {
		t.Errorf("before: %v", err)
	}
	if err := v.Sign(t.Context(), ask("POST", "", "")); codeOf(err) != auth.CodeNotCaptured {
		t.Errorf("signing before: %v", err)
	}
	if got := v.CredentialHeaders(); !slices.Equal(got, []string{"X-Hook-Signature"}) {
		t.Errorf("credential headers %q", got)
	}
	place.secret = secret.New(good)
	if id, err := v.Verify(t.Context(), signed(good)); err != nil || id.Subject != "asana:0" {
		t.Errorf("after: %+v %v", id, err)
	}
	if _, err := v.Verify(t.Context(), signed("another-secret-of-others")); codeOf(err) != auth.CodeSignatureMismatch {
		t.Errorf("another secret: %v", err)
	}
	r := ask("POST", "", `{"events":[]}`)
	if err := v.Sign(t.Context(), r); err != nil {
		t.Error(err)
	}
	if _, err := v.Verify(t.Context(), r); err != nil {
		t.Errorf("signed with the captured secret: %v", err)
	}
	place.secret = secret.New("next-secret-of-the-sender")
	if _, err := v.Verify(t.Context(), signed(good)); codeOf(err) != auth.CodeSignatureMismatch {
		t.Errorf("the secret before: %v", err)
	}
	place.secret = secret.String{}
	if _, err := v.Verify(t.Context(), signed(good)); codeOf(err) != auth.CodeNotCaptured {
		t.Errorf("deleted: %v", err)
	}
	if _, err := build(auth.Env{}).Verify(t.Context(), signed(good)); codeOf(err) != auth.CodeNotCaptured {
		t.Errorf("offline: %v", err)
	}
	beside := build(auth.Env{Captures: place, Hook: "tasks"}, "configured")
	if _, err := beside.Verify(t.Context(), signed("configured")); err != nil {
		t.Errorf("the configured secret: %v", err)
	}
	full := presets.Options{Params: map[string]string{"capture": "on"}, Secrets: slices.Repeat([]secret.String{secret.New("x")}, scheme.MaxSecrets)}
	if _, err := p.New(auth.Env{}, full); err == nil {
		t.Error("there is no room for the captured secret")
	}
}

func buildAsana(t *testing.T, p *presets.Preset, key string) *presets.Verifier {
	t.Helper()
	v, err := p.New(auth.Env{}, presets.Options{Secrets: []secret.String{secret.New(key)}})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// FuzzHandshakes: whatever is asked, an answer is small, has headers of one line
// each, is JSON where it says so, and is given to strangers by few senders only.
func FuzzHandshakes(f *testing.F) {
	f.Add("GET", "hub.mode=subscribe&hub.verify_token=v3rify&hub.challenge=1&challenge=2&crc_token=abc&bt_challenge=20f9f8ed05f77439fe955c977e4c8a53", "", "a")
	f.Add("POST", "validationToken=a%2Bb", `{"type":"url_verification","challenge":"c","verification_token":"secret_0123456789","event":"endpoint.url_validation","payload":{"plainToken":"p"}}`, "0123456789abcdef")
	f.Add("POST", "", `{"type":1}`, "webhook_callback_verification")
	f.Add("POST", "", `{"type":0,"challenge":"\ud800\u0000<"}`, "x")
	f.Add("OPTIONS", "", "", "eventemitter.example.com")
	f.Add("HEAD", "%zz&=&;", "\xff", "a\r\nb")
	verifiedOnly := []string{"slack", "zoom", "okta", "discord", "twitch", "mailchimp"}
	f.Fuzz(func(t *testing.T, method, query, body, header string) {
		all := shakes(t, auth.Env{Captures: &kept{}})
		r := ask(method, query, body)
		for _, name := range []string{"X-Hook-Secret", "X-Okta-Verification-Challenge", "Webhook-Request-Origin", "Twitch-Eventsub-Message-Type"} {
			r.Header[name] = []string{header}
		}
		for name, h := range all {
			for _, verified := range []bool{false, true} {
				a := h.Answer(t.Context(), r, verified)
				if a == nil {
					continue
				}
				if !verified && slices.Contains(verifiedOnly, name) {
					t.Fatalf("%s answers strangers: %+v", name, a)
				}
				if a.Err != nil {
					if a.Status < 400 || a.Status > 599 {
						t.Fatalf("%s refuses with %d", name, a.Status)
					}
					continue
				}
				if len(a.Body) > 8<<10 || !utf8.Valid(a.Body) || auth.HasControl(string(a.Body)) {
					t.Fatalf("%s: body %q", name, a.Body)
				}
				if a.Header["Content-Type"] == "application/json" && !json.Valid(a.Body) {
					t.Fatalf("%s: not JSON: %q", name, a.Body)
				}
				for k, v := range a.Header {
					if len(v) > 2<<10 || strings.Trim(v, " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~") != "" {
						t.Fatalf("%s: header %s: %q", name, k, v)
					}
				}
			}
		}
	})
}

// TestChallengeIsNoEvent: what Braintree's handshake signs for anybody does not
// pass as the payload of an event.
func TestChallengeIsNoEvent(t *testing.T) {
	t.Parallel()
	p, _ := presets.Lookup("braintree")
	v, err := p.New(auth.Env{}, presets.Options{Secrets: []secret.String{secret.New("private")}, Params: map[string]string{"public_key": "public"}})
	if err != nil {
		t.Fatal(err)
	}
	event := func(payload, signature string) *auth.Request {
		r := authtest.Request()
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Body = []byte(url.Values{"bt_signature": {signature}, "bt_payload": {payload}}.Encode())
		return r
	}
	for _, challenge := range []string{strings.Repeat("0123456789abcdef", 2), strings.Repeat("ab", 10)} {
		r := authtest.Request()
		r.Method, r.URL.RawQuery = http.MethodGet, "bt_challenge="+challenge
		a := v.Handshake().Answer(t.Context(), r, false)
		if a == nil || !strings.HasPrefix(string(a.Body), "public|") {
			t.Fatalf("no answer to the challenge: %+v", a)
		}
		if _, err := v.Verify(t.Context(), event(challenge, string(a.Body))); err == nil || auth.DenialOf(err).Code != auth.CodeMalformed {
			t.Errorf("a signed challenge passed as an event: %v", err)
		}
	}
}
