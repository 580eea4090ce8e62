package scheme_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/scheme"
)

// mailgun has all of the signature in the body.
func mailgun(kind string) scheme.Alternative {
	at := func(name string) string {
		if kind == "json" {
			return "json:signature." + name
		}
		return kind + ":" + name
	}
	return scheme.Alternative{
		Sig:    scheme.Sig{At: []string{at("signature")}, Enc: scheme.Hex},
		Time:   &scheme.Time{At: at("timestamp"), Tolerance: 5 * time.Minute},
		Signed: "{time}{" + at("token") + "}",
	}
}

// TestSignatureInTheBody: placed, read and refused when changed; all else of
// the body stays.
func TestSignatureInTheBody(t *testing.T) {
	t.Parallel()
	alts := []scheme.Alternative{mailgun("json"), mailgun("form")}
	s := compile(t, alts, "", "k")
	for body, want := range map[string]string{
		`{"signature":{"token":"t","timestamp":"1","signature":"x"}, "event-data":{"id" : 1}}`: `{"signature":{"token":"t","timestamp":"1772366400","signature":"SIG"}, "event-data":{"id" : 1}}`,
		`{"signature":{"token":"t","timestamp":1}}`:                                            `{"signature":{"signature":"SIG","token":"t","timestamp":1772366400}}`,
		`{ "signature":{"token":"t"} }`:                                                        `{ "signature":{"signature":"SIG","timestamp":"1772366400","token":"t"} }`,
	} {
		got := signedAtNow(t, s, body)
		sig := got[strings.Index(got, `"signature":"`)+len(`"signature":"`):][:64]
		if strings.Replace(got, sig, "SIG", 1) != want {
			t.Errorf("%s\nsigned %s\nwant   %s", body, got, want)
		}
		for name, bad := range map[string]string{
			"token": strings.Replace(got, `"token":"t"`, `"token":"u"`, 1), "signature": strings.Replace(got, sig[:8], other(sig[:8]), 1),
			"time": strings.Replace(got, "1772366400", "1772366401", 1), "second": got[:len(got)-1] + `,"signature":{}}`, "cut": got[:len(got)-1],
		} {
			r := request(bad)
			if r.Now = time.Unix(1772366400, 0); verifies(s, r) {
				t.Errorf("%s: accepted %s", name, bad)
			}
		}
	}
	form := compile(t, alts[1:], "", "k")
	got := signedAtNow(t, form, "b=2&token=t%20t&%74imestamp=1&a=%31&signature=x&signature=y")
	sig := got[strings.LastIndex(got, "=")+1:]
	if want := "b=2&token=t%20t&timestamp=1772366400&a=%31&signature=" + sig; got != want || len(sig) != 64 {
		t.Errorf("form signed as %s", got)
	}
	r := request(got)
	if r.Now = time.Unix(1772366400, 0); !verifies(s, r) { // the second alternative
		t.Error("the form is refused beside JSON")
	}
	r = request(got + "&signature=" + sig)
	if r.Now = time.Unix(1772366400, 0); codeOf(second(s.Verify(r))) != auth.CodeDoubled {
		t.Error("the signature came twice")
	}
}

// signedAtNow signs, verifies, and returns the body.
func signedAtNow(t *testing.T, s *scheme.Scheme, body string) string {
	t.Helper()
	r := request(body)
	r.Now = time.Unix(1772366400, 0)
	if err := s.Sign(r); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	if _, err := s.Verify(r); err != nil {
		t.Errorf("%s: %v", r.Body, err)
	}
	return string(r.Body)
}

// TestCannotSign: what is not there to sign, or to put the signature into.
func TestCannotSign(t *testing.T) {
	t.Parallel()
	json := compile(t, []scheme.Alternative{mailgun("json")}, "", "k")
	items := compile(t, []scheme.Alternative{perItem("{item:id}")}, "", "k")
	for _, c := range []struct {
		s    *scheme.Scheme
		body string
	}{
		{json, ""},
		{json, "token=t"},
		{json, `{"signature":{}}`},
		{json, `{"signature":"x"}`},
		{json, `{"signature":{"token":"t"},"signature":{}}`},
		{json, `[]`},
		{json, `"text"`},
		{items, `{}`},
		{items, `{"list":[]}`},
		{items, `{"list":[1]}`},
		{items, `{"list":[{"id":"a"},{}]}`},
		{items, `list=1`},
	} {
		if err := c.s.Sign(request(c.body)); err == nil || !strings.Contains(err.Error(), "cannot sign") {
			t.Errorf("%q: %v", c.body, err)
		}
	}
}

