package presets_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/auth/presets"
)

// TestCodeSuite runs authtest for the proofs that code makes and can sign.
func TestCodeSuite(t *testing.T) {
	t.Parallel()
	const alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/"
	for name, s := range map[string]authtest.Subject{
		"twilio": {Header: "X-Twilio-Signature", Secrets: [3]string{"auth-token-First", "auth-token-Second", "auth-token-\u00fc"}},
		"contentful": {
			Header: "X-Contentful-Signature", Tolerance: 30 * time.Second, Same: strings.EqualFold,
			Secrets: [3]string{alphabet, alphabet[1:] + "_", alphabet[2:] + "-="},
		},
	} {
		p, ok := presets.Lookup(name)
		if !ok {
			t.Fatal(name)
		}
		s.CoversBody = true
		s.New = func(secrets ...string) (auth.Verifier, error) {
			v, err := newPreset(p, secrets...)
			if err != nil {
				return nil, err
			}
			return v, nil
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			authtest.Run(t, s)
		})
	}
}

// TestCodeSamples prepares the sample of each, signs it, reads its marks, and
// changes it.
func TestCodeSamples(t *testing.T) {
	t.Parallel()
	for name, secret := range map[string]string{"twilio": "token", "contentful": strings.Repeat("s", 64)} {
		p, _ := presets.Lookup(name)
		v, err := newPreset(p, secret)
		if err != nil {
			t.Fatal(err)
		}
		r := authtest.Request()
		r.Header, r.URL = nil, nil
		r.Body = p.Body("", "evt_\"1", authtest.Now)
		v.Prepare(r, "", "evt_\"1")
		if err := v.Sign(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if id, err := v.Verify(t.Context(), r); err != nil || id.Subject != name+":0" {
			t.Errorf("%s: %+v %v", name, id, err)
		}
		checkMarks(t, p, v, r, "evt_\"1")
		for i := range r.Body {
			c := *r
			c.Body = slices.Clone(r.Body)
			c.Body[i] ^= 1
			if _, err := v.Verify(t.Context(), &c); err == nil && !sameForm(p, c.Body, r.Body) {
				t.Errorf("%s: byte %d of the body changed: accepted", name, i)
			}
		}
	}
}

func TestCodeSettings(t *testing.T) {
	t.Parallel()
	token, long := options("token"), options(strings.Repeat("s", 64))
	with := func(o presets.Options, change func(*presets.Options)) presets.Options {
		change(&o)
		return o
	}
	for _, c := range []struct {
		name, preset string
		o            presets.Options
		want         string
	}{
		{"no URL", "twilio", token, "public_url"},
		{"no host", "twilio", with(token, func(o *presets.Options) { o.PublicURL = "/hook" }), "public_url"},
		{"ftp", "twilio", with(token, func(o *presets.Options) { o.PublicURL = "ftp://example.com" }), "public_url"},
		{"no secret", "twilio", with(presets.Options{}, func(o *presets.Options) { o.PublicURL = "https://example.com" }), "secret"},
		{"no secret", "contentful", presets.Options{}, "secret"},
		{"short secret", "contentful", token, "64"},
		{"negative tolerance", "contentful", with(long, func(o *presets.Options) { o.Tolerance = -1 }), "tolerance"},
		{"bad URL", "contentful", with(long, func(o *presets.Options) { o.PublicURL = "http://[::1" }), "public_url"},
	} {
		p, _ := presets.Lookup(c.preset)
		if _, err := p.New(auth.Env{}, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %s: %v", c.preset, c.name, err)
		}
	}
}

func twilioSigned(key, text string, h func() hash.Hash) string {
	m := hmac.New(h, []byte(key))
	_, _ = m.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

// TestTwilioAlgorithms: a shared key of a Webhooks Rule signs with what the
// settings say, and with nothing else.
func TestTwilioAlgorithms(t *testing.T) {
	t.Parallel()
	p, _ := presets.Lookup("twilio")
	v, err := newPreset(p, "token", "shared")
	if err != nil {
		t.Fatal(err)
	}
	const text = "https://hooks.example.com/webhook/test?a=1" + "Body" + "hi"
	one, two := twilioSigned("token", text, sha1.New), twilioSigned("shared", text, sha256.New)
	for _, c := range []struct {
		settings []string
		sig      string
		code     string
	}{
		{nil, one, ""},
		{nil, two, auth.CodeMalformed},
		{[]string{"key=WK1,algorithm=HMAC_SHA256"}, two, ""},
		{[]string{"algorithm=HMAC_SHA256, key=WK1"}, two, ""},
		{[]string{"key=WK1,algorithm=HMAC_SHA1"}, one, ""},
		{[]string{"key=WK1,algorithm=HMAC_SHA256"}, one, auth.CodeMalformed},
		{[]string{"key=WK1,algorithm=NONE"}, two, auth.CodeAlgorithm},
		{[]string{"key=WK1"}, two, auth.CodeAlgorithm},
		{[]string{"algorithm=HMAC_SHA1,algorithm=HMAC_SHA256"}, two, auth.CodeDoubled},
		{[]string{"algorithm=HMAC_SHA256", "algorithm=HMAC_SHA256"}, two, auth.CodeDoubled},
	} {
		r := authtest.Header("X-Twilio-Signature", c.sig)
		r.Header["X-Twilio-Webhooks-Signature-Settings"] = c.settings
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
		r.Body = []byte("Body=hi")
		_, err := v.Verify(t.Context(), r)
		if got := codeOf(err); got != c.code {
			t.Errorf("%q with %d characters: %q, want %q", c.settings, len(c.sig), got, c.code)
		}
	}
}

func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return auth.DenialOf(err).Code
}

// TestTwilioURLs: the port counts or not, and what a proxy makes of the request
// does not.
func TestTwilioURLs(t *testing.T) {
	t.Parallel()
	p, _ := presets.Lookup("twilio")
	for _, c := range []struct {
		public, signed string
		ok             bool
	}{
		{"https://example.com/h", "https://example.com/h?q=1", true},
		{"https://example.com/h", "https://example.com:443/h?q=1", true},
		{"https://example.com:443/h", "https://example.com/h?q=1", true},
		{"https://example.com:8443/h", "https://example.com/h?q=1", true},
		{"https://example.com/h?old=1#rc=2", "https://example.com/h?q=1", true},
		{"https://user:pass@example.com/h", "https://user:pass@example.com:443/h?q=1", true},
		{"https://[2001:db8::1]:8443/h", "https://[2001:db8::1]/h?q=1", true},
		{"https://[2001:db8::1]/h", "https://[2001:db8::1]:443/h?q=1", true},
		{"https://example.com", "https://example.com:443?q=1", true},
		{"http://example.com/h", "http://example.com:80/h?q=1", true},
		{"https://example.com/h", "http://example.com/h?q=1", false},
		{"https://example.com/h", "https://example.com:8443/h?q=1", false},
		{"https://example.com/h", "https://example.com/h", false},
		{"https://example.com/h", "https://example.com/h?q=2", false},
	} {
		o := options("token")
		o.PublicURL = c.public
		v, err := p.New(auth.Env{}, o)
		if err != nil {
			t.Fatal(err)
		}
		r := authtest.Header("X-Twilio-Signature", twilioSigned("token", c.signed+"Body"+"hi", sha1.New))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Body, r.URL.RawQuery = []byte("Body=hi"), "q=1"
		if _, err := v.Verify(t.Context(), r); (err == nil) != c.ok {
			t.Errorf("%s signed as %s: %v", c.public, c.signed, err)
		}
	}
}

// TestTwilioBody: a body is covered by its fields or by its hash, or refused.
func TestTwilioBody(t *testing.T) {
	t.Parallel()
	const base, form = "https://hooks.example.com/webhook/test", "application/x-www-form-urlencoded"
	const hash = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" // of {}
	p, _ := presets.Lookup("twilio")
	v, err := newPreset(p, "token")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ query, kind, body, signed, code string }{
		"hash":                   {"bodySHA256=" + hash, "application/json", "{}", "?bodySHA256=" + hash, ""},
		"hash in capitals":       {"bodySHA256=" + strings.ToUpper(hash), "application/json", "{}", "?bodySHA256=" + strings.ToUpper(hash), ""},
		"hash of another body":   {"bodySHA256=" + hash, "application/json", "[]", "?bodySHA256=" + hash, auth.CodeSignatureMismatch},
		"another body as a form": {"bodySHA256=" + hash, form, "&&", "?bodySHA256=" + hash, auth.CodeSignatureMismatch},
		"fields behind a hash":   {"bodySHA256=" + hash, form, "a=1", "?bodySHA256=" + hash + "a1", auth.CodeSignatureMismatch},
		"no hash":                {"", "application/json", "{}", "", auth.CodeMissing},
		"no hash, no type":       {"", "", "a=1", "a1", auth.CodeMissing},
		"two hashes":             {"bodySHA256=" + hash + "&bodySHA256=" + hash, "application/json", "{}", "?bodySHA256=" + hash + "&bodySHA256=" + hash, auth.CodeDoubled},
		"short hash":             {"bodySHA256=44", "application/json", "{}", "?bodySHA256=44", auth.CodeMalformed},
		"empty hash":             {"bodySHA256=", "application/json", "{}", "?bodySHA256=", auth.CodeMissing},
		"hash that is no hex":    {"bodySHA256=" + strings.Repeat("z", 64), "application/json", "{}", "?bodySHA256=" + strings.Repeat("z", 64), auth.CodeMalformed},
		"JSON as a form":         {"", form, `{"a":1}`, "", auth.CodeSignatureMismatch},
		"no form":                {"", form, "a=%zz", "", auth.CodeMalformed},
		"fields out of order":    {"", form, "b=2&a=1&b=1&b=2", "a1b1b2", ""},
	} {
		r := authtest.Header("X-Twilio-Signature", twilioSigned("token", base+c.signed, sha1.New))
		r.Header.Set("Content-Type", c.kind)
		r.Body, r.URL.RawQuery = []byte(c.body), c.query
		_, err := v.Verify(t.Context(), r)
		if got := codeOf(err); got != c.code {
			t.Errorf("%s: %q, want %q", name, got, c.code)
		}
	}
	r := authtest.Request()
	r.Header.Set("Content-Type", form)
	r.Body = []byte("a=%zz")
	if err := v.Sign(context.Background(), r); err == nil {
		t.Error("signed a body that is no form")
	}
}

