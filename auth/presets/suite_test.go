package presets_test

import (
	"bytes"
	"context"
	"fmt"
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

// outside are the presets that authtest does not run for, and why. All others
// it does, and TestTamper runs for these, too.
var outside = map[string]string{
	"adyen":          "the signatures are in the body",
	"braintree":      "the signature is in the body",
	"mailgun":        "the signature is in the body",
	"msgraph":        "the tokens are in the body",
	"paddle-classic": "the signature is in the body",
	"linear":         "the clock is in the body",
	"dockerhub":      "proves nothing",
	"mailchimp":      "proves nothing",
}

func TestSuite(t *testing.T) {
	t.Parallel()
	ran := 0
	for _, p := range presets.All() {
		if reason := outside[p.Name]; reason != "" || p.Code != nil {
			continue // a proof made by code has a test of its own beside it
		}
		ran++
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			authtest.Run(t, subject(t, p))
		})
	}
	if ran < 90 {
		t.Errorf("the suite ran for %d presets only", ran)
	}
	for name := range outside {
		if p, ok := presets.Lookup(name); !ok || p.Code != nil {
			t.Errorf("%s is not outside of the suite", name)
		}
	}
}

// TestTamper signs each sender's own sample and changes one thing after the
// other.
func TestTamper(t *testing.T) {
	t.Parallel()
	for _, p := range presets.All() {
		if p.Code != nil || p.Unsigned {
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			v, err := newPreset(p, secretsOf(t, &p.Verify[0])[0])
			if err != nil {
				t.Fatal(err)
			}
			tamperBody(t, p, v)
			tamperSignature(t, p, v)
			tamperClock(t, p, v)
		})
	}
}

// verdict verifies at the time of the suite.
func verdict(v *presets.Verifier, r *auth.Request) error {
	r.Now = authtest.Now
	_, err := v.Verify(context.Background(), r)
	return err
}

func tamperBody(t *testing.T, p *presets.Preset, v *presets.Verifier) {
	t.Helper()
	good := prepared(t, p, v, authtest.Now)
	if err := verdict(v, good); err != nil {
		t.Fatalf("refused: %v", err)
	}
	step := max(len(good.Body)/64, 1) * 8
	for bit := 0; bit < len(good.Body)*8; bit += step {
		r := prepared(t, p, v, authtest.Now)
		r.Body = bytes.Clone(r.Body)
		r.Body[bit/8] ^= 1 << (bit / 8 % 8)
		// What is not covered, authtest and the tests below look at.
		if err := verdict(v, r); err == nil && p.Covers == presets.CoversBody && !sameForm(p, r.Body, good.Body) {
			t.Errorf("byte %d of the body changed: accepted", bit/8)
		}
	}
}

// sameForm: what is signed of a form may be its fields, which "%7B" and "%7b"
// write alike.
func sameForm(p *presets.Preset, a, b []byte) bool {
	x, errX := url.ParseQuery(string(a))
	y, errY := url.ParseQuery(string(b))
	return p.Form() && errX == nil && errY == nil && x.Encode() == y.Encode()
}

func tamperSignature(t *testing.T, p *presets.Preset, v *presets.Verifier) {
	t.Helper()
	changed := 0
	for _, name := range v.CredentialHeaders() {
		if len(prepared(t, p, v, authtest.Now).Header[name]) == 0 {
			continue
		}
		for _, change := range []func(string) string{spoilLast, func(s string) string { return s[:len(s)-2] }, func(string) string { return "" }} {
			r := prepared(t, p, v, authtest.Now)
			r.Header.Set(name, change(r.Header.Get(name)))
			changed++
			if verdict(v, r) == nil {
				t.Errorf("accepted with %s %q", name, r.Header.Get(name))
			}
		}
		r := prepared(t, p, v, authtest.Now)
		r.Header.Del(name)
		if verdict(v, r) == nil {
			t.Errorf("accepted without %s", name)
		}
	}
	for _, field := range v.CredentialFields() {
		r := prepared(t, p, v, authtest.Now)
		kind, path, _ := strings.Cut(field, ":")
		name := path[strings.LastIndexByte(path, '.')+1:]
		at := bytes.Index(r.Body, map[string][]byte{"json": []byte(`"` + name + `":"`), "form": []byte(name + "=")}[kind])
		if at < 0 {
			continue // of the other alternative
		}
		r.Body = bytes.Clone(r.Body)
		end := at + len(name) + 40
		if p.Verify[0].Kind == scheme.Token {
			end -= 30 // which is shorter
		}
		r.Body[end] ^= 3 // from one hex digit to another, or to none
		changed++
		if verdict(v, r) == nil {
			t.Errorf("accepted with another %s", field)
		}
	}
	if changed == 0 {
		t.Error("nothing to change")
	}
}

