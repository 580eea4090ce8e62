package oauth1_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/auth/oauth1"
)

func tlsState() *tls.ConnectionState { return &tls.ConnectionState{} }

// sender is a client that can be told to err. Its signature is made by hand.
type sender struct {
	params [][2]string // of the protocol
	extra  [][2]string // signed as well: query and form
	method string
	uri    string
	secret string
	scheme string
	tail   string
	r      *auth.Request
}

func newSender() *sender {
	return &sender{
		params: [][2]string{
			{"oauth_consumer_key", "ck"},
			{"oauth_signature_method", "HMAC-SHA1"},
			{"oauth_timestamp", fmt.Sprint(authtest.Now.Unix())},
			{"oauth_nonce", "n 1"},
		},
		extra:  [][2]string{{"a", "1"}},
		method: "POST", uri: "http://hooks.example.com/webhook/test", secret: "cs&", scheme: "OAuth ", r: authtest.Request(),
	}
}

func (s *sender) set(name, value string) {
	for i := range s.params {
		if s.params[i][0] == name {
			s.params[i][1] = value
			return
		}
	}
	s.params = append(s.params, [2]string{name, value})
}

func (s *sender) drop(name string) {
	for i := range s.params {
		if s.params[i][0] == name {
			s.params = append(s.params[:i], s.params[i+1:]...)
			return
		}
	}
}

