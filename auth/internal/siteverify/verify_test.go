package siteverify_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/auth/internal/siteverify"
	"github.com/hookd/hookd/auth/internal/siteverify/siteverifytest"
	"github.com/hookd/hookd/internal/secret"
)

var service = &siteverify.Service{
	Name: "captcha", Endpoint: "https://captcha.example/siteverify", Header: "X-Token",
	Members: []string{"token", "response"}, MaxToken: 100,
}

const (
	siteSecret = "0x4S3cretOfTheSite"
	good       = "03AFcWeA_good.token-1"
	yes        = `{"success":true,"challenge_ts":"2026-03-01T11:59:00Z","hostname":"www.example.com","score":0.9,"action":"login","error-codes":[],"new":{"a":[1]}}`
)

func verifier(t testing.TB, rt http.RoundTripper, change func(*siteverify.Options)) *siteverify.Verifier {
	t.Helper()
	half := 0.5
	o := siteverify.Options{Secret: secret.New(siteSecret), Source: siteverify.FromHeader, Hostnames: []string{"example.com", "WWW.example.com."}, Action: "login"}
	if change != nil {
		change(&o)
	}
	v, err := siteverify.New(auth.Env{HTTP: rt}, service, o, &half)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// check wants the code, and no secret in what is told.
func check(t *testing.T, what string, v *siteverify.Verifier, r *auth.Request, code string) *auth.Denial {
	t.Helper()
	id, err := v.Verify(t.Context(), r)
	if err == nil {
		if code != "" {
			t.Errorf("%s: accepted, want %s", what, code)
		}
		if id.Method != "captcha" || id.Subject == "" {
			t.Errorf("%s: identity %+v", what, id)
		}
		return nil
	}
	var d *auth.Denial
	if !errors.As(err, &d) || d.Code != code || d.Method != "captcha" || d.Forbidden || d.Unavailable != (code == auth.CodeUnavailable) {
		t.Errorf("%s: %+v (%v), want %s", what, d, err, code)
	}
	for _, s := range []string{siteSecret, good} {
		if strings.Contains(err.Error(), s) {
			t.Errorf("%s: a secret is told: %v", what, err)
		}
	}
	return d
}

func request() *auth.Request { return authtest.Header("X-Token", good) }

// TestAnswers drives every branch of what the service may say.
func TestAnswers(t *testing.T) {
	t.Parallel()
	long := strings.Repeat(" ", 64<<10)
	for _, c := range []struct {
		name   string
		status int
		body   string
		code   string
		tells  string // of the error
	}{
		{"yes", 200, yes, "", ""},
		{"yes, host in another case", 200, strings.Replace(yes, "www.example.com", "Example.COM", 1), "", ""},
		{"yes at the least score", 200, strings.Replace(yes, "0.9", "0.5", 1), "", ""},
		{"yes, but errors beside it", 200, strings.Replace(yes, "[]", `["timeout-or-duplicate"]`, 1), "", ""},
		{"low score", 200, strings.Replace(yes, "0.9", "0.499", 1), auth.CodeScore, "0.499 is below min_score 0.5"},
		{"no score", 200, strings.Replace(yes, `"score":0.9,`, "", 1), auth.CodeScore, "0"},
		{"score null", 200, strings.Replace(yes, "0.9", "null", 1), auth.CodeScore, "0"},
		{"other host", 200, strings.Replace(yes, "www.example.com", "evil.example", 1), auth.CodeClaim, "evil.example"},
		{"host is a suffix", 200, strings.Replace(yes, "www.example.com", "notexample.com", 1), auth.CodeClaim, "hostnames"},
		{"no host", 200, strings.Replace(yes, `"hostname":"www.example.com",`, "", 1), auth.CodeClaim, "hostnames"},
		{"host with a line break", 200, strings.Replace(yes, "www.example.com", `evil\nexample`, 1), auth.CodeClaim, `evil\nexample`},
		{"other action", 200, strings.Replace(yes, `"login"`, `"signup"`, 1), auth.CodeClaim, `"signup"`},
		{"action in another case", 200, strings.Replace(yes, `"login"`, `"Login"`, 1), auth.CodeClaim, "action"},
		{"no action", 200, strings.Replace(yes, `"action":"login",`, "", 1), auth.CodeClaim, "action"},

		{"no", 200, `{"success":false}`, auth.CodeMismatch, "refuses the token"},
		{"no, with a reason", 200, `{"success":false,"error-codes":["invalid-input-response"]}`, auth.CodeMismatch, "invalid-input-response"},
		{"no, bad request", 200, `{"success":false,"error-codes":["bad-request"]}`, auth.CodeMismatch, "bad-request"},
		{"no, as 400", 400, `{"success":false,"error-codes":["invalid-input-response"]}`, auth.CodeMismatch, "invalid-input-response"},
		{"no, odd reasons", 200, `{"success":false,"error-codes":["` + siteSecret + `","a\nb","` + strings.Repeat("x", 41) + `","odd"]}`, auth.CodeMismatch, "token: odd"},
		{"no, many reasons", 200, `{"success":false,"error-codes":["` + strings.Repeat(`x","`, 1000) + `"]}`, auth.CodeMismatch, "x, x"},
		{"used before", 200, `{"success":false,"error-codes":["timeout-or-duplicate"]}`, auth.CodeReplayed, "used before"},
		{"used before, and more", 200, `{"success":false,"error-codes":["invalid-input-response","timeout-or-duplicate"]}`, auth.CodeReplayed, "used before"},

		{"secret unknown", 200, `{"success":false,"error-codes":["invalid-input-secret"]}`, auth.CodeUnavailable, "secret_key"},
		{"secret unknown, as 400", 400, `{"success":false,"error-codes":["invalid-input-secret"]}`, auth.CodeUnavailable, "secret_key"},
		{"secret missing", 200, `{"success":false,"error-codes":["timeout-or-duplicate","missing-input-secret"]}`, auth.CodeUnavailable, "secret_key"},
		{"internal error", 200, `{"success":false,"error-codes":["internal-error"]}`, auth.CodeUnavailable, "internal-error"},

		{"500", 500, yes, auth.CodeUnavailable, "captcha.example answered 500"},
		{"503", 503, `{"success":false,"error-codes":["timeout-or-duplicate"]}`, auth.CodeUnavailable, "503"},
		{"429", 429, `{"success":false,"error-codes":["timeout-or-duplicate"]}`, auth.CodeUnavailable, "429"},
		{"redirect", 302, yes, auth.CodeUnavailable, "302"},
		{"redirect that keeps the method", 307, yes, auth.CodeUnavailable, "307"},
		{"no content", 204, "", auth.CodeUnavailable, "204"},
		{"201", 201, yes, auth.CodeUnavailable, "201"},
		{"yes, as 400", 400, yes, auth.CodeUnavailable, "no reason"},
		{"yes, and errors beside it, as 400", 400, strings.Replace(yes, "[]", `["bad-request"]`, 1), auth.CodeUnavailable, "no reason"},
		{"no without a reason, as 400", 400, `{"success":false}`, auth.CodeUnavailable, "no reason"},
		{"404", 404, "not found", auth.CodeUnavailable, "404"},

		{"nothing", 200, "", auth.CodeUnavailable, "not as siteverify does"},
		{"a page", 200, "<html>success: true</html>", auth.CodeUnavailable, "not a JSON object"},
		{"a list", 200, "[" + yes + "]", auth.CodeUnavailable, "not a JSON object"},
		{"true", 200, "true", auth.CodeUnavailable, "not a JSON object"},
		{"null", 200, "null", auth.CodeUnavailable, "not a JSON object"},
		{"cut", 200, yes[:len(yes)-1], auth.CodeUnavailable, "not a JSON object"},
		{"two replies", 200, yes + yes, auth.CodeUnavailable, "not a JSON object"},
		{"empty object", 200, "{}", auth.CodeUnavailable, "success"},
		{"success null", 200, strings.Replace(yes, "true", "null", 1), auth.CodeUnavailable, "success"},
		{"success is text", 200, strings.Replace(yes, "true", `"true"`, 1), auth.CodeUnavailable, "success"},
		{"success is 1", 200, strings.Replace(yes, "true", "1", 1), auth.CodeUnavailable, "success"},
		{"success in another case", 200, strings.Replace(yes, "success", "Success", 1), auth.CodeUnavailable, "success"},
		{"success twice", 200, `{"success":false,` + yes[1:], auth.CodeUnavailable, "twice"},
		{"score is text", 200, strings.Replace(yes, "0.9", `"0.9"`, 1), auth.CodeUnavailable, "success"},
		{"score above 1", 200, strings.Replace(yes, "0.9", "9", 1), auth.CodeUnavailable, "success"},
		{"score below 0", 200, strings.Replace(yes, "0.9", "-0.1", 1), auth.CodeUnavailable, "success"},
		{"host is a list", 200, strings.Replace(yes, `"www.example.com"`, `["www.example.com"]`, 1), auth.CodeUnavailable, "success"},
		{"codes are text", 200, `{"success":false,"error-codes":"timeout-or-duplicate"}`, auth.CodeUnavailable, "success"},
		{"as long as is read", 200, yes + long[len(yes):], "", ""},
		{"longer than is read", 200, yes + long[len(yes)-1:], auth.CodeUnavailable, "longer than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := siteverifytest.New(t, func(url.Values) (int, string) { return c.status, c.body })
			d := check(t, c.name, verifier(t, s, nil), request(), c.code)
			if d != nil && (d.Err == nil || !strings.Contains(d.Err.Error(), c.tells) || strings.ContainsAny(d.Err.Error(), "\n\r")) {
				t.Errorf("the log gets %v, want %q in it", d.Err, c.tells)
			}
			if n := len(s.Asked()); n != 1 {
				t.Errorf("asked %d times", n)
			}
		})
	}
}

