package mistakes_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/mistakes"
	"github.com/hookd/hookd/auth/internal/scheme"
	"github.com/hookd/hookd/internal/secret"
)

const (
	key  = "canary-Secret-of-these-tests"
	body = `{"name":"Zo\u00eb","n":1.0,"url":"https://a/b","x":[{"b":1,"a":"<&>"},[],{}]}`
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// plain signs the body in hex, as most senders do.
func plain() scheme.Alternative {
	return scheme.Alternative{Signed: "{body}", Sig: scheme.Sig{At: []string{"header:X-Sig"}, Enc: scheme.Hex, HashPrefix: true}}
}

func timed() scheme.Alternative {
	a := plain()
	a.Signed, a.Time = "{time}.{body}", &scheme.Time{At: "header:X-Time", Tolerance: 5 * time.Minute}
	return a
}

func mac(h func() hash.Hash, k, text string) []byte {
	m := hmac.New(h, []byte(k))
	m.Write([]byte(text))
	return m.Sum(nil)
}

func hexMAC(k, text string) string { return hex.EncodeToString(mac(sha256.New, k, text)) }

func request(text string, headers ...string) *auth.Request {
	r := &auth.Request{
		Method: "POST", URL: &url.URL{Path: "/webhook/in", RawQuery: "a=1"}, Host: "10.0.0.7:8000",
		Header: http.Header{}, Body: []byte(text), Now: now,
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func explain(t *testing.T, a scheme.Alternative, o scheme.Options, r *auth.Request) auth.Explanation {
	t.Helper()
	if o.Secrets == nil {
		o.Secrets = []secret.String{secret.New("another-one"), secret.New(key)}
	}
	o.Name = "test"
	if c, err := scheme.Compile([]scheme.Alternative{a}, o); err != nil {
		t.Fatal(err)
	} else if _, err := c.Verify(r); err == nil {
		t.Fatal("the request passes: there is no mistake to find")
	}
	before := fmt.Sprint(r)
	x := mistakes.Explain(context.Background(), []scheme.Alternative{a}, o, r)
	if fmt.Sprint(r) != before {
		t.Error("the request was changed")
	}
	return x
}

// texts are what every match says.
func texts(x auth.Explanation) string {
	var all []string
	for _, m := range x.Matches {
		var one []string
		for _, k := range m.Mistakes {
			one = append(one, k.Text)
			if k.Advice == "" || k.Kind == "" {
				all = append(all, fmt.Sprintf("no advice: %+v", k))
			}
		}
		all = append(all, strings.Join(one, " + "))
	}
	return strings.Join(all, "\n")
}

func TestBodyMistakes(t *testing.T) {
	t.Parallel()
	zipped := func() string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write([]byte(body))
		_ = w.Close()
		return b.String()
	}()
	for _, c := range []struct{ name, signed, sent, want string }{
		{"newline lost", body + "\n", body, "a newline is added"},
		{"CRLF lost", body + "\r\n", body, "CR and LF are added"},
		{"newline added", body, body + "\n", "the newline at the end of the body is removed"},
		{"CRLF added", body, body + "\r\n", "the newline at the end of the body is removed"},
		{"blanks added", body, body + " \n\n", "blanks at the end"},
		{"blanks around", body, "\n" + body + "\n", "blanks at both ends"},
		{"nothing signed", "", body, "the body is empty"},
		{"line ends", "a\nb\n", "a\r\nb\r\n", "LF instead of CRLF"},
		{"other line ends", "a\r\nb\r\n", "a\nb\n", "CRLF instead of LF"},
		{"byte order mark", body, "\ufeff" + body, "byte order mark"},
		{"compressed", body, zipped, "decompressed (gzip)"},
		{"python", `{"a": 1, "b": ["x", 2]}`, `{"a":1,"b":["x",2]}`, "as Python does"},
		{"python ascii", `{"a": "\u00e9 \ud83d\ude00"}`, `{"a":"é 😀"}`, "as Python does"},
		{"sorted", `{"a":1,"b":2.50}`, `{"b":2.50,"a":1}`, "sorted keys"},
		{"compact", `{"b":1,"a":[]}`, "{\n  \"b\": 1,\n  \"a\": []\n}", "without blanks"},
		{"pretty", "{\n  \"b\": 1,\n  \"a\": [\n    {}\n  ]\n}", `{"b":1,"a":[{}]}`, "indented by 2"},
		{"pretty with newline", "{\n  \"b\": 1\n}\n", `{"b":1}`, "indented by 2 blanks, with a newline"},
		{"go", `{"a":"\u003cb\u003e \u0026"}`, `{"a":"<b> &"}`, "as Go does"},
		{"php", `{"u":"https:\/\/x\/\u00e9"}`, `{"u":"https://x/é"}`, "as PHP does"},
		{"not escaped", `{"u":"é/<"}`, `{"u":"\u00e9\/\u003c"}`, "without blanks"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := explain(t, plain(), scheme.Options{}, request(c.sent, "X-Sig", "sha256="+hexMAC(key, c.signed)))
			if got := texts(x); !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if len(x.Matches) > 0 && (x.Matches[0].Secret != 2 || x.Matches[0].Secrets != 2 || len(x.Matches[0].Mistakes) != 1) {
				t.Errorf("match %+v", x.Matches[0])
			}
		})
	}
}

func TestFormMistakes(t *testing.T) {
	t.Parallel()
	sum := mac(sha256.New, key, body)
	for name, c := range map[string]struct {
		change func(a *scheme.Alternative)
		header []string
		want   string
	}{
		"base64":         {nil, []string{"X-Sig", base64.StdEncoding.EncodeToString(sum)}, "is base64, not hex"},
		"base64url":      {nil, []string{"X-Sig", strings.NewReplacer("+", "-", "/", "_").Replace(base64.RawStdEncoding.EncodeToString(mac(sha256.New, key, body)))}, "is base64"},
		"hex for base64": {func(a *scheme.Alternative) { a.Sig.Enc = scheme.Base64 }, []string{"X-Sig", hexMAC(key, body)}, "is hex, not base64"},
		"prefix":         {func(a *scheme.Alternative) { a.Sig.HashPrefix, a.Sig.Prefix = false, "v1=" }, []string{"X-Sig", "sha256=" + hexMAC(key, body)}, `has "sha256=" before it, not "v1="`},
		"no prefix":      {func(a *scheme.Alternative) { a.Sig.HashPrefix, a.Sig.Prefix = false, "v1=" }, []string{"X-Sig", hexMAC(key, body)}, `has nothing before it, not "v1="`},
		"sha1":           {nil, []string{"X-Sig", "sha1=" + hex.EncodeToString(mac(sha1.New, key, body))}, "made with sha1, not sha256"},
		"other header":   {nil, []string{"X-Other-Signature", "v1=" + hexMAC(key, body)}, "read from X-Other-Signature"},
		"doubled":        {nil, []string{"X-Sig", hexMAC(key, body), "X-Sig", "sha256=00"}, "only value 1 of X-Sig"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := plain()
			if c.change != nil {
				c.change(&a)
			}
			if got := texts(explain(t, a, scheme.Options{}, request(body, c.header...))); !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestSecretMistakes(t *testing.T) {
	t.Parallel()
	raw := "0123456789abcdef0123456789abcdef"
	for name, c := range map[string]struct {
		configured, used string
		key              scheme.Key
		want             string
	}{
		"newline":        {key + "\n", key, scheme.Key{}, "line ends around the configured secret are removed"},
		"their newline":  {key, key + "\n", scheme.Key{}, "a newline is added to the configured secret"},
		"quotes":         {`"` + key + `"`, key, scheme.Key{}, "quotes around"},
		"base64":         {base64.StdEncoding.EncodeToString([]byte(raw)), raw, scheme.Key{}, "decoded from base64"},
		"hex":            {hex.EncodeToString([]byte(raw)), raw, scheme.Key{}, "decoded from hex"},
		"text":           {hex.EncodeToString([]byte(raw)), hex.EncodeToString([]byte(raw)), scheme.Key{Enc: scheme.Hex}, "used as text"},
		"prefix kept":    {"whsec_" + key, key, scheme.Key{}, "without its whsec_"},
		"prefix, base64": {"whsec_" + base64.StdEncoding.EncodeToString([]byte(raw)), raw, scheme.Key{}, "whsec_ and decoded from base64"},
		"prefix wanted":  {"whsec_" + key, "whsec_" + key, scheme.Key{Strip: "whsec_"}, "used as text"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := plain()
			a.Key = c.key
			x := explain(t, a, scheme.Options{Secrets: []secret.String{secret.New(c.configured)}}, request(body, "X-Sig", hexMAC(c.used, body)))
			if got := texts(x); !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestTimeMistakes(t *testing.T) {
	t.Parallel()
	signed := func(ts string) *auth.Request {
		return request(body, "X-Time", ts, "X-Sig", hexMAC(key, ts+"."+body))
	}
	late := fmt.Sprint(now.Add(-2 * time.Hour).Unix())
	x := explain(t, timed(), scheme.Options{}, signed(late))
	if got := texts(x); got != "the time may be off by 2h0m0s" {
		t.Errorf("late: %q", got)
	}
	if len(x.Notes) == 0 || !strings.Contains(strings.Join(x.Notes, " "), "2h0m0s before it came") {
		t.Errorf("notes %q", x.Notes)
	}
	if got := texts(explain(t, timed(), scheme.Options{}, signed(fmt.Sprint(now.Add(time.Hour).Unix())))); got != "the time may be off by 1h0m0s" {
		t.Errorf("early: %q", got)
	}
	if got := texts(explain(t, timed(), scheme.Options{}, signed(fmt.Sprint(now.UnixMilli())))); !strings.Contains(got, "read as milliseconds") {
		t.Errorf("milliseconds: %q", got)
	}
	ts := fmt.Sprint(now.Unix())
	if got := texts(explain(t, timed(), scheme.Options{}, request(body, "X-Time", ts, "X-Sig", hexMAC(key, body)))); !strings.Contains(got, "{body} alone") {
		t.Errorf("time not signed: %q", got)
	}
	if got := texts(explain(t, plain(), scheme.Options{}, signed(ts))); !strings.Contains(got, "covers {X-Time}.{body}") {
		t.Errorf("time signed: %q", got)
	}
	// Two at once.
	if got := texts(explain(t, timed(), scheme.Options{}, request(body, "X-Time", late, "X-Sig", hexMAC(key, late+"."+body+"\n")))); got != "the time may be off by 2h0m0s + a newline is added to the end of the body" {
		t.Errorf("two mistakes: %q", got)
	}
}

func TestURLMistakes(t *testing.T) {
	t.Parallel()
	a := plain()
	a.Signed = "{url}{body}"
	o := scheme.Options{URL: "https://hooks.example.com/webhook/in"}
	for _, c := range []struct{ signed, want string }{
		{"http://hooks.example.com/webhook/in", `"http://hooks.example.com/webhook/in"`},
		{"https://hooks.example.com:443/webhook/in", `:443/webhook/in"`},
		{"https://hooks.example.com/webhook/in/", `webhook/in/"`},
		{"https://hooks.example.com/webhook/in?a=1", "with its query"},
		{"http://10.0.0.7:8000/webhook/in", `"http://10.0.0.7:8000/webhook/in"`},
		{"https://front.example.com/webhook/in", `"https://front.example.com/webhook/in"`},
	} {
		r := request(body, "X-Sig", hexMAC(key, c.signed+body), "X-Forwarded-Host", "front.example.com")
		if got := texts(explain(t, a, o, r)); !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q", c.signed, got)
		}
	}
}

func TestToken(t *testing.T) {
	t.Parallel()
	a := scheme.Alternative{Kind: scheme.Token, Sig: scheme.Sig{At: []string{"header:X-Token"}}}
	if got := texts(explain(t, a, scheme.Options{}, request(body, "Authorization", "Bearer "+key))); !strings.Contains(got, `Authorization, behind "Bearer "`) {
		t.Errorf("got %q", got)
	}
}

// TestNothingFits: a foreign secret is no mistake that could be undone, and
// what is said gives nothing away.
func TestNothingFits(t *testing.T) {
	t.Parallel()
	a := timed()
	ts := fmt.Sprint(now.Unix())
	foreign := hexMAC("a foreign one", ts+"."+body)
	x := explain(t, a, scheme.Options{}, request(body, "X-Time", ts, "X-Sig", "sha256="+foreign))
	if len(x.Matches) != 0 || x.Tried < 100 || x.Cut {
		t.Errorf("%d matches, %d tried, cut %v", len(x.Matches), x.Tried, x.Cut)
	}
	s := x.Signed[0]
	covered := ts + "." + body
	sum := sha256.Sum256([]byte(covered))
	if s.Length != len(covered) || s.SHA256 != hex.EncodeToString(sum[:]) || string(s.Head)+string(s.Tail) != covered {
		t.Errorf("signed %+v", s)
	}
	if s.Received != `hex of 32 bytes (as SHA256 has) behind "sha256="` {
		t.Errorf("received %q", s.Received)
	}
	silent(t, x, key, foreign, hexMAC(key, covered))
}

// silent wants none of the texts in what is told.
func silent(t *testing.T, x auth.Explanation, hidden ...string) {
	t.Helper()
	told := fmt.Sprintf("%+v", x)
	for _, s := range x.Signed {
		told += string(s.Head) + string(s.Tail)
	}
	for _, h := range hidden {
		if strings.Contains(strings.ToLower(told), strings.ToLower(h)) {
			t.Errorf("%q is told in %s", h, told)
		}
	}
}

// TestDigestHidesItsSecret: a digest is made over the secret, so that even the
// hash of the covered bytes would be the signature.
func TestDigestHidesItsSecret(t *testing.T) {
	t.Parallel()
	a := plain()
	a.Kind, a.Signed = scheme.Digest, "{secret}:{body}"
	right := sha256.Sum256([]byte(key + ":" + body))
	x := explain(t, a, scheme.Options{Secrets: []secret.String{secret.New(key)}}, request(body, "X-Sig", strings.Repeat("0", 64)))
	if !strings.HasPrefix(string(x.Signed[0].Head), "{secret}:{") {
		t.Errorf("signed %q", x.Signed[0].Head)
	}
	silent(t, x, key, hex.EncodeToString(right[:]))
	a.Signed = "{secret}{param:p}{body}"
	x = explain(t, a, scheme.Options{Secrets: []secret.String{secret.New(key)}, Params: map[string]string{"p": "canary-param"}}, request(body, "X-Sig", strings.Repeat("0", 64)))
	silent(t, x, key, "canary-param")
}

func TestNotes(t *testing.T) {
	t.Parallel()
	x := explain(t, plain(), scheme.Options{}, request(body, "X-Acme-Signature", "abc", "X-Other", "1"))
	if got := strings.Join(x.Notes, " "); !strings.Contains(got, "look like one: X-Acme-Signature.") {
		t.Errorf("missing: %q", got)
	}
	x = explain(t, plain(), scheme.Options{}, request(body))
	if got := strings.Join(x.Notes, " "); !strings.Contains(got, "nor one that looks like it") {
		t.Errorf("none: %q", got)
	}
	x = explain(t, plain(), scheme.Options{}, request(body, "X-Sig", "a", "X-Sig", "b"))
	if got := strings.Join(x.Notes, " "); !strings.Contains(got, "comes 2 times") {
		t.Errorf("doubled: %q", got)
	}
}

// TestBounds: the largest body is searched in bounded work, and a larger one
// not at all.
func TestBounds(t *testing.T) {
	t.Parallel()
	big := `{"a":"` + strings.Repeat("x", 1<<20-100) + `"}`
	many := scheme.Options{Secrets: []secret.String{secret.New("1"), secret.New("2"), secret.New("3"), secret.New("4")}}
	x := explain(t, timed(), many, request(big, "X-Time", fmt.Sprint(now.Unix()), "X-Sig", strings.Repeat("0", 64)))
	if !x.Cut || x.Tried == 0 || x.Signed[0].Length != len(big)+11 {
		t.Errorf("%d tried, cut %v, %d bytes", x.Tried, x.Cut, x.Signed[0].Length)
	}
	x = explain(t, plain(), scheme.Options{}, request(big+big, "X-Sig", strings.Repeat("0", 64)))
	if !x.Cut || x.Tried != 0 || len(x.Notes) == 0 {
		t.Errorf("too large: %d tried", x.Tried)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	x = mistakes.Explain(ctx, []scheme.Alternative{plain()}, scheme.Options{Secrets: []secret.String{secret.New(key)}}, request(body, "X-Sig", "00"))
	if !x.Cut || x.Tried != 0 {
		t.Errorf("cancelled: %d tried", x.Tried)
	}
}