func (s *sender) signature() string {
	var names, values []string
	for _, p := range append(append([][2]string{}, s.params...), s.extra...) {
		names, values = append(names, p[0]), append(values, p[1])
	}
	h := hmac.New(sha1.New, []byte(s.secret))
	h.Write([]byte(oauth1.WriteBase(s.method, s.uri, names, values)))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// send puts the parameters into the header, the query or the form.
func (s *sender) send(place, signature string) *auth.Request {
	all := append(append([][2]string{}, s.params...), [2]string{"oauth_signature", signature})
	var parts []string
	for _, p := range all {
		if place == "header" {
			parts = append(parts, oauth1.Escape(p[0])+`="`+oauth1.Escape(p[1])+`"`)
		} else {
			parts = append(parts, url.QueryEscape(p[0])+"="+url.QueryEscape(p[1]))
		}
	}
	switch place {
	case "header":
		s.r.Header.Set("Authorization", s.scheme+strings.Join(parts, ",")+s.tail)
	case "query":
		s.r.URL.RawQuery += "&" + strings.Join(parts, "&")
	case "form":
		s.r.Header.Set("Content-Type", formType)
		s.r.Body = []byte(strings.Join(parts, "&"))
	}
	return s.r
}

// TestContract is the contract of the original service, rows 124 to 135, and
// what RFC 5849 adds.
func TestContract(t *testing.T) {
	t.Parallel()
	now := authtest.Now.Unix()
	with := func(more string) string { return conf[:len(conf)-1] + `,` + more + `}` }
	for name, c := range map[string]struct {
		config string
		change func(*sender)
		code   string
	}{
		"124 over the full URL":            {conf, func(*sender) {}, ""},
		"125 over the path":                {conf, func(s *sender) { s.uri, s.extra = "/webhook/test", nil }, auth.CodeSignatureMismatch},
		"125 over the path, allowed":       {with(`"path_only":true`), func(s *sender) { s.uri, s.extra = "/webhook/test", nil }, ""},
		"125 over the path, wrong secret":  {with(`"path_only":true`), func(s *sender) { s.uri, s.extra, s.secret = "/webhook/test", nil, "x&" }, auth.CodeSignatureMismatch},
		"125 over the path with realm":     {with(`"path_only":true`), func(s *sender) { s.set("realm", "r"); s.uri, s.extra = "/webhook/test", nil }, ""},
		"126 the oldest":                   {conf, func(s *sender) { s.set("oauth_timestamp", fmt.Sprint(now-300)) }, ""},
		"126 too old":                      {conf, func(s *sender) { s.set("oauth_timestamp", fmt.Sprint(now-301)) }, auth.CodeTimestampTooOld},
		"126 the furthest ahead":           {conf, func(s *sender) { s.set("oauth_timestamp", fmt.Sprint(now+300)) }, ""},
		"126 too far ahead":                {conf, func(s *sender) { s.set("oauth_timestamp", fmt.Sprint(now+301)) }, auth.CodeTimestampInFuture},
		"126 another window":               {with(`"timestamp_window":"1h"`), func(s *sender) { s.set("oauth_timestamp", fmt.Sprint(now-3600)) }, ""},
		"126 unchecked":                    {with(`"verify_timestamp":false`), func(s *sender) { s.set("oauth_timestamp", "1") }, ""},
		"126 a word":                       {with(`"verify_timestamp":false`), func(s *sender) { s.set("oauth_timestamp", "now") }, auth.CodeMalformed},
		"126 with a sign":                  {conf, func(s *sender) { s.set("oauth_timestamp", fmt.Sprintf("+%d", now)) }, auth.CodeMalformed},
		"126 with a blank":                 {conf, func(s *sender) { s.set("oauth_timestamp", fmt.Sprintf("%d ", now)) }, auth.CodeMalformed},
		"126 in milliseconds":              {conf, func(s *sender) { s.set("oauth_timestamp", fmt.Sprintf("%d000", now)) }, auth.CodeMalformed},
		"126 empty":                        {conf, func(s *sender) { s.set("oauth_timestamp", "") }, auth.CodeMalformed},
		"127 no timestamp":                 {conf, func(s *sender) { s.drop("oauth_timestamp") }, auth.CodeTimestampMissing},
		"127 no timestamp, unchecked":      {with(`"verify_timestamp":false`), func(s *sender) { s.drop("oauth_timestamp") }, ""},
		"129 bad signature":                {conf, func(s *sender) { s.secret = "x&" }, auth.CodeSignatureMismatch},
		"131 unsigned query":               {conf, func(s *sender) { s.extra = nil }, auth.CodeSignatureMismatch},
		"131 query signed twice":           {conf, func(s *sender) { s.extra = [][2]string{{"a", "1"}, {"a", "1"}} }, auth.CodeSignatureMismatch},
		"133 another method":               {conf, func(s *sender) { s.set("oauth_signature_method", "HMAC-SHA256") }, auth.CodeAlgorithm},
		"133 RSA":                          {conf, func(s *sender) { s.set("oauth_signature_method", "RSA-SHA1") }, auth.CodeAlgorithm},
		"133 PLAINTEXT":                    {conf, func(s *sender) { s.set("oauth_signature_method", "PLAINTEXT") }, auth.CodeAlgorithm},
		"133 no method":                    {conf, func(s *sender) { s.drop("oauth_signature_method") }, auth.CodeMissing},
		"134 lower case":                   {conf, func(s *sender) { s.set("oauth_signature_method", "hmac-sha1") }, ""},
		"135 no nonce":                     {conf, func(s *sender) { s.drop("oauth_nonce") }, auth.CodeMissing},
		"135 empty nonce":                  {conf, func(s *sender) { s.set("oauth_nonce", "") }, auth.CodeMissing},
		"135 no nonce, unchecked":          {with(`"verify_nonce":false`), func(s *sender) { s.drop("oauth_nonce") }, ""},
		"another HTTP method":              {conf, func(s *sender) { s.method = "PUT" }, auth.CodeSignatureMismatch},
		"another host":                     {conf, func(s *sender) { s.r.Host = "other.example.com" }, auth.CodeSignatureMismatch},
		"host in upper case with its port": {conf, func(s *sender) { s.r.Host = "Hooks.Example.com:80" }, ""},
		"https for http":                   {conf, func(s *sender) { s.uri = "https://hooks.example.com/webhook/test" }, auth.CodeSignatureMismatch},
		"https":                            {conf, func(s *sender) { s.uri = "https://hooks.example.com/webhook/test"; s.r.TLS = tlsState() }, ""},
		"https at a proxy, unknown":        {conf, func(s *sender) { s.uri = "https://hooks.example.com/webhook/test"; proxied(s.r, false, "https") }, auth.CodeSignatureMismatch},
		"https at a proxy, trusted":        {conf, func(s *sender) { s.uri = "https://hooks.example.com/webhook/test"; proxied(s.r, true, "https") }, ""},
		"https at a proxy that doubles it": {conf, func(s *sender) {
			s.uri = "https://hooks.example.com/webhook/test"
			proxied(s.r, true, "https", "https")
		}, auth.CodeSignatureMismatch},
		"http at a proxy, trusted":            {conf, func(s *sender) { proxied(s.r, true, "http") }, ""},
		"configured host":                     {with(`"url":"https://public.example.com"`), func(s *sender) { s.uri = "https://public.example.com/webhook/test" }, ""},
		"configured host and path":            {with(`"url":"https://public.example.com:8443/in"`), func(s *sender) { s.uri = "https://public.example.com:8443/in" }, ""},
		"configured, but the seen one signed": {with(`"url":"https://public.example.com"`), func(*sender) {}, auth.CodeSignatureMismatch},
		"another consumer":                    {conf, func(s *sender) { s.set("oauth_consumer_key", "CK") }, auth.CodeKey},
		"no consumer":                         {conf, func(s *sender) { s.drop("oauth_consumer_key") }, auth.CodeMissing},
		"any token":                           {conf, func(s *sender) { s.set("oauth_token", "whatever") }, ""},
		"the token":                           {with(`"token":"tk"`), func(s *sender) { s.set("oauth_token", "tk") }, ""},
		"another token":                       {with(`"token":"tk"`), func(s *sender) { s.set("oauth_token", "tK") }, auth.CodeKey},
		"no token":                            {with(`"token":"tk"`), func(*sender) {}, auth.CodeKey},
		"a token secret":                      {with(`"token_secret":"t&s"`), func(s *sender) { s.secret = "cs&t%26s" }, ""},
		"version 1.0":                         {conf, func(s *sender) { s.set("oauth_version", "1.0") }, ""},
		"version 2.0":                         {conf, func(s *sender) { s.set("oauth_version", "2.0") }, auth.CodeMalformed},
		"empty version":                       {conf, func(s *sender) { s.set("oauth_version", "") }, auth.CodeMalformed},
		"scheme in lower case":                {conf, func(s *sender) { s.scheme = "oauth  " }, ""},
		"scheme in upper case":                {conf, func(s *sender) { s.scheme = "OAUTH " }, ""},
		"another scheme":                      {conf, func(s *sender) { s.scheme = "OAuth2 " }, auth.CodeMalformed},
		"realm is not signed":                 {conf, func(s *sender) { s.scheme = `OAuth realm="x, y=\"z\"",` }, ""},
		"a parameter twice":                   {conf, func(s *sender) { s.tail = `,oauth_nonce="n%201"` }, auth.CodeMalformed},
		"a parameter twice, encoded":          {conf, func(s *sender) { s.tail = `,oauth%5Fnonce="n%201"` }, auth.CodeDoubled},
		"a parameter added":                   {conf, func(s *sender) { s.tail = `,x="y"` }, auth.CodeSignatureMismatch},
		"a parameter of the protocol added":   {conf, func(s *sender) { s.tail = `,oauth_verifier="y"` }, auth.CodeSignatureMismatch},
		"an escape that is none":              {conf, func(s *sender) { s.tail = `,x="%zz"` }, auth.CodeMalformed},
		"a query that is not encoded":         {conf, func(s *sender) { s.r.URL.RawQuery = "a=%zz" }, auth.CodeMalformed},
		"a form that is not encoded":          {conf, func(s *sender) { s.r.Header.Set("Content-Type", formType); s.r.Body = []byte("a=%") }, auth.CodeMalformed},
		"too many parameters":                 {conf, func(s *sender) { s.r.URL.RawQuery = strings.Repeat("a&", 10_001) }, auth.CodeMalformed},
		"two content types":                   {conf, func(s *sender) { s.r.Header["Content-Type"] = []string{"a/b", formType} }, auth.CodeMalformed},
		"in the query too":                    {conf, func(s *sender) { s.r.URL.RawQuery = "a=1&oauth_token=x" }, auth.CodeDoubled},
		"a form that is signed": {conf, func(s *sender) {
			s.r.Header.Set("Content-Type", formType)
			s.r.Body = []byte("b=2+3&b=")
			s.extra = [][2]string{{"a", "1"}, {"b", "2 3"}, {"b", ""}}
		}, ""},
		"a form of the original service": {with(`"path_only":true`), func(s *sender) {
			s.r.Header.Set("Content-Type", formType)
			s.r.Body = []byte("b=2+3&b=4&c=5")
			s.uri, s.extra = "/webhook/test", [][2]string{{"b", "2 3"}, {"c", "5"}}
		}, ""},
		"a form that is called JSON":  {conf, func(s *sender) { s.r.Body = []byte("b=2"); s.extra = append(s.extra, [2]string{"b", "2"}) }, auth.CodeSignatureMismatch},
		"a JSON body is not covered":  {conf, func(s *sender) { s.r.Body = []byte("other") }, ""},
		"a JSON body has to be":       {with(`"require_body_hash":true`), func(*sender) {}, auth.CodeMissing},
		"body hash":                   {with(`"require_body_hash":true`), func(s *sender) { s.set("oauth_body_hash", sha1Of(authtest.Body)) }, ""},
		"body hash of another body":   {conf, func(s *sender) { s.set("oauth_body_hash", sha1Of("x")) }, auth.CodeSignatureMismatch},
		"empty body hash":             {conf, func(s *sender) { s.set("oauth_body_hash", "") }, auth.CodeSignatureMismatch},
		"body hash of the empty body": {conf, func(s *sender) { s.r.Body = nil; s.set("oauth_body_hash", "2jmj7l5rSw0yVb/vlWAYkK/YBwk=") }, ""},
		"a form needs no body hash":   {with(`"require_body_hash":true`), func(s *sender) { s.r.Header.Set("Content-Type", formType); s.r.Body = nil }, ""},
		"body hash under HMAC-SHA256 name": {conf, func(s *sender) {
			s.set("oauth_body_hash", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
			s.r.Body = nil
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSender()
			c.change(s)
			if got := codeOf(newVerifier(t, c.config), s.send("header", s.signature())); got != c.code {
				t.Errorf("code %q, want %q: %s", got, c.code, s.r.Header.Get("Authorization"))
			}
		})
	}
	authtest.Table(t, oauth1.Method(), []authtest.Case{
		authtest.Row("no header", conf, authtest.Request(), auth.CodeMissing),
		authtest.Row("two headers", conf, authtest.Header("Authorization", "OAuth a=b", "OAuth a=b"), auth.CodeDoubled),
		authtest.Row("other scheme", conf, authtest.Header("Authorization", "Basic Y2k6cGE6c3M="), auth.CodeMalformed),
		authtest.Row("scheme only", conf, authtest.Header("Authorization", "OAuth"), auth.CodeMalformed),
		authtest.Row("junk", conf, authtest.Header("Authorization", "OAuth "+strings.Repeat(`=,"`, 1000)), auth.CodeMalformed),
		authtest.Row("too long", conf, authtest.Header("Authorization", "OAuth a="+strings.Repeat("b", 9000)), auth.CodeTooLong),
	})
}

func sha1Of(body string) string {
	sum := sha1.Sum([]byte(body))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// proxied makes r come through a proxy.
func proxied(r *auth.Request, trusted bool, proto ...string) {
	r.Header["X-Forwarded-Proto"] = proto
	if trusted {
		r.Remote = netip.MustParseAddr("203.0.113.7")
	}
}

// TestNonce is rows 128 to 130: a nonce counts once for a consumer, a token and
// a time, and only where the signature was right.
func TestNonce(t *testing.T) {
	t.Parallel()
	var marks authtest.Marks
	v, other := newVerifier(t, conf), newVerifier(t, `{"consumer_key":"ck2","consumer_secret":"cs"}`)
	for _, c := range []struct {
		name   string
		v      auth.Verifier
		change func(*sender)
		want   bool
	}{
		{"129 bad signature first", v, func(s *sender) { s.secret = "x&" }, false},
		{"129 then the good one", v, func(*sender) {}, true},
		{"128 again", v, func(*sender) {}, false},
		{"128 again in another form", v, func(s *sender) { s.scheme = "oauth " }, false},
		{"130 another timestamp", v, func(s *sender) { s.set("oauth_timestamp", fmt.Sprint(authtest.Now.Unix()+1)) }, true},
		{"130 another consumer", other, func(s *sender) { s.set("oauth_consumer_key", "ck2") }, true},
		{"another token", v, func(s *sender) { s.set("oauth_token", "t") }, true},
		{"another nonce", v, func(s *sender) { s.set("oauth_nonce", "n 2") }, true},
		{"parts that join to the same", v, func(s *sender) { s.set("oauth_token", "t1"); s.set("oauth_nonce", "n 1") }, true},
	} {
		s := newSender()
		c.change(s)
		r := s.send("header", s.signature())
		id, err := c.v.Verify(context.Background(), r)
		if got := err == nil && marks.Take(r.Now, id.Once); got != c.want {
			t.Errorf("%s: %v, want %v (%v)", c.name, got, c.want, err)
		}
	}
}

// TestPlaces is RFC 5849 section 3.5: one place, whichever it is.
func TestPlaces(t *testing.T) {
	t.Parallel()
	for _, place := range []string{"header", "query", "form"} {
		s := newSender()
		if code := codeOf(newVerifier(t, conf), s.send(place, s.signature())); code != "" {
			t.Errorf("%s: code %q", place, code)
		}
		s.r.Header["Authorization"] = append(s.r.Header["Authorization"], "Basic Y2k6cGE6c3M=")
		want := map[string]string{"header": auth.CodeDoubled}[place] // elsewhere it is another proof's
		if code := codeOf(newVerifier(t, conf), s.r); code != want {
			t.Errorf("%s, and another scheme: code %q, want %q", place, code, want)
		}
		for _, second := range []string{"header", "query", "form"} {
			s := newSender()
			s.r.Header.Del("Authorization")
			s.send(place, s.signature())
			if second == place {
				continue
			}
			if code := codeOf(newVerifier(t, conf), s.send(second, "x")); code != auth.CodeDoubled {
				t.Errorf("%s and %s: code %q", place, second, code)
			}
		}
	}
}

// TestPlaintext is row 132: over TLS only, and not in what is stored.
func TestPlaintext(t *testing.T) {
	t.Parallel()
	v := newVerifier(t, `{"consumer_key":"ck","consumer_secret":["new","c s"],"token_secret":"t&s","signature_method":"PLAINTEXT"}`)
	plain := func() *sender {
		s := newSender()
		s.set("oauth_signature_method", "PLAINTEXT")
		return s
	}
	const right = "c%20s&t%26s"
	for name, c := range map[string]struct {
		place, signature string
		change           func(*sender)
		code             string
	}{
		"over TLS":                   {"header", right, func(s *sender) { s.r.TLS = tlsState() }, ""},
		"in the clear":               {"header", right, func(*sender) {}, auth.CodeInsecure},
		"at a trusted proxy":         {"header", right, func(s *sender) { proxied(s.r, true, "https") }, ""},
		"at a trusted proxy, http":   {"header", right, func(s *sender) { proxied(s.r, true, "http") }, auth.CodeInsecure},
		"at a proxy":                 {"header", right, func(s *sender) { proxied(s.r, false, "https") }, auth.CodeInsecure},
		"no timestamp nor nonce":     {"header", right, func(s *sender) { s.r.TLS = tlsState(); s.drop("oauth_timestamp"); s.drop("oauth_nonce") }, ""},
		"an old timestamp":           {"header", right, func(s *sender) { s.r.TLS = tlsState(); s.set("oauth_timestamp", "1") }, auth.CodeTimestampTooOld},
		"wrong":                      {"header", "c%20s&t%26S", func(s *sender) { s.r.TLS = tlsState() }, auth.CodeSignatureMismatch},
		"not encoded":                {"header", "c s&t&s", func(s *sender) { s.r.TLS = tlsState() }, auth.CodeSignatureMismatch},
		"in the query":               {"query", right, func(s *sender) { s.r.TLS = tlsState() }, ""},
		"in the body":                {"form", right, func(s *sender) { s.r.TLS = tlsState() }, auth.CodeMalformed},
		"named as a signed one":      {"header", right, func(s *sender) { s.r.TLS = tlsState(); s.set("oauth_signature_method", "HMAC-SHA1") }, auth.CodeAlgorithm},
		"the first secret":           {"header", "new&t%26s", func(s *sender) { s.r.TLS = tlsState() }, ""},
		"nothing but the separators": {"header", "&", func(s *sender) { s.r.TLS = tlsState() }, auth.CodeSignatureMismatch},
	} {
		s := plain()
		c.change(s)
		if code := codeOf(v, s.send(c.place, c.signature)); code != c.code {
			t.Errorf("%s: code %q, want %q", name, code, c.code)
		}
	}
}