// TestContentfulHeaders: what the list of headers may be.
func TestContentfulHeaders(t *testing.T) {
	t.Parallel()
	p, _ := presets.Lookup("contentful")
	v, err := newPreset(p, strings.Repeat("s", 64))
	if err != nil {
		t.Fatal(err)
	}
	signed := func() *auth.Request {
		r := authtest.Request()
		r.Header.Set("X-Contentful-Topic", "t")
		r.Header.Set("X-Contentful-Webhook-Name", " name ")
		if err := v.Sign(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	const list = "content-type,x-contentful-signed-headers,x-contentful-timestamp,x-contentful-topic,x-contentful-webhook-name"
	if got := signed().Header.Get("X-Contentful-Signed-Headers"); got != list {
		t.Fatalf("signed %s", got)
	}
	set := func(name string, values ...string) func(h http.Header) {
		return func(h http.Header) { h[http.CanonicalHeaderKey(name)] = values }
	}
	lists := func(text string) func(h http.Header) { return set("X-Contentful-Signed-Headers", text) }
	for name, c := range map[string]struct {
		change func(h http.Header)
		code   string
	}{
		"as signed":          {func(http.Header) {}, ""},
		"header not listed":  {set("X-Other", "1"), ""},
		"another order":      {lists("x-contentful-topic,content-type,x-contentful-webhook-name,x-contentful-timestamp,x-contentful-signed-headers"), ""},
		"capitals, blanks":   {lists(strings.ReplaceAll(strings.ToUpper(list), ",", ", ")), ""},
		"value trimmed":      {set("X-Contentful-Webhook-Name", "name"), ""},
		"header changed":     {set("X-Contentful-Topic", "u"), auth.CodeSignatureMismatch},
		"header gone":        {set("X-Contentful-Topic"), auth.CodeMissing},
		"header twice":       {set("X-Contentful-Topic", "t", "t"), auth.CodeDoubled},
		"header empty":       {set("X-Contentful-Topic", ""), auth.CodeSignatureMismatch},
		"shorter list":       {lists(strings.TrimSuffix(list, ",x-contentful-webhook-name")), auth.CodeSignatureMismatch},
		"without the time":   {lists(strings.Replace(list, "x-contentful-timestamp,", "", 1)), auth.CodeMalformed},
		"without itself":     {lists(strings.Replace(list, "x-contentful-signed-headers,", "", 1)), auth.CodeMalformed},
		"listed twice":       {lists(list + ",content-type"), auth.CodeMalformed},
		"an empty name":      {lists(list + ","), auth.CodeMalformed},
		"no list":            {set("X-Contentful-Signed-Headers"), auth.CodeMissing},
		"two lists":          {set("X-Contentful-Signed-Headers", list, list), auth.CodeDoubled},
		"a hundred and more": {lists(list + strings.Repeat(",x", 100)), auth.CodeMalformed},
		"no time":            {set("X-Contentful-Timestamp"), auth.CodeTimestampMissing},
		"time in seconds":    {set("X-Contentful-Timestamp", "1772366400"), auth.CodeTimestampTooOld},
		"time that is none":  {set("X-Contentful-Timestamp", "now"), auth.CodeMalformed},
	} {
		r := signed()
		c.change(r.Header)
		_, err := v.Verify(t.Context(), r)
		if got := codeOf(err); got != c.code {
			t.Errorf("%s: %q, want %q", name, got, c.code)
		}
	}
	r := signed()
	r.URL.RawQuery = "a=1?b=2"
	if _, err := v.Verify(t.Context(), r); codeOf(err) != auth.CodeMalformed {
		t.Errorf("second question mark: %v", err)
	}
	r.Header = nil
	if err := v.Sign(t.Context(), r); err == nil {
		t.Error("signed a second question mark")
	}
}

// TestContentfulPath: the public URL has the path that is signed; without one it
// is that of the request.
func TestContentfulPath(t *testing.T) {
	t.Parallel()
	p, _ := presets.Lookup("contentful")
	build := func(public string) *presets.Verifier {
		o := options(strings.Repeat("s", 64))
		o.PublicURL = public
		v, err := p.New(auth.Env{}, o)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	r := authtest.Request()
	if err := build("").Sign(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	for public, ok := range map[string]bool{
		"": true, "https://example.com/webhook/test": true, "https://example.com/webhook/test?old": true, "https://example.com/other": false,
		"https://example.com": true, // no path of its own: that of the request
	} {
		if _, err := build(public).Verify(t.Context(), r); (err == nil) != ok {
			t.Errorf("%q: %v", public, err)
		}
	}
}

// TestAdyenMembers: each signed member is covered, and the others are not.
func TestAdyenMembers(t *testing.T) {
	t.Parallel()
	p, _ := presets.Lookup("adyen")
	v, err := newPreset(p, strings.Repeat("0f", 32))
	if err != nil {
		t.Fatal(err)
	}
	good := string(prepared(t, p, v, authtest.Now).Body)
	for old, c := range map[string]struct {
		new     string
		refused bool
	}{
		`"pspReference":"4d0c`:    {`"pspReference":"4d0d`, true},
		`"merchantReference":"`:   {`"merchantReference":"x`, true},
		`"merchantAccountCode":"`: {`"merchantAccountCode":"x`, true},
		`"value":1000`:            {`"value":1001`, true},
		`"currency":"EUR"`:        {`"currency":"USD"`, true},
		`"eventCode":"AUTH`:       {`"eventCode":"OUTH`, true},
		`"success":"true"`:        {`"success":"false"`, true},
		`"pspReference":`:         {`"originalReference":"x","pspReference":`, true},
		`"success"`:               {`"SUCCESS":"false","success"`, true},
		`"reason":"03`:            {`"reason":"04`, false},
		`"live":"false"`:          {`"live":"true"`, false},
	} {
		r := authtest.Request()
		r.Body = []byte(strings.Replace(good, old, c.new, 1))
		if string(r.Body) == good {
			t.Fatalf("%s is not there", old)
		}
		if err := verdict(v, r); (err != nil) != c.refused {
			t.Errorf("%s changed: %v", old, err)
		}
	}
}

// TestPaypalCannotSign: nobody but PayPal can, and it takes no secret.
func TestPaypalCannotSign(t *testing.T) {
	t.Parallel()
	p, _ := presets.Lookup("paypal")
	v, err := newPreset(p)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Sign(t.Context(), authtest.Request()); err == nil {
		t.Error("signed")
	}
	if _, err := newPreset(p, "secret"); err == nil || !strings.Contains(err.Error(), "has no secret") {
		t.Errorf("took a secret: %v", err)
	}
	if _, err := p.New(auth.Env{}, presets.Options{}); err == nil || !strings.Contains(err.Error(), "webhook_id") {
		t.Errorf("made without its webhook: %v", err)
	}
	if !p.NoSecret || v.Cost() != auth.CostRemote {
		t.Errorf("no secret %v, cost %d", p.NoSecret, v.Cost())
	}
}
