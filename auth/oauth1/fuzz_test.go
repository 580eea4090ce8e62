package oauth1_test

import (
	"context"
	"maps"
	"net/url"
	"strings"
	"testing"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/auth/oauth1"
)

// FuzzHeader: nothing panics, and a header passes exactly where it says the same
// as the one that was signed.
func FuzzHeader(f *testing.F) {
	v := newVerifier(f, conf)
	s := newSender() // the same in every process of the fuzzing
	signed := s.send("header", s.signature())
	good := signed.Header.Get("Authorization")
	right, _, err := oauth1.Collect(signed)
	if err != nil || len(right) != 5 {
		f.Fatal(right, err)
	}
	for _, seed := range []string{
		good, strings.Replace(good, "OAuth ", `oauth realm="a, b\"c", `, 1), strings.ReplaceAll(good, "%3D", "="), good + ",", good + `, x="y"`, strings.ReplaceAll(good, `"`, ""),
		`OAuth oauth_nonce="%zz"`, `OAuth oauth%5Fnonce="a", oauth_nonce="b"`, `OAuth a="\`, "OAuth", `OAuth oauth_timestamp="99999999999999999999"`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		r := authtest.Header("Authorization", value)
		code := codeOf(v, r)
		got, others, err := oauth1.Collect(r)
		if want := err == nil && others == 0 && maps.Equal(got, right); want != (code == "") || code == auth.CodeInternal {
			t.Errorf("%q: code %q", value, code)
		}
	})
}

// FuzzBaseString: whatever the request, building it never panics, gives the same
// twice, has three parts and no character that has to be encoded; and the order
// of the parameters does not matter.
func FuzzBaseString(f *testing.F) {
	f.Add("POST", "example.com:80", "/request", "b5=%3D%253D&a3=a&c%40=&a2=r%20b", formType, "c2&a3=2+q", "OAuth oauth_x=y")
	f.Add("get", "EXAMPLE.com", "/a%2fb;c", "&&=&a==&+=+", "", "x", `OAuth realm="a",b="%20"`)
	f.Add("P&T", "[::1]:443", "*", "oauth_x=%C3%A4", formType, "\xff=%ff", "")
	f.Add("POST", "", "", "%zz", formType+"; charset=x", "a=%", "OAuth")
	f.Fuzz(func(t *testing.T, method, host, path, query, contentType, body, authorization string) {
		r := authtest.Request()
		r.Method, r.Host, r.URL, r.Body = method, host, &url.URL{Path: path, RawPath: path, RawQuery: query}, []byte(body)
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Authorization", authorization)
		got, err := oauth1.BaseString(r)
		if again, _ := oauth1.BaseString(r); again != got {
			t.Errorf("%s, then %s", got, again)
		}
		if err != nil {
			return
		}
		if strings.Count(got, "&") != 2 || strings.ContainsFunc(got, func(c rune) bool {
			return !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%&", c)
		}) {
			t.Errorf("not a base string: %s", got)
		}
		parts := strings.Split(query, "&")
		parts[0], parts[len(parts)-1] = parts[len(parts)-1], parts[0]
		r.URL.RawQuery = strings.Join(parts, "&")
		if turned, err := oauth1.BaseString(r); err != nil || turned != got {
			t.Errorf("%q: %s, turned round %s (%v)", query, got, turned, err)
		}
	})
}

// FuzzPlaces: a signed request to which any query and form are added passes only
// where they are nothing.
func FuzzPlaces(f *testing.F) {
	f.Add("oauth_nonce=1", "a=b")
	f.Add("a=1&&", "&")
	f.Add("b=2", "")
	f.Add("", "%6fauth_token=x")
	v := newVerifier(f, conf)
	f.Fuzz(func(t *testing.T, query, form string) {
		r := authtest.Request()
		r.Header.Set("Content-Type", formType)
		r.Body = []byte("x=y")
		sign(t, conf, r)
		r.URL.RawQuery += "&" + query
		r.Body = []byte("x=y&" + form)
		_, err := v.Verify(context.Background(), r)
		if nothing := strings.Trim(query+form, "&") == ""; nothing != (err == nil) {
			t.Errorf("query %q, form %q: %v", query, form, err)
		}
	})
}
