package scheme_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/scheme"
	"github.com/hookd/hookd/internal/secret"
)

// TestUnsoundDescriptions: a description that would protect less than it seems
// to is refused.
func TestUnsoundDescriptions(t *testing.T) {
	t.Parallel()
	good := func() scheme.Alternative { return hexOf(scheme.SHA256, "X-Sig", "", "{body}")[0] }
	if _, err := scheme.Compile([]scheme.Alternative{good()}, options("s")); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(a *scheme.Alternative){
		"no source":               func(a *scheme.Alternative) { a.Sig.At = nil },
		"unknown source":          func(a *scheme.Alternative) { a.Sig.At = []string{"cookie:x"} },
		"source without a name":   func(a *scheme.Alternative) { a.Sig.At = []string{"header:"} },
		"nothing signed":          func(a *scheme.Alternative) { a.Signed = "" },
		"open brace":              func(a *scheme.Alternative) { a.Signed = "{body" },
		"unknown atom":            func(a *scheme.Alternative) { a.Signed = "{boddy}" },
		"time without a clock":    func(a *scheme.Alternative) { a.Signed = "{time}.{body}" },
		"clock without a source":  func(a *scheme.Alternative) { a.Time = &scheme.Time{} },
		"url without one":         func(a *scheme.Alternative) { a.Signed = "{url}{body}" },
		"secret in an HMAC":       func(a *scheme.Alternative) { a.Signed = "{secret}{body}" },
		"digest without a secret": func(a *scheme.Alternative) { a.Kind = scheme.Digest },
		"signing token":           func(a *scheme.Alternative) { a.Kind = scheme.Token },
		"list without a pick":     func(a *scheme.Alternative) { a.Sig.KV = "=" },
		"bad condition":           func(a *scheme.Alternative) { a.When = [2]string{"nowhere", "x"} },
		"secret that is no hex":   func(a *scheme.Alternative) { a.Key.Enc = scheme.Hex },
		"secret that is no b64":   func(a *scheme.Alternative) { a.Key.Enc = scheme.Base64 },
	} {
		a := good()
		change(&a)
		_, err := scheme.Compile([]scheme.Alternative{a}, options("top-s3cret!"))
		if err == nil {
			t.Errorf("%s: compiled", name)
		} else if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: the secret is told: %v", name, err)
		}
	}
	if _, err := scheme.Compile(nil, options("s")); err == nil {
		t.Error("compiled nothing")
	}
}

func options(secrets ...string) scheme.Options {
	o := scheme.Options{Name: "test"}
	for _, s := range secrets {
		o.Secrets = append(o.Secrets, secret.New(s))
	}
	return o
}