// spoilLast changes the letter or digit that is fourth from the end.
func spoilLast(s string) string {
	b := []byte(s)
	i := len(b) - 4
	if b[i] == 'A' {
		b[i] = 'B'
	} else {
		b[i] = 'A'
	}
	if b[i] == s[i]&^0x20 { // hex has no case
		b[i] = '0'
	}
	return string(b)
}

func tamperClock(t *testing.T, p *presets.Preset, v *presets.Verifier) {
	t.Helper()
	for _, a := range p.Verify[:1] {
		limit := time.Duration(0)
		if a.Time != nil {
			limit = a.Time.Tolerance
		}
		for _, shift := range []time.Duration{-limit, limit, -limit - time.Second, limit + time.Second, -25 * time.Hour, 25 * time.Hour} {
			ok := limit == 0 || shift.Abs() <= limit
			if err := verdict(v, prepared(t, p, v, authtest.Now.Add(shift))); (err == nil) != ok {
				t.Errorf("signed %s from now: %v, want accepted %v", shift, err, ok)
			}
		}
		if a.Time != nil {
			otherTime(t, p, v, a.Time)
		}
	}
}

// otherTime keeps the signature and changes the time by a second, or a
// millisecond.
func otherTime(t *testing.T, p *presets.Preset, v *presets.Verifier, clock *scheme.Time) {
	t.Helper()
	good, later := prepared(t, p, v, authtest.Now), prepared(t, p, v, authtest.Now.Add(time.Second))
	switch kind, name, _ := strings.Cut(clock.At, ":"); kind {
	case "header":
		good.Header.Set(name, later.Header.Get(name))
	case "sig":
		for _, header := range v.CredentialHeaders() {
			list, sep := good.Header.Get(header), p.Verify[0].Sig.Split
			if old := strings.Split(list, sep); list != "" {
				old[0] = strings.Split(later.Header.Get(header), sep)[0]
				good.Header.Set(header, strings.Join(old, sep))
			}
		}
	case "json":
		good.Body = bytes.Replace(good.Body, fmt.Append(nil, authtest.Now.Unix()), fmt.Append(nil, authtest.Now.Unix()+1), 1)
	default:
		t.Fatalf("a clock at %s", clock.At)
	}
	if verdict(v, good) == nil {
		t.Errorf("accepted with another time at %s", clock.At)
	}
}

// TestMailgunCovers: the token and the time are covered, the event is not.
func TestMailgunCovers(t *testing.T) {
	t.Parallel()
	p, _ := presets.Lookup("mailgun")
	v, err := newPreset(p, "key")
	if err != nil {
		t.Fatal(err)
	}
	for old, refused := range map[string]bool{`"token":"4d0c`: true, `"timestamp":"1`: true, `"event":"deli`: false, `"recipient":"jon`: false} {
		r := prepared(t, p, v, authtest.Now)
		r.Body = bytes.Replace(r.Body, []byte(old), []byte(old[:len(old)-1]+"2"), 1)
		if err := verdict(v, r); (err != nil) != refused {
			t.Errorf("%s changed: %v, want refused %v", old, err, refused)
		}
	}
	// The older form of the event.
	form := url.Values{"timestamp": {fmt.Sprint(authtest.Now.Unix())}, "token": {"t0ken"}, "event": {"opened"}}
	mac := hmacHex("key", form.Get("timestamp")+form.Get("token"))
	form.Set("signature", mac)
	r := authtest.Header("Content-Type", "application/x-www-form-urlencoded")
	r.Body = []byte(form.Encode())
	if err := verdict(v, r); err != nil {
		t.Errorf("form: %v", err)
	}
	if m := v.Mark(r); m.DeliveryID != "t0ken" || m.Type != "opened" {
		t.Errorf("form: %+v", m)
	}
	r.Body = append(r.Body, "&token=other"...)
	if verdict(v, r) == nil {
		t.Error("accepted two tokens")
	}
}