// TestAsking looks at the form: the address is the client's as hookd knows it,
// whatever headers claim.
func TestAsking(t *testing.T) {
	t.Parallel()
	s := siteverifytest.Always(t, yes)
	v := verifier(t, s, func(o *siteverify.Options) {
		o.Endpoint = url.URL{Scheme: "https", Host: "mirror.example", Path: "/verify"}
	})
	r := request()
	r.Header.Set("X-Forwarded-For", "198.51.100.66")
	r.Header.Set("X-Real-Ip", "198.51.100.67")
	r.Header.Set("Cf-Connecting-Ip", "198.51.100.68")
	for _, c := range [][2]string{{"203.0.113.9", "203.0.113.9"}, {"::ffff:203.0.113.9", "203.0.113.9"}, {"2001:db8::1", "2001:db8::1"}, {"fe80::1%eth0", "fe80::1"}, {"", ""}} {
		r.Remote = netip.Addr{}
		if c[0] != "" {
			r.Remote = netip.MustParseAddr(c[0])
		}
		check(t, c[0], v, r, "")
		asked := s.Asked()
		last := asked[len(asked)-1]
		want := url.Values{"secret": {siteSecret}, "response": {good}}
		if c[1] != "" {
			want.Set("remoteip", c[1])
		}
		if last.Form.Encode() != want.Encode() || last.URL != "https://mirror.example/verify" {
			t.Errorf("asked %s with %v, want %v", last.URL, last.Form, want)
		}
		if ct := last.Header.Get("Content-Type"); ct != "application/x-www-form-urlencoded" {
			t.Errorf("Content-Type %q", ct)
		}
	}
	check(t, "usual endpoint", verifier(t, s, nil), request(), "")
	if asked := s.Asked(); asked[len(asked)-1].URL != service.Endpoint {
		t.Errorf("asked %s", asked[len(asked)-1].URL)
	}
}