func request(body string, headers ...string) *auth.Request {
	r := &auth.Request{Method: "POST", URL: &url.URL{Path: "/a b", RawPath: "/a%20b"}, Header: http.Header{}, Body: []byte(body)}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

// TestAtoms signs each atom and then changes what it covers.
func TestAtoms(t *testing.T) {
	t.Parallel()
	const form = "b=2&a=1&a=0&a=1"
	for _, c := range []struct {
		signed string
		change func(r *auth.Request)
	}{
		{"{method}", func(r *auth.Request) { r.Method = "PUT" }},
		{"{path}", func(r *auth.Request) { r.URL.Path, r.URL.RawPath = "/a/b", "" }},
		{"{header:X-Id}", func(r *auth.Request) { r.Header.Set("X-Id", "2") }},
		{"{query:q}", func(r *auth.Request) { r.URL.RawQuery = "q=2" }},
		{"{form:b}", func(r *auth.Request) { r.Body = []byte("b=3&a=1&a=0&a=1") }},
		{"{sorted_form}", func(r *auth.Request) { r.Body = []byte("b=2&a=1&a=0") }},
		{"{sorted_form_uniq}", func(r *auth.Request) { r.Body = []byte("b=2&a=1") }},
		{"{crc32:body}", func(r *auth.Request) { r.Body = []byte("x") }},
		{"{hex:sha256:body}", func(r *auth.Request) { r.Body = []byte("x") }},
		{"{param:p}{method}", nil},
		{"{header:X-Id}", func(r *auth.Request) { r.Header.Add("X-Id", "1") }},
		{"{header:X-Id}", func(r *auth.Request) { r.Header.Del("X-Id") }},
		{"{form:b}", func(r *auth.Request) { r.Body = []byte("b=2&b=2") }},
		{"{sorted_form}", func(r *auth.Request) { r.Body = []byte("%zz") }},
	} {
		o := options("k")
		o.Params = map[string]string{"p": "v"}
		s, err := scheme.Compile(hexOf(scheme.SHA512, "X-Sig", "", c.signed), o)
		if err != nil {
			t.Fatal(err)
		}
		r := request(form, "X-Id", "1")
		r.URL.RawQuery = "q=1"
		if err := s.Sign(r); err != nil {
			t.Fatalf("%s: %v", c.signed, err)
		}
		if _, err := s.Verify(r); err != nil {
			t.Errorf("%s: %v", c.signed, err)
		}
		if c.change == nil {
			continue
		}
		if c.change(r); verifies(s, r) {
			t.Errorf("%s: accepted after a change", c.signed)
		}
	}
	// The order of fields is not covered, equal values are.
	s := compile(t, hexOf(scheme.SHA1, "X-Sig", "", "{sorted_form_uniq}"), "", "k")
	r := request(form)
	if err := s.Sign(r); err != nil {
		t.Fatal(err)
	}
	if r.Body = []byte("a=1&a=0&b=2"); !verifies(s, r) {
		t.Error("sorted_form_uniq depends on the order")
	}
}

func verifies(s *scheme.Scheme, r *auth.Request) bool {
	_, err := s.Verify(r)
	return err == nil
}

func TestToken(t *testing.T) {
	t.Parallel()
	alts := []scheme.Alternative{
		{Kind: scheme.Token, Sig: scheme.Sig{At: []string{"header:Authorization"}, Prefix: "Bearer "}},
		{Kind: scheme.Token, Sig: scheme.Sig{At: []string{"query:access_token"}}},
	}
	s := compile(t, alts, "", "old", "new")
	byQuery := request("")
	byQuery.URL.RawQuery = "access_token=new"
	both := request("", "Authorization", "Bearer wrong")
	both.URL.RawQuery = byQuery.URL.RawQuery
	for i, c := range []struct {
		r  *auth.Request
		ok bool
	}{
		{request("", "Authorization", "Bearer new"), true},
		{request("", "Authorization", "Bearer old"), true},
		{request("", "Authorization", "bearer old"), false},
		{request("", "Authorization", "old"), false},
		{request("", "Authorization", "Bearer old", "Authorization", "Bearer old"), false},
		{byQuery, true},
		{both, false}, // no falling back to a weaker one
		{request(""), false},
	} {
		if verifies(s, c.r) != c.ok {
			t.Errorf("%d: want %v", i, c.ok)
		}
	}
	r := request("")
	if err := s.Sign(r); err != nil || !verifies(s, r) {
		t.Errorf("sign: %v", err)
	}
}

// TestManyHeaders: numbered and repeated headers; any that matches is enough.
func TestManyHeaders(t *testing.T) {
	t.Parallel()
	wild := base64Of("X-DocuSign-Signature-*", "{body}")
	repeat := base64Of("X-Mollie-Signature", "{body}")
	repeat[0].Sig.Repeat = true
	for name, alts := range map[string][]scheme.Alternative{"wild": wild, "repeat": repeat} {
		s := compile(t, alts, "", "k")
		r := request("body")
		if err := s.Sign(r); err != nil {
			t.Fatal(err)
		}
		if !verifies(s, r) {
			t.Errorf("%s: own signature refused", name)
		}
		if name == "wild" && r.Header.Get("X-DocuSign-Signature-1") == "" {
			t.Errorf("signed in %v", r.Header)
		}
		key := "X-Mollie-Signature"
		if name == "wild" {
			key = "X-Docusign-Signature-2"
		}
		r.Header.Add(key, "AAAA")
		if !verifies(s, r) {
			t.Errorf("%s: refused for a second one", name)
		}
		for range 100 {
			r.Header.Add(key, "AAAA")
		}
		if verifies(s, r) {
			t.Errorf("%s: took 102", name)
		}
		r = request("body", key, "AAAA")
		if verifies(s, r) {
			t.Errorf("%s: took a wrong one", name)
		}
	}
	if got := compile(t, wild, "", "k").CredentialHeaders(); len(got) != 100 || got[99] != "X-Docusign-Signature-100" {
		t.Errorf("credential headers %q", got)
	}
}

// TestStrictBase64: unused bits must be zero, blanks are not skipped.
func TestStrictBase64(t *testing.T) {
	t.Parallel()
	for enc, alter := range map[scheme.Encoding][]func(string) string{
		scheme.Base64: {
			func(s string) string { return strings.TrimRight(s, "=") },
			func(s string) string { return s + "=" },
			func(s string) string { return s[:10] + "\n" + s[10:] },
			func(s string) string { return s[:10] + " " + s[10:] },
			func(s string) string { return s[:42] + string(s[42]+1) + "=" },
		},
		scheme.Base64URL: {
			func(s string) string { return s + "==" },
			func(s string) string { return s[:42] + string(s[42]+1) },
		},
	} {
		alts := hexOf(scheme.SHA256, "X-Sig", "", "{body}")
		alts[0].Sig.Enc = enc
		s := compile(t, alts, "", "k")
		r := request("body-3") // its digest ends in a character that has a successor
		if err := s.Sign(r); err != nil {
			t.Fatal(err)
		}
		good := r.Header.Get("X-Sig")
		for i, f := range alter {
			r.Header["X-Sig"] = []string{f(good)}
			if verifies(s, r) {
				t.Errorf("encoding %d, case %d: accepted %q for %q", enc, i, f(good), good)
			}
		}
		if r.Header["X-Sig"] = []string{good}; !verifies(s, r) {
			t.Errorf("encoding %d: own signature refused", enc)
		}
		if r.Header["X-Sig"] = []string{good + "="}; enc == scheme.Base64URL && !verifies(s, r) {
			t.Error("padded base64url refused")
		}
	}
}

// FuzzJSON compares the reader with encoding/json.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`{"id":"a","type":"b"}`, ` { "x" : [ {"id":1}, "\"}" ], "id" : -1.5e3 , "type":true}`, `{"a":[{"b":"x"},{"b":"y"}]}`,
		`{"\u0069d":"\u00e9\ud83d\ude00"}`, `[]`, `{"id":{}}`, `{"id":"a","id":"b"}`, `{"id":`, `{"id":"a"`, "{\"id\":\"\x01\"}", "{\"id\":\"\xff\"}", `{"id"x:1}`, `nul`, `"`,
	} {
		f.Add(seed)
	}
	sources, err := scheme.ParseSources([]string{"json:id", "json:a.1.b", "json:type"})
	if err != nil {
		f.Fatal(err)
	}
	rd, err := scheme.NewReader(sources[:1], sources[1:2], sources[2:])
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var got [3]string
		var from [3]scheme.Source
		dup := rd.Unambiguous([]byte(body)) != nil
		rd.Read(request(body), got[:], from[:])
		dec := json.NewDecoder(strings.NewReader(body))
		dec.UseNumber()
		var v any
		if dec.Decode(&v) != nil || dup {
			return // what is no JSON is refused elsewhere; here it must only not panic
		}
		top, _ := v.(map[string]any)
		list, _ := top["a"].([]any)
		inner := map[string]any{}
		if len(list) > 1 {
			inner, _ = list[1].(map[string]any)
		}
		for i, want := range []any{top["id"], inner["b"], top["type"]} {
			if text := text(want); got[i] != text {
				t.Errorf("%q: value %d is %q, want %q", body, i, got[i], text)
			}
		}
	})
}

// text is a scalar as a Reader returns it.
func text(v any) (s string) {
	switch v := v.(type) {
	case string:
		s = v
	case json.Number:
		s = v.String()
	case bool:
		s = map[bool]string{true: "true", false: "false"}[v]
	}
	if len(s) > 512 || auth.HasControl(s) {
		return ""
	}
	return s
}