// TestGiteaForm: the JSON inside of the form is what is signed.
func TestGiteaForm(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]string{"gitea": "X-Gitea-Signature", "forgejo": "X-Forgejo-Signature"} {
		v := build(t, name, "s3cret")
		r := authtest.Header(header, hmacHex("s3cret", authtest.Body))
		form := url.Values{"payload": {authtest.Body}}.Encode()
		for _, c := range []struct {
			contentType, body string
			ok                bool
		}{
			{"application/json", authtest.Body, true},
			{"application/x-www-form-urlencoded", form, true},
			{"application/json", form, false},
			{"application/x-www-form-urlencoded", form + "&payload=x", false},
			{"application/x-www-form-urlencoded", strings.Replace(form, "thing", "other", 1), false},
			{"application/x-www-form-urlencoded", "payload=", false},
		} {
			r.Header.Set("Content-Type", c.contentType)
			r.Body = []byte(c.body)
			if err := verdict(v, r); (err == nil) != c.ok {
				t.Errorf("%s, %s of %d bytes: %v", name, c.contentType, len(c.body), err)
			}
		}
	}
}

// TestBraintreePicks: only the signature of the configured public key counts,
// and its payload may end with a line feed.
func TestBraintreePicks(t *testing.T) {
	t.Parallel()
	p, _ := presets.Lookup("braintree")
	v, err := newPreset(p, "private_key")
	if err != nil {
		t.Fatal(err)
	}
	good := prepared(t, p, v, authtest.Now)
	form, err := url.ParseQuery(string(good.Body))
	if err != nil {
		t.Fatal(err)
	}
	sig := form.Get("bt_signature")
	for text, ok := range map[string]bool{
		sig: true, "other|" + strings.Repeat("0", 40) + "&" + sig: true, strings.Replace(sig, "value_of", "other", 1): false, sig[strings.IndexByte(sig, '|')+1:]: false,
	} {
		form.Set("bt_signature", text)
		good.Body = []byte(form.Encode())
		if err := verdict(v, good); (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := p.New(auth.Env{}, presets.Options{Secrets: options("k").Secrets}); err == nil || !strings.Contains(err.Error(), "public_key") {
		t.Errorf("made without its setting: %v", err)
	}
}

// TestUnsigned: such a sender takes no secret and is nobody.
func TestUnsigned(t *testing.T) {
	t.Parallel()
	ran := 0
	for _, p := range presets.All() {
		if !p.Unsigned {
			continue
		}
		ran++
		if _, err := newPreset(p, "s"); err == nil {
			t.Errorf("%s took a secret", p.Name)
		}
		v, err := newPreset(p)
		if err != nil {
			t.Fatal(err)
		}
		id, err := v.Verify(t.Context(), authtest.Request())
		if err != nil || id.Method != "" || id.Subject != "" {
			t.Errorf("%s: %+v, %v", p.Name, id, err)
		}
		// Beside another proof, that one is the identity.
		chain := auth.NewChain(v, build(t, "github", "s3cret"))
		r := authtest.Request()
		if err := build(t, "github", "s3cret").Sign(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if id, err := chain.Verify(t.Context(), r); err != nil || id.Method != "github" || id.Subject != "github:0" {
			t.Errorf("%s beside github: %+v, %v", p.Name, id, err)
		}
		if !slices.Contains([]string{"dockerhub", "mailchimp"}, p.Name) {
			t.Errorf("%s is new here", p.Name)
		}
	}
	if ran != 2 {
		t.Errorf("%d senders that prove nothing", ran)
	}
}

// TestFreshSecret: what is made up for trying out is taken, and no two are
// alike.
func TestFreshSecret(t *testing.T) {
	t.Parallel()
	for _, p := range presets.All() {
		first, err := p.FreshSecret()
		if err != nil {
			t.Fatal(err)
		}
		second, err := p.FreshSecret()
		if none := p.Unsigned || p.NoSecret; err != nil || (first == second) != none || (first == "") != none {
			t.Errorf("%s: %d and %d bytes: %v", p.Name, len(first), len(second), err)
		}
		if first == "" {
			continue
		}
		if _, err := newPreset(p, first, second); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
}
