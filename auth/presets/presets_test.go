package presets_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
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
	var o presets.Options
	for _, s := range secrets {
		o.Secrets = append(o.Secrets, secret.New(s))
	}
	return p.New(auth.Env{}, o)
}

// described are the presets that are data. Those made of code have tests of
// their own.
func described() []*presets.Preset {
	return slices.DeleteFunc(presets.All(), func(p *presets.Preset) bool { return p.Code != nil })
}

func TestSuite(t *testing.T) {
	t.Parallel()
	subjects := map[string]authtest.Subject{
		"github": {Header: "X-Hub-Signature-256", Same: sameAfter("sha256=", "")},
		"stripe": {Header: "Stripe-Signature", Same: sameAfter("t=1772366400,v1=", "v1="), Tolerance: 5 * time.Minute},
	}
	for _, p := range described() {
		s, ok := subjects[p.Name]
		if !ok {
			t.Errorf("the suite does not run for %s", p.Name)
			continue
		}
		s.New = func(secrets ...string) (auth.Verifier, error) {
			v, err := tryBuild(p.Name, secrets...)
			if err != nil {
				return nil, err
			}
			return v, nil
		}
		s.Secrets = [3]string{"whsec_first-Secret-of-3", "whsec_second-Secret", "third secret, with \u00fcmlaut"}
		s.CoversBody = true
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			authtest.Run(t, s)
		})
	}
}

// sameAfter is the sameness of hex of either case behind a fixed text.
func sameAfter(fixed, _ string) func(a, b string) bool {
	return func(a, b string) bool {
		return strings.HasPrefix(a, fixed) && strings.HasPrefix(b, fixed) && strings.EqualFold(a, b)
	}
}

type vector struct {
	Case, Source, Note string
	Secrets            []string
	Headers            map[string]string
	Body               string
	Now                int64
	Valid              bool
	ID, Type           string
}

// TestVectors checks what the vendors publish.
func TestVectors(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/vectors/*.json")
	if err != nil || len(files) < len(described()) {
		t.Fatalf("%d files of vectors for %d presets: %v", len(files), len(described()), err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var vectors []vector
		if err := json.Unmarshal(b, &vectors); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		for _, c := range vectors {
			t.Run(name+"/"+c.Case, func(t *testing.T) {
				t.Parallel()
				v := build(t, name, c.Secrets...)
				r := &auth.Request{Method: "POST", Header: http.Header{}, Body: []byte(c.Body), Now: time.Unix(c.Now, 0)}
				for k, value := range c.Headers {
					r.Header.Set(k, value)
				}
				_, err := v.Verify(context.Background(), r)
				if (err == nil) != c.Valid {
					t.Fatalf("valid %v, got %v (%s)", c.Valid, err, c.Source)
				}
				if m := v.Mark(r); c.Valid && c.ID != "" && (m.DeliveryID != c.ID || m.Type != c.Type || !m.Covered) {
					t.Errorf("marks %+v", m)
				}
			})
		}
	}
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

func TestPrepareAndBody(t *testing.T) {
	t.Parallel()
	for _, p := range described() {
		v := build(t, p.Name, "s3cret")
		r := authtest.Request()
		r.Header = nil
		r.Body = p.Body("", "evt_\"1", authtest.Now)
		if !json.Valid(r.Body) {
			t.Errorf("%s: sample is not JSON: %s", p.Name, r.Body)
		}
		v.Prepare(r, "", `evt_"1`)
		if err := v.Sign(context.Background(), r); err != nil {
			t.Fatal(err)
		}
		if m := v.Mark(r); m.DeliveryID != `evt_"1` || m.Type != p.DefaultEvent {
			t.Errorf("%s: marks of a prepared request: %+v", p.Name, m)
		}
		if r.Header.Get("User-Agent") == "" || r.Header.Get("Content-Type") == "" {
			t.Errorf("%s: headers %v", p.Name, r.Header)
		}
		r.Header.Set("User-Agent", "mine")
		if v.Prepare(r, "other", "other"); r.Header.Get("User-Agent") != "mine" {
			t.Errorf("%s: a header of the caller was replaced", p.Name)
		}
	}
}

func TestDeclarations(t *testing.T) {
	t.Parallel()
	last := ""
	for _, p := range presets.All() {
		if p.Name <= last {
			t.Errorf("%q after %q", p.Name, last)
		}
		last = p.Name
		for what, text := range map[string]string{
			"title": p.Title, "summary": p.Summary, "doc": p.Doc, "source": p.Source, "retry": p.Retry, "sample": p.Sample, "event": p.DefaultEvent,
		} {
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s: no %s", p.Name, what)
			}
		}
		if !strings.HasPrefix(p.Source, "https://") {
			t.Errorf("%s: source %q", p.Name, p.Source)
		}
		if p.Code != nil && (strings.TrimSpace(p.Signing) == "" || len(p.Verify) > 0) {
			t.Errorf("%s: does not say how it is signed, or says it twice", p.Name)
		}
		if len(p.ID) > 0 && p.Window < 3*24*time.Hour {
			t.Errorf("%s: remembers ids for %s only", p.Name, p.Window)
		}
	}
	if _, ok := presets.Lookup("GitHub"); ok {
		t.Error("names have one case")
	}
}

func TestFacts(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]string{
		"github": {
			"signature: header X-Hub-Signature-256, HMAC-SHA256 in hex behind sha256=", "covers: {body}",
			"delivery id: header X-GitHub-Delivery (not covered by the signature: the body is compared too)", "event type: header X-GitHub-Event", "answer within: 10s",
		},
		"stripe": {
			"signature: header Stripe-Signature, HMAC-SHA256 in hex as v1", "covers: {time}.{body}", "clock: t of the signature header, tolerance 5m0s",
			"delivery id: JSON member id (covered by the signature)", "event type: JSON member type",
		},
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