// TestPickBySetting is Braintree's list of public keys.
func TestPickBySetting(t *testing.T) {
	t.Parallel()
	a := scheme.Alternative{
		Hash: scheme.SHA1, Key: scheme.Key{SHA1: true},
		Sig:    scheme.Sig{At: []string{"form:bt_signature"}, Split: "&", KV: "|", Pick: "{param:public_key}", Enc: scheme.Hex},
		Signed: "{form:bt_payload}",
	}
	o := options("private")
	o.Params = map[string]string{"public_key": "mine"}
	s, err := scheme.Compile([]scheme.Alternative{a}, o)
	if err != nil {
		t.Fatal(err)
	}
	r := request("bt_payload=cGF5%0A")
	if err := s.Sign(r); err != nil || !verifies(s, r) {
		t.Fatalf("%s: %v", r.Body, err)
	}
	good := string(r.Body)
	if !strings.Contains(good, "bt_signature=mine%7C") {
		t.Errorf("signed as %s", good)
	}
	for bad, ok := range map[string]bool{
		strings.Replace(good, "mine%7C", "other%7C00%26mine%7C", 1): true,
		strings.Replace(good, "mine%7C", "other%7C", 1):             false,
		strings.Replace(good, "cGF5", "cGF6", 1):                    false,
		strings.Replace(good, "mine%7C", "mine", 1):                 false,
	} {
		if verifies(s, request(bad)) != ok {
			t.Errorf("%s: want %v", bad, ok)
		}
	}
}

// TestRequire: what is covered must be equal to what is not.
func TestRequire(t *testing.T) {
	t.Parallel()
	a := hexOf(scheme.SHA256, "X-Sig", "", "{url_query}")[0]
	a.Require = [][2]string{{"{query:bodySHA256}", "{hex:sha256:body}"}, {"v-{method}", "{header:X-Method}"}}
	s := compile(t, []scheme.Alternative{a}, "https://example.com/hook?old=1", "k")
	r := request("body")
	r.URL.RawQuery = "a=1"
	if err := s.Sign(r); err != nil {
		t.Fatal(err)
	}
	if !verifies(s, r) || !strings.HasPrefix(r.URL.RawQuery, "a=1&bodySHA256=230d8358dc8e8890") || r.Header.Get("X-Method") != "v-POST" {
		t.Fatalf("signed as %s %v", r.URL.RawQuery, r.Header)
	}
	src, err := scheme.ParseSource("json:id")
	if err != nil || !s.Covers(src) {
		t.Errorf("the body is covered by its hash: %v", err)
	}
	for name, change := range map[string]func(r *auth.Request){
		"body":        func(r *auth.Request) { r.Body = []byte("bodz") },
		"header":      func(r *auth.Request) { r.Header.Set("X-Method", "v-PUT") },
		"header gone": func(r *auth.Request) { r.Header.Del("X-Method") },
		"method":      func(r *auth.Request) { r.Method = "PUT" },
		"query":       func(r *auth.Request) { r.URL.RawQuery += "&b=2" },
		"query gone":  func(r *auth.Request) { r.URL.RawQuery = "a=1" },
		"hash twice":  func(r *auth.Request) { r.URL.RawQuery += "&bodySHA256=x" },
	} {
		c, u := *r, *r.URL
		c.URL, c.Header = &u, r.Header.Clone()
		if change(&c); verifies(s, &c) {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestURLVariants: the query is the one that was received.
func TestURLVariants(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		signed, url, query, other string
	}{
		{"{url_query}", "https://example.com/h", "a=1", "a=2"},
		{"{url_query}", "https://example.com/h?a=1", "", "a=1"},
		{"{url_query_decoded}", "https://example.com/h%3A", "a=%2Fb%3a", "a=/b;"},
	} {
		s := compile(t, hexOf(scheme.SHA256, "X-Sig", "", c.signed), c.url, "k")
		r := request("")
		r.URL.RawQuery = c.query
		if err := s.Sign(r); err != nil || !verifies(s, r) {
			t.Errorf("%+v: %v", c, err)
		}
		if r.URL.RawQuery = c.other; verifies(s, r) {
			t.Errorf("%+v: accepted with another query", c)
		}
	}
	s := compile(t, hexOf(scheme.SHA256, "X-Sig", "", "{url_query_decoded}"), "https://example.com/h", "k")
	r := request("")
	r.URL.RawQuery = "a=%2Fb%3a"
	if err := s.Sign(r); err != nil {
		t.Fatal(err)
	}
	if r.URL.RawQuery = "a=/b:"; !verifies(s, r) {
		t.Error("the escapes are not undone")
	}
}

// TestConditionOfTheOperator picks the alternative that a setting names, for
// signing, too.
func TestConditionOfTheOperator(t *testing.T) {
	t.Parallel()
	one, two := hexOf(scheme.SHA256, "X-One", "", "{body}")[0], hexOf(scheme.SHA256, "X-Two", "", "{body}")[0]
	one.When, two.When = [2]string{"param:version", "1"}, [2]string{"param:version", "2"}
	o := options("k")
	o.Params = map[string]string{"version": "2"}
	s, err := scheme.Compile([]scheme.Alternative{one, two}, o)
	if err != nil {
		t.Fatal(err)
	}
	r := request("body")
	if err := s.Sign(r); err != nil || r.Header.Get("X-Two") == "" || !verifies(s, r) {
		t.Errorf("%v %v", err, r.Header)
	}
}
