package presets_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/auth/presets"
	"github.com/hookd/hookd/internal/secret"
)

func build(t testing.TB, name string, secrets ...string) *presets.Verifier {
	t.Helper()
	v, err := tryBuild(name, secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func tryBuild(name string, secrets ...string) (*presets.Verifier, error) {
	p, ok := presets.Lookup(name)
	if !ok {
		panic("no preset " + name)
	}
	return p.New(auth.Env{}, options(secrets...))
}

// hmacHex is the plain HMAC-SHA256 that most senders use.
func hmacHex(key, text string) string {
	h := hmac.New(sha256.New, []byte(key))
	_, _ = h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil))
}

func TestMarks(t *testing.T) {
	t.Parallel()
	const week = 7 * 24 * time.Hour
	gh := func(kv ...string) *auth.Request {
		r := authtest.Request()
		for i := 0; i < len(kv); i += 2 {
			r.Header.Add(kv[i], kv[i+1])
		}
		return r
	}
	body := func(s string) *auth.Request {
		r := authtest.Request()
		r.Body = []byte(s)
		return r
	}
	for _, c := range []struct {
		name, preset string
		r            *auth.Request
		want         auth.Marks
	}{
		{"github", "github", gh("X-GitHub-Delivery", "72d3162e", "X-GitHub-Event", "push"), auth.Marks{DeliveryID: "72d3162e", Type: "push", Window: week}},
		{"github without", "github", gh(), auth.Marks{}},
		{"github doubled id", "github", gh("X-GitHub-Delivery", "a", "X-GitHub-Delivery", "b", "X-GitHub-Event", "push"), auth.Marks{Type: "push"}},
		{"github long id", "github", gh("X-GitHub-Delivery", strings.Repeat("a", 513)), auth.Marks{}},
		{"github control", "github", gh("X-GitHub-Delivery", "a\x00b"), auth.Marks{}},
		{"stripe", "stripe", body(`{"id":"evt_1","type":"a.b"}`), auth.Marks{DeliveryID: "evt_1", Type: "a.b", Window: week, Covered: true}},
		{"stripe order and blanks", "stripe", body(" {\n\"data\" : {\"id\":\"x\",\"type\":[{}]} , \"type\"\t:\"a\", \"id\" : \"e\\u0076t\" } "), auth.Marks{DeliveryID: "evt", Type: "a", Window: week, Covered: true}},
		{"stripe number", "stripe", body(`{"id":17}`), auth.Marks{DeliveryID: "17", Window: week, Covered: true}},
		{"stripe control", "stripe", body(`{"id":"a\u0000b","type":"\u001b[31m"}`), auth.Marks{}},
		{"stripe object", "stripe", body(`{"id":{"id":"x"},"type":null}`), auth.Marks{}},
		{"stripe no JSON", "stripe", body(`id=evt_1`), auth.Marks{}},
		{"stripe array", "stripe", body(`[{"id":"x"}]`), auth.Marks{}},
		{"stripe cut", "stripe", body(`{"id":"x","type":"a`), auth.Marks{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := build(t, c.preset, "s3cret").Mark(c.r); got != c.want {
				t.Errorf("marks %+v, want %+v", got, c.want)
			}
		})
	}
}

