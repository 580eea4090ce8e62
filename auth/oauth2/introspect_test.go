package oauth2_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	method "github.com/hookd/hookd/auth/oauth2"
)

// server is an authorization server whose answer a test changes.
type server struct {
	asked  int
	answer func(r *http.Request) (*http.Response, error)
}

func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	s.asked++
	return s.answer(r)
}

func (s *server) says(status int, body string) {
	s.answer = func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader([]byte(body)))}, nil
	}
}

func (s *server) verifier(t *testing.T, more string) auth.Verifier {
	t.Helper()
	if more != "" {
		more = "," + more
	}
	return decode(t, s, `{"introspection_endpoint":"https://as.example/introspect","client_id":"hookd","client_secret":"s3cret"`+more+`}`)
}

func decode(t *testing.T, rt http.RoundTripper, conf string) auth.Verifier {
	t.Helper()
	v, err := authtest.Decode(online{method.Method(), auth.Env{HTTP: rt}}, conf)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func denial(t *testing.T, v auth.Verifier, r *auth.Request) *auth.Denial {
	t.Helper()
	id, err := v.Verify(context.Background(), r)
	if err == nil {
		if id.Method != "oauth2" {
			t.Errorf("identity %+v", id)
		}
		return &auth.Denial{}
	}
	if text := err.Error(); strings.Contains(text, "s3cret") || strings.Contains(text, "the-token") {
		t.Errorf("a secret is told: %s", text)
	}
	return auth.DenialOf(err)
}

// TestIntrospection is the contract of the original service, rows 136 to 142.
func TestIntrospection(t *testing.T) {
	t.Parallel()
	now := authtest.Now.Unix()
	const scopes = `"required_scope":["a","b"]`
	for name, c := range map[string]struct {
		more   string
		status int
		body   string
		code   string
	}{
		"136 superset":            {scopes, 200, `{"active":true,"scope":"a b c"}`, ""},
		"136 no scope asked for":  {"", 200, `{"active":true}`, ""},
		"137 not active":          {scopes, 200, `{"active":false}`, auth.CodeInactive},
		"137 not active, scopes":  {scopes, 200, `{"active":false,"scope":"a b"}`, auth.CodeInactive},
		"137 scope missing":       {scopes, 200, `{"active":true,"scope":"a"}`, auth.CodeScope},
		"137 no scope":            {scopes, 200, `{"active":true}`, auth.CodeScope},
		"138 scope as a list":     {scopes, 200, `{"active":true,"scope":["a","b"]}`, ""},
		"139 401":                 {"", 401, `{"active":true}`, auth.CodeUnavailable},
		"139 403":                 {"", 403, ``, auth.CodeUnavailable},
		"139 404":                 {"", 404, ``, auth.CodeUnavailable},
		"139 500":                 {"", 500, `{"active":true}`, auth.CodeUnavailable},
		"201":                     {"", 201, `{"active":true}`, auth.CodeUnavailable},
		"204":                     {"", 204, ``, auth.CodeUnavailable},
		"redirect":                {"", 307, `{"active":true}`, auth.CodeUnavailable},
		"no JSON":                 {"", 200, `active`, auth.CodeUnavailable},
		"HTML":                    {"", 200, `<html>{"active":true}</html>`, auth.CodeUnavailable},
		"empty":                   {"", 200, ``, auth.CodeUnavailable},
		"empty object":            {"", 200, `{}`, auth.CodeUnavailable},
		"list":                    {"", 200, `[{"active":true}]`, auth.CodeUnavailable},
		"active as text":          {"", 200, `{"active":"true"}`, auth.CodeUnavailable},
		"active as number":        {"", 200, `{"active":1}`, auth.CodeUnavailable},
		"active null":             {"", 200, `{"active":null}`, auth.CodeUnavailable},
		"Active":                  {"", 200, `{"Active":true}`, auth.CodeUnavailable},
		"active twice":            {"", 200, `{"active":false,"active":true}`, auth.CodeUnavailable},
		"more behind":             {"", 200, `{"active":true}{}`, auth.CodeUnavailable},
		"huge":                    {"", 200, `{"active":true}` + strings.Repeat(" ", 64<<10), auth.CodeUnavailable},
		"exp is a text":           {"", 200, `{"active":true,"exp":"1"}`, auth.CodeUnavailable},
		"exp is null":             {"", 200, `{"active":true,"exp":null,"aud":null,"scope":null}`, ""},
		"142 expired":             {"", 200, fmt.Sprintf(`{"active":true,"exp":%d}`, now), auth.CodeExpired},
		"142 not yet expired":     {"", 200, fmt.Sprintf(`{"active":true,"exp":%d}`, now+1), ""},
		"142 verify_exp false":    {`"verify_exp":false`, 200, fmt.Sprintf(`{"active":true,"exp":%d}`, now), ""},
		"142 require_exp":         {`"require_exp":true`, 200, `{"active":true}`, auth.CodeClaim},
		"142 leeway":              {`"leeway":"10s"`, 200, fmt.Sprintf(`{"active":true,"exp":%d}`, now-9), ""},
		"142 nbf":                 {"", 200, fmt.Sprintf(`{"active":true,"nbf":%d}`, now+1), auth.CodeNotYetValid},
		"issued by a fast clock":  {"", 200, fmt.Sprintf(`{"active":true,"iat":%d}`, now+9), ""},
		"142 audience":            {`"audience":"hookd"`, 200, `{"active":true,"aud":["x","hookd"]}`, ""},
		"142 other audience":      {`"audience":"hookd"`, 200, `{"active":true,"aud":"x"}`, auth.CodeClaim},
		"142 no audience":         {`"audience":"hookd"`, 200, `{"active":true}`, auth.CodeClaim},
		"142 audience, none set":  {"", 200, `{"active":true,"aud":"x"}`, ""},
		"142 other issuer":        {`"issuer":"i"`, 200, `{"active":true,"iss":"x"}`, auth.CodeClaim},
		"142 issuer":              {`"issuer":"i"`, 200, `{"active":true,"iss":"i"}`, ""},
		"expired and not active":  {"", 200, `{"active":false,"exp":1}`, auth.CodeInactive},
		"unknown members":         {"", 200, `{"active":true,"ext":{"a":[1]},"client_id":"c"}`, ""},
		"unknown member twice in": {"", 200, `{"active":true,"ext":{"a":1,"a":2}}`, auth.CodeUnavailable},
	} {
		s := &server{}
		s.says(c.status, c.body)
		d := denial(t, s.verifier(t, c.more), bearer("the-token"))
		if d.Code != c.code || d.Forbidden != (c.code == auth.CodeScope) || d.Unavailable != (c.code == auth.CodeUnavailable) {
			t.Errorf("%s: %+v, want %q", name, d, c.code)
		}
	}
}

func TestSubject(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"active":true,"sub":"s","username":"u","client_id":"c"}`: "oauth2:s",
		`{"active":true,"username":"u","client_id":"c"}`:           "oauth2:u",
		`{"active":true,"client_id":"c"}`:                          "oauth2:c",
		`{"active":true,"client_id":7}`:                            "oauth2",
	} {
		s := &server{}
		s.says(200, body)
		if id, err := s.verifier(t, "").Verify(context.Background(), bearer("a")); err != nil || id.Subject != want {
			t.Errorf("%s: %+v %v", body, id, err)
		}
	}
}

// TestRequest: what the authorization server is asked, on the wire.
func TestRequest(t *testing.T) {
	t.Parallel()
	const id, password, token = "ho:okd &\u00fc", "s3cret+/=%\u00e9 :", "the-token+/~.="
	var elsewhere atomic.Bool
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/elsewhere" {
			elsewhere.Store(true)
		}
		if r.URL.Path == "/redirect" {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
			return
		}
		user, pass, ok := r.BasicAuth()
		gotID, errID := url.QueryUnescape(user)
		gotPassword, errPassword := url.QueryUnescape(pass)
		if !ok || errID != nil || errPassword != nil || gotID != id || gotPassword != password || strings.ContainsAny(user, " :\u00fc") {
			t.Errorf("client %q %q", user, pass)
		}
		if err := r.ParseForm(); err != nil || r.Method != http.MethodPost || len(r.PostForm) != 2 ||
			r.PostForm.Get("token") != token || r.PostForm.Get("token_type_hint") != "access_token" {
			t.Errorf("%s %v %v", r.Method, r.PostForm, err)
		}
		if r.Header.Get("Accept") != "application/json" || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.URL.RawQuery != "tenant=1" {
			t.Errorf("%s %v", r.URL, r.Header)
		}
		fmt.Fprint(w, `{"active":true}`)
	}))
	t.Cleanup(s.Close)
	conf := func(path string) string {
		return fmt.Sprintf(`{"introspection_endpoint":%q,"client_id":%s,"client_secret":%s}`, s.URL+path, authtest.Quote(id), authtest.Quote(password))
	}
	if d := denial(t, decode(t, s.Client().Transport, conf("/introspect?tenant=1")), bearer(token)); d.Code != "" {
		t.Errorf("refused: %v", d)
	}
	if d := denial(t, decode(t, s.Client().Transport, conf("/redirect")), bearer(token)); !d.Unavailable || elsewhere.Load() {
		t.Errorf("redirect: %v, followed %v", d, elsewhere.Load())
	}
	down := httptest.NewServer(http.NotFoundHandler())
	down.Close()
	v := decode(t, down.Client().Transport, `{"introspection_endpoint":"`+down.URL+`/?key=s3cret"}`)
	if d := denial(t, v, bearer("the-token")); !d.Unavailable {
		t.Errorf("down: %v", d)
	}
}

func TestNotAsked(t *testing.T) {
	t.Parallel()
	s := &server{}
	s.says(200, `{"active":true}`)
	v := s.verifier(t, "")
	for _, value := range []string{"", "Bearer", "Bearer ", "Basic abc", "Bearer a b", "Bearer a,b", "Bearer \u00e9", "Bearer =", "Bearer a\"", "Bearer " + strings.Repeat("a", 8192)} {
		if d := denial(t, v, authtest.Header("Authorization", value)); d.Code == "" || d.Unavailable {
			t.Errorf("%.20q: %v", value, d)
		}
	}
	if s.asked != 0 {
		t.Errorf("asked %d times about what is no token", s.asked)
	}
}

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{answer: func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, errors.New("gave up")
		}}
		start := time.Now()
		if d := denial(t, s.verifier(t, ""), bearer("a")); !d.Unavailable || time.Since(start) != 5*time.Second {
			t.Errorf("%v after %s", d, time.Since(start))
		}
	})
}

func TestCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		v := s.verifier(t, `"required_scope":"a"`)
		ask := func(token, code string, asked int) {
			t.Helper()
			r := bearer(token)
			r.Now = time.Now()
			if d := denial(t, v, r); d.Code != code || s.asked != asked {
				t.Errorf("%s: code %q, asked %d; want %q, %d", token, d.Code, s.asked, code, asked)
			}
		}
		s.says(200, `{"active":true,"scope":"a"}`)
		ask("one", "", 1)
		ask("one", "", 1)
		ask("two", "", 2)
		s.says(200, `{"active":false}`)
		ask("one", "", 2) // revoked, and still kept
		<-time.After(time.Minute)
		ask("one", auth.CodeInactive, 3)
		ask("one", auth.CodeInactive, 3)
		s.says(200, fmt.Sprintf(`{"active":true,"scope":"a","exp":%d}`, time.Now().Unix()+20))
		<-time.After(10 * time.Second)
		ask("one", "", 4)
		<-time.After(10 * time.Second)
		ask("one", auth.CodeExpired, 4) // before a minute is over
		s.says(200, `{"active":true,"scope":"b"}`)
		ask("three", auth.CodeScope, 5)
		ask("three", auth.CodeScope, 5)
		s.says(503, "")
		ask("four", auth.CodeUnavailable, 6)
		s.says(200, `{"active":true,"scope":"a"}`)
		ask("four", "", 7) // failures are not kept

		v = s.verifier(t, `"cache_ttl":0`)
		ask("one", "", 8)
		ask("one", "", 9)
	})
}

// TestCacheIsBounded: junk pushes out nothing that is good.
func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	s := &server{}
	v := s.verifier(t, "")
	s.says(200, `{"active":true}`)
	denial(t, v, bearer("good"))
	s.says(200, `{"active":false}`)
	for i := range 20_000 {
		if d := denial(t, v, bearer(fmt.Sprint("junk", i))); d.Code != auth.CodeInactive {
			t.Fatal(d)
		}
	}
	if d := denial(t, v, bearer("good")); d.Code != "" || s.asked != 20_001 {
		t.Errorf("%v, asked %d", d, s.asked)
	}
	s.says(200, `{"active":true}`)
	for i := range 10_001 {
		denial(t, v, bearer(fmt.Sprint("good", i)))
	}
	asked := s.asked
	if denial(t, v, bearer("good")); s.asked != asked+1 {
		t.Error("the oldest of 10 000 good tokens is still there")
	}
	if denial(t, v, bearer("good10000")); s.asked != asked+1 {
		t.Error("the newest is not")
	}
}

func TestKeysOverHTTP(t *testing.T) {
	t.Parallel()
	s := &server{}
	s.says(200, keySet())
	v := decode(t, s, `{"jwks_url":"https://as.example/keys"}`)
	if d := denial(t, v, bearer(rs(`{"sub":"ci"}`))); d.Code != "" {
		t.Error(d)
	}
}

// FuzzReply: only a plain yes is one.
func FuzzReply(f *testing.F) {
	for _, seed := range []string{
		`{"active":true}`, `{"active":false}`, `{"active":"true"}`, `{"active":true,"exp":1e30,"aud":["a"],"scope":"x"}`, `{"active":true,"active":false}`, `[true]`, `{`, "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		s := &server{}
		s.says(200, string(body))
		_, err := s.verifier(t, "").Verify(context.Background(), bearer("a"))
		var plain struct{ Active any }
		if bad := json.Unmarshal(body, &plain); err == nil && (bad != nil || plain.Active != true) {
			t.Errorf("accepted %q", body)
		}
		if err != nil && auth.DenialOf(err).Code == auth.CodeInternal {
			t.Errorf("%q: %v", body, err)
		}
	})
}