// trip is a transport made of a function.
type trip func(*http.Request) (*http.Response, error)

func (f trip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestUnreachable(t *testing.T) {
	t.Parallel()
	broken := io.MultiReader(strings.NewReader(yes[:9]), failing{})
	for name, rt := range map[string]http.RoundTripper{
		"offline": nil,
		"refused": trip(func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }),
		"breaks off": trip(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: io.NopCloser(broken)}, nil
		}),
	} {
		if d := check(t, name, verifier(t, rt, nil), request(), auth.CodeUnavailable); d.Err == nil {
			t.Errorf("%s: the log gets nothing", name)
		}
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestTimeout: 5 seconds for the whole exchange, body included.
func TestTimeout(t *testing.T) {
	t.Parallel()
	for name, rt := range map[string]trip{
		"header": func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() },
		"body": func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: stuck{r.Context()}}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				check(t, name, verifier(t, rt, nil), request(), auth.CodeUnavailable)
				if took := time.Since(start); took != 5*time.Second {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

// stuck is a body that never comes.
type stuck struct{ ctx context.Context }

func (s stuck) Read([]byte) (int, error) { <-s.ctx.Done(); return 0, s.ctx.Err() }
func (stuck) Close() error               { return nil }

// TestCancelled: the caller's context ends the exchange, and the answer is
// still a refusal.
func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := siteverifytest.New(t, func(url.Values) (int, string) { cancel(); <-ctx.Done(); return 200, yes })
	rt := trip(func(r *http.Request) (*http.Response, error) {
		resp, err := s.RoundTrip(r)
		if err == nil { // the answer was faster than the cancellation
			resp.Body.Close()
			err = r.Context().Err()
		}
		return nil, err
	})
	_, err := verifier(t, rt, nil).Verify(ctx, request())
	if d := auth.DenialOf(err); err == nil || !d.Unavailable || !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if _, err := verifier(t, s, nil).Verify(ctx, request()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: %v", err)
	}
}

// TestConcurrent: every request gets the answer to its own token.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	s := siteverifytest.New(t, func(form url.Values) (int, string) {
		if strings.HasPrefix(form.Get("response"), "good") {
			return 200, yes
		}
		return 200, `{"success":false,"error-codes":["timeout-or-duplicate"]}`
	})
	v := verifier(t, s, nil)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for j := range 10 {
				kind, code := "good", ""
				if (i+j)%2 == 0 {
					kind, code = "bad", auth.CodeReplayed
				}
				check(t, kind, v, authtest.Header("X-Token", fmt.Sprintf("%s-%d-%d", kind, i, j)), code)
			}
		})
	}
	wg.Wait()
	if n := len(s.Asked()); n != 160 {
		t.Errorf("asked %d times", n)
	}
}