// TestDuplicateMember: parsers differ in which of two members they take, so a
// request that has the id twice is refused however well it is signed.
func TestDuplicateMember(t *testing.T) {
	t.Parallel()
	v := build(t, "stripe", "s3cret")
	for body, refused := range map[string]bool{
		`{"id":"a","id":"b"}`:               true,
		`{"id":"a","x":{},"\u0069d":"b"}`:   true,
		`{"type":"a","id":"b","type":"c"}`:  true,
		`{"x":1,"x":2,"id":"a"}`:            false, // nobody reads x
		`{"id":"a","data":{"id":1,"id":2}}`: false,
		`{"id":"a"} {"id":"a"}`:             false, // not JSON: the payload check refuses it
		`not JSON`:                          false,
		``:                                  false,
	} {
		r := authtest.Request()
		r.Body = []byte(body)
		if err := v.Sign(context.Background(), r); err != nil {
			t.Fatal(err)
		}
		if _, err := v.Verify(context.Background(), r); (err != nil) != refused {
			t.Errorf("%s: refused %v, want %v", body, err, refused)
		} else if err != nil && auth.DenialOf(err).Code != auth.CodeMalformed {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestStripeHeader(t *testing.T) {
	t.Parallel()
	v := build(t, "stripe", "s3cret")
	r := authtest.Request()
	if err := v.Sign(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	good := r.Header.Get("Stripe-Signature")
	ts, sig, _ := strings.Cut(good, ",")
	zero := strings.Repeat("0", 64)
	for _, c := range []struct{ header, code string }{
		{good, ""},
		{sig + "," + ts, ""},
		{ts + ", " + sig, ""},
		{ts + ",v1=" + zero + "," + sig, ""},
		{ts + "," + sig + ",v1=" + zero, ""},
		{ts + "," + sig + ",v0=" + zero + ",v2=x,scheme=", ""},
		{ts + ",v1=nothex," + sig, ""},
		{ts, auth.CodeMissing},
		{ts + ",v0=" + sig[3:], auth.CodeMissing},
		{sig, auth.CodeTimestampMissing},
		{"t=," + sig, auth.CodeTimestampMissing},
		{ts + "," + ts + "," + sig, auth.CodeDoubled},
		{ts + ",t=1," + sig, auth.CodeDoubled},
		{ts + ",v1=", auth.CodeMalformed},
		{ts + ",v1=" + sig[4:], auth.CodeMalformed},
		{ts + ",v1=" + zero, auth.CodeSignatureMismatch},
		{"t=+1772366400," + sig, auth.CodeMalformed},
		{"t= 1772366400," + sig, auth.CodeMalformed},
		{"t=1772366400.0," + sig, auth.CodeMalformed},
		{"t=0x69a43080," + sig, auth.CodeMalformed},
		{"t=9223372036854775808," + sig, auth.CodeMalformed},
		{"t=-1," + sig, auth.CodeMalformed},
		{"t=999999999999999," + sig, auth.CodeTimestampInFuture},
		{"t=0," + sig, auth.CodeTimestampTooOld},
		{"t=01772366400," + sig, auth.CodeSignatureMismatch}, // the text is signed, not the number
		{good + ",", auth.CodeMalformed},
		{"," + good, auth.CodeMalformed},
		{ts + ";" + sig, auth.CodeMalformed},
		{good + ",x", auth.CodeMalformed},
	} {
		r.Header.Set("Stripe-Signature", c.header)
		_, err := v.Verify(context.Background(), r)
		got := ""
		if err != nil {
			got = auth.DenialOf(err).Code
		}
		if got != c.code {
			t.Errorf("%q: code %q, want %q", c.header, got, c.code)
		}
	}
}

// TestStripeSecretIsText: the prefix is part of the key, and the rest is not
// decoded.
func TestStripeSecretIsText(t *testing.T) {
	t.Parallel()
	r := authtest.Request()
	if err := build(t, "stripe", "whsec_c2VjcmV0").Sign(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{"c2VjcmV0", "secret"} {
		if _, err := build(t, "stripe", other).Verify(context.Background(), r); err == nil {
			t.Errorf("accepted with %q", other)
		}
	}
}

// TestWholeSeconds: within the last second of the tolerance the fraction does
// not count, as in Stripe's own libraries.
func TestWholeSeconds(t *testing.T) {
	t.Parallel()
	v := build(t, "stripe", "s3cret")
	r := authtest.Request()
	if err := v.Sign(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	r.Now = r.Now.Add(5*time.Minute + 999*time.Millisecond)
	if _, err := v.Verify(context.Background(), r); err != nil {
		t.Error(err)
	}
}

func TestGitHubTakesNoSHA1(t *testing.T) {
	t.Parallel()
	r := authtest.Header("X-Hub-Signature", "sha1=0000000000000000000000000000000000000000")
	if _, err := build(t, "github", "s").Verify(context.Background(), r); auth.DenialOf(err).Code != auth.CodeMissing {
		t.Errorf("got %v", err)
	}
}

func TestToleranceOption(t *testing.T) {
	t.Parallel()
	p, _ := presets.Lookup("stripe")
	o := presets.Options{Secrets: []secret.String{secret.New("s")}, Tolerance: time.Hour}
	v, err := p.New(auth.Env{}, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		shift time.Duration
		ok    bool
	}{{time.Hour, true}, {-time.Hour, true}, {time.Hour + time.Second, false}, {-time.Hour - time.Second, false}} {
		r := authtest.Request()
		if err := v.Sign(context.Background(), r); err != nil {
			t.Fatal(err)
		}
		r.Now = r.Now.Add(c.shift)
		if _, err := v.Verify(context.Background(), r); (err == nil) != c.ok {
			t.Errorf("%s later: %v", c.shift, err)
		}
	}
	o.Tolerance = -1
	if _, err := p.New(auth.Env{}, o); err == nil {
		t.Error("took a negative tolerance")
	}
}

func TestSecretsAreBounded(t *testing.T) {
	t.Parallel()
	if _, err := tryBuild("github", slices.Repeat([]string{"s"}, 9)...); err == nil {
		t.Error("took nine secrets")
	}
	v := build(t, "github", "a", "b", "c", "d", "e", "f", "g", "h")
	r := authtest.Request()
	if err := build(t, "github", "h").Sign(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	if id, err := v.Verify(context.Background(), r); err != nil || id.Subject != "github:7" {
		t.Errorf("%+v %v", id, err)
	}
}