// TestUntouched: nothing of the request is changed, and nothing secret printed.
func TestUntouched(t *testing.T) {
	t.Parallel()
	v := verifier(t, siteverifytest.Always(t, yes), nil)
	r := request()
	before := fmt.Sprintf("%+v %s %s", r.Header, r.URL, r.Body)
	check(t, "untouched", v, r, "")
	if after := fmt.Sprintf("%+v %s %s", r.Header, r.URL, r.Body); after != before {
		t.Errorf("changed from %s to %s", before, after)
	}
	v = verifier(t, nil, nil) // the test's service would print what it was asked
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if text := fmt.Sprintf(format, v); strings.Contains(text, siteSecret) {
			t.Errorf("%s prints the secret: %s", format, text)
		}
	}
}

func TestPlace(t *testing.T) {
	t.Parallel()
	v := verifier(t, nil, func(o *siteverify.Options) { o.Field = "x-own-TOKEN" })
	if got := v.CredentialHeaders(); !slices.Equal(got, []string{"X-Own-Token"}) || v.CredentialParams() != nil || v.Cost() != auth.CostRemote {
		t.Errorf("%q, %q, cost %d", got, v.CredentialParams(), v.Cost())
	}
	if got := verifier(t, nil, nil).CredentialHeaders(); !slices.Equal(got, []string{"X-Token"}) {
		t.Errorf("%q", got)
	}
	body := verifier(t, nil, func(o *siteverify.Options) { o.Source = siteverify.FromBody })
	if got := body.CredentialHeaders(); len(got) != 0 || body.Cost() != auth.CostRemote {
		t.Errorf("%q, cost %d", got, body.Cost())
	}
	if _, err := siteverify.New(auth.Env{}, service, siteverify.Options{}, nil); err == nil {
		t.Error("made without a secret")
	}
}
