package digest_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/auth/digest"
)

// sender is a client that can be told to err.
type sender struct {
	username, realm, password, algorithm, method, uri, nonce, opaque, nc, cnonce, qop, response string
	quote                                                                                       bool // tokens too
	drop                                                                                        string
	more                                                                                        string
}

// answer is a right answer to the challenge of v with the given algorithm.
func answer(v auth.Verifier, r *auth.Request, algorithm string) sender {
	ch := v.(auth.Challenger).Challenge(r)
	part := func(name string) string {
		_, rest, _ := strings.Cut(ch, name+`="`)
		value, _, _ := strings.Cut(rest, `"`)
		return value
	}
	return sender{
		username: "ci", realm: "Webhook API", password: "pa:ss", algorithm: algorithm, method: "POST", uri: "/webhook/test?a=1",
		nonce: part("nonce"), opaque: part("opaque"), nc: "00000001", cnonce: "c", qop: "auth",
	}
}

func (s sender) header() string {
	response := s.response
	if response == "" {
		response = digest.Response(s.algorithm, s.username, s.realm, s.password, s.method, s.uri, s.nonce, s.nc, s.cnonce, strings.ToLower(s.qop), authtest.Body)
	}
	token := func(v string) string {
		if s.quote {
			return `"` + v + `"`
		}
		return v
	}
	text := "Digest "
	for _, p := range [][2]string{
		{"username", `"` + s.username + `"`},
		{"realm", `"` + s.realm + `"`},
		{"nonce", `"` + s.nonce + `"`},
		{"uri", `"` + s.uri + `"`},
		{"cnonce", `"` + s.cnonce + `"`},
		{"nc", token(s.nc)},
		{"response", `"` + response + `"`},
		{"qop", token(s.qop)},
		{"opaque", `"` + s.opaque + `"`},
		{"algorithm", token(s.algorithm)},
	} {
		if !strings.Contains(","+s.drop+",", ","+p[0]+",") {
			text += p[0] + "=" + p[1] + ", "
		}
	}
	return strings.TrimSuffix(text, ", ") + s.more
}

// TestContract is the contract of the original service, rows 114 to 123, and
// what RFC 7616 adds.
func TestContract(t *testing.T) {
	t.Parallel()
	v := newVerifier(t, conf)
	for name, c := range map[string]struct {
		change func(*sender)
		code   string
	}{
		"115 right":                              {func(*sender) {}, ""},
		"116 self-made nonce":                    {func(s *sender) { s.nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093" }, auth.CodeStale},
		"116 self-made nonce of the length":      {func(s *sender) { s.nonce = strings.Repeat("A", 56) }, auth.CodeStale},
		"116 self-made and the response wrong":   {func(s *sender) { s.nonce, s.password = "n", "x" }, auth.CodeSignatureMismatch},
		"118 uri of another path":                {func(s *sender) { s.uri = "/webhook/other?a=1" }, auth.CodeTarget},
		"118 uri without the query":              {func(s *sender) { s.uri = "/webhook/test" }, auth.CodeTarget},
		"118 uri of another form":                {func(s *sender) { s.uri = "/webhook/%74est?a=1" }, auth.CodeTarget},
		"118 absolute uri":                       {func(s *sender) { s.uri = "https://hooks.example.com/webhook/test?a=1" }, ""},
		"118 absolute uri of another host":       {func(s *sender) { s.uri = "https://hooks.example.org/webhook/test?a=1" }, auth.CodeTarget},
		"118 another uri in the response":        {func(s *sender) { s.response = "x"; s.uri = "/webhook/test?a=1" }, auth.CodeSignatureMismatch},
		"119 another method":                     {func(s *sender) { s.method = "GET" }, auth.CodeSignatureMismatch},
		"120 wrong user":                         {func(s *sender) { s.username = "cj" }, auth.CodeMismatch},
		"120 user in another case":               {func(s *sender) { s.username = "CI" }, auth.CodeMismatch},
		"120 wrong realm":                        {func(s *sender) { s.realm = "webhook API" }, auth.CodeMismatch},
		"120 wrong password":                     {func(s *sender) { s.password = "pa:st" }, auth.CodeSignatureMismatch},
		"121 SHA-256":                            {func(s *sender) { s.algorithm = "SHA-256" }, ""},
		"121 MD5 by default":                     {func(s *sender) { s.drop = "algorithm" }, ""},
		"121 SHA-512-256 was not offered":        {func(s *sender) { s.algorithm = "SHA-512-256" }, auth.CodeAlgorithm},
		"121 MD5-sess was not offered":           {func(s *sender) { s.algorithm = "MD5-sess" }, auth.CodeAlgorithm},
		"121 named MD5, computed with SHA-256":   {func(s *sender) { s.algorithm, s.drop, s.more = "SHA-256", "algorithm", ", algorithm=MD5" }, auth.CodeSignatureMismatch},
		"122 without qop":                        {func(s *sender) { s.qop, s.nc, s.cnonce, s.drop = "", "", "", "qop,nc,cnonce" }, auth.CodeAlgorithm},
		"123 no nonce":                           {func(s *sender) { s.drop = "nonce" }, auth.CodeMalformed},
		"123 no uri":                             {func(s *sender) { s.drop = "uri" }, auth.CodeMalformed},
		"123 no response":                        {func(s *sender) { s.drop = "response" }, auth.CodeMalformed},
		"no username":                            {func(s *sender) { s.drop = "username" }, auth.CodeMalformed},
		"no realm":                               {func(s *sender) { s.drop = "realm" }, auth.CodeMalformed},
		"no cnonce":                              {func(s *sender) { s.drop = "cnonce" }, auth.CodeMalformed},
		"empty cnonce":                           {func(s *sender) { s.cnonce = "" }, auth.CodeMalformed},
		"no nc":                                  {func(s *sender) { s.drop = "nc" }, auth.CodeMalformed},
		"nc is 0":                                {func(s *sender) { s.nc = "00000000" }, auth.CodeMalformed},
		"nc is short":                            {func(s *sender) { s.nc = "1" }, auth.CodeMalformed},
		"nc is long":                             {func(s *sender) { s.nc = "000000001" }, auth.CodeMalformed},
		"nc has a sign":                          {func(s *sender) { s.nc = "+0000001" }, auth.CodeMalformed},
		"nc has an underscore":                   {func(s *sender) { s.nc = "0000_001" }, auth.CodeMalformed},
		"nc is no number":                        {func(s *sender) { s.nc = "0000000g" }, auth.CodeMalformed},
		"nc at its most":                         {func(s *sender) { s.nc = "FFFFFFFF" }, ""},
		"qop in upper case":                      {func(s *sender) { s.qop = "AUTH" }, ""},
		"auth-int was not offered":               {func(s *sender) { s.qop = "auth-int" }, auth.CodeAlgorithm},
		"no opaque":                              {func(s *sender) { s.drop = "opaque" }, auth.CodeMalformed},
		"another opaque":                         {func(s *sender) { s.opaque = "x" }, auth.CodeMismatch},
		"empty opaque":                           {func(s *sender) { s.opaque = "" }, auth.CodeMismatch},
		"response in upper case":                 {func(s *sender) { s.response = strings.Repeat("A", 32) }, auth.CodeSignatureMismatch},
		"tokens in quotes":                       {func(s *sender) { s.quote = true }, ""},
		"userhash":                               {func(s *sender) { s.more = ", userhash=true" }, auth.CodeMalformed},
		"no userhash":                            {func(s *sender) { s.more = ", userhash=false" }, ""},
		"username*":                              {func(s *sender) { s.more = ", username*=UTF-8''ci" }, auth.CodeMalformed},
		"username* alone":                        {func(s *sender) { s.drop, s.more = "username", ", username*=UTF-8''ci" }, auth.CodeMalformed},
		"a parameter of the future":              {func(s *sender) { s.more = `, hashed-dirs="a, b=c"` }, ""},
		"uri twice":                              {func(s *sender) { s.more = `, URI="/webhook/test?a=1"` }, auth.CodeMalformed},
		"commas and quotes in a value":           {func(s *sender) { s.cnonce = `a, response="b" \\ c=d`; s.response = "x" }, auth.CodeMalformed},
		"commas in a value":                      {func(s *sender) { s.cnonce = `a, response=b c=d` }, ""},
		"bytes that are not UTF-8":               {func(s *sender) { s.cnonce = "\xff\xfe" }, ""},
		"a nonce with other bits behind its end": {func(s *sender) { s.nonce += "=" }, auth.CodeStale},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := authtest.Request()
			s := answer(v, r, "MD5")
			c.change(&s)
			r.Header.Set("Authorization", s.header())
			if got := codeOf(v, r); got != c.code {
				t.Errorf("code %q, want %q: %s", got, c.code, s.header())
			}
		})
	}
	row := func(name, value, code string) authtest.Case {
		return authtest.Row(name, conf, authtest.Header("Authorization", value), code)
	}
	authtest.Table(t, digest.Quick(), []authtest.Case{
		row("other scheme", "Basic Y2k6cGE6c3M=", auth.CodeMalformed),
		row("scheme only", "Digest", auth.CodeMalformed),
		row("123 junk", "Digest "+strings.Repeat("=,\"", 2000), auth.CodeMalformed),
		row("123 10 kB of junk", "Digest "+strings.Repeat("a=b,", 2500), auth.CodeTooLong),
		row("many parameters", "Digest a=b,"+strings.Repeat("x", 2000)+"=y,a=c", auth.CodeMalformed),
		authtest.Row("two headers", conf, authtest.Header("Authorization", "Digest a=b", "Digest a=b"), auth.CodeDoubled),
		authtest.Row("114 no header", conf, authtest.Request(), auth.CodeMissing),
	})
}

// TestOlderForm is row 122: with an empty qop the form of RFC 2069 is taken, each
// nonce once, and the newer form as well.
func TestOlderForm(t *testing.T) {
	t.Parallel()
	v := newVerifier(t, `{"username":"ci","password":"pa:ss","qop":"","algorithms":["SHA-256-sess","MD5"]}`)
	var marks authtest.Marks
	r := authtest.Request()
	s := answer(v, r, "MD5")
	s.qop, s.nc, s.cnonce, s.drop = "", "", "", "qop,nc,cnonce"
	for i, want := range []bool{true, false} {
		r.Header.Set("Authorization", s.header())
		id, err := v.Verify(context.Background(), r)
		if err != nil {
			t.Fatal(err)
		}
		if got := marks.Take(r.Now, id.Once); got != want {
			t.Errorf("request %d: %v", i, got)
		}
	}
	s.drop, s.nc = "qop,cnonce", "00000001"
	r.Header.Set("Authorization", s.header())
	if code := codeOf(v, r); code != auth.CodeMalformed {
		t.Errorf("nc without qop: code %q", code)
	}
	s = answer(v, r, "SHA-256-sess")
	s.qop, s.nc, s.cnonce, s.drop = "", "", "", "qop,nc,cnonce"
	r.Header.Set("Authorization", s.header())
	if code := codeOf(v, r); code != auth.CodeAlgorithm {
		t.Errorf("a session without qop: code %q", code)
	}
	r.Header.Set("Authorization", answer(v, r, "SHA-256-sess").header())
	if code := codeOf(v, r); code != "" {
		t.Errorf("qop=auth: code %q", code)
	}
}

// TestStale: a nonce that was good is answered with a fresh one and the word to
// go on; one that never was is not.
func TestStale(t *testing.T) {
	t.Parallel()
	v := newVerifier(t, `{"username":"ci","password":"pa:ss","nonce_lifetime":"1m"}`)
	chain := auth.NewChain(v)
	for name, c := range map[string]struct {
		change func(*sender, *auth.Request)
		stale  bool
	}{
		"too old":                    {func(_ *sender, r *auth.Request) { r.Now = r.Now.Add(61 * time.Second) }, true},
		"too old and wrong password": {func(s *sender, r *auth.Request) { s.password = "x"; r.Now = r.Now.Add(61 * time.Second) }, false},
		"foreign":                    {func(s *sender, _ *auth.Request) { s.nonce = strings.Repeat("A", 56) }, false},
		"wrong password":             {func(s *sender, _ *auth.Request) { s.password = "x" }, false},
	} {
		r := authtest.Request()
		s := answer(v, r, "SHA-256")
		c.change(&s, r)
		r.Header.Set("Authorization", s.header())
		_, err := chain.Verify(context.Background(), r)
		d := auth.DenialOf(err)
		if err == nil || strings.Count(d.Challenge, "stale=true") != map[bool]int{true: 2}[c.stale] || strings.Contains(d.Challenge, s.nonce) {
			t.Errorf("%s: %v, challenge %s", name, err, d.Challenge)
		}
		// The fresh challenge can be answered.
		again := authtest.Request()
		again.Now = r.Now
		if err := v.(auth.Challenged).SignChallenge(context.Background(), again, []string{d.Challenge}); err != nil {
			t.Fatal(err)
		}
		if code := codeOf(v, again); code != "" {
			t.Errorf("%s: the answer to the fresh challenge: code %q", name, code)
		}
	}
}

// TestCount: one nonce serves many requests, each count once.
func TestCount(t *testing.T) {
	t.Parallel()
	v := newVerifier(t, conf)
	r := authtest.Request()
	s := answer(v, r, "SHA-256")
	var marks authtest.Marks
	for _, c := range []struct {
		nc   string
		want bool
	}{{"00000001", true}, {"00000001", false}, {"00000003", true}, {"0000000a", true}, {"0000000A", false}, {"00000002", true}, {"00000003", false}} {
		s.nc = c.nc
		r.Header.Set("Authorization", s.header())
		id, err := v.Verify(context.Background(), r)
		if err != nil {
			t.Fatal(err)
		}
		if id.Subject != "digest:ci" || !id.Once[0].Until.Equal(authtest.Now.Add(5*time.Minute)) {
			t.Errorf("%+v", id)
		}
		if got := marks.Take(r.Now, id.Once); got != c.want {
			t.Errorf("nc %s: %v, want %v", c.nc, got, c.want)
		}
	}
}

// TestNonceElsewhere: nonces hold on every instance and across a change of the
// password, as long as the old one is listed.
func TestNonceElsewhere(t *testing.T) {
	t.Parallel()
	r := signed(t, newVerifier(t, conf))
	for config, want := range map[string]string{
		conf: "",
		`{"username":"ci","password":["new","pa:ss"],"realm":"Webhook API"}`:  "",
		`{"username":"ci","password":"pa:ss","nonce_lifetime":"1h"}`:          "",
		`{"username":"ci","password":"new"}`:                                  auth.CodeSignatureMismatch,
		`{"username":"ci","password":"pa:ss","realm":"other"}`:                auth.CodeMismatch,
		`{"username":"ci","password":"pa:ss","algorithms":["MD5"]}`:           auth.CodeAlgorithm,
		`{"username":"ci","password":"pa:ss","qop":"auth-int"}`:               auth.CodeAlgorithm,
		`{"username":"ci","password":"pa:ss","qop":"","algorithm":"SHA-256"}`: "",
	} {
		if got := codeOf(newVerifier(t, config), r); got != want {
			t.Errorf("%s: code %q, want %q", config, got, want)
		}
	}
}

func TestTarget(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		target, host, uri string
		want              bool
	}{
		{"/a", "h", "/a", true},
		{"/a", "h", "/a?", false},
		{"/a?", "h", "/a?", true},
		{"/a?", "h", "/a", false},
		{"/a?b=%20c", "h", "/a?b=%20c", true},
		{"/a?b=%20c", "h", "/a?b=+c", false},
		{"/%61%2fb", "h", "/%61%2fb", true},
		{"/%61%2fb", "h", "/a%2fb", false},
		{"/a|b", "h", "/a|b", true},
		{"//a", "h", "//a", true},
		{"/a", "h", "a", false},
		{"/a", "h", "", false},
		{"/a", "h", "*", false},
		{"/a", "h.example", "http://h.example/a", true},
		{"/a", "h.example", "HTTPS://H.Example:443/a", true},
		{"/a", "h.example:443", "https://h.example/a", true},
		{"/a", "h.example:8443", "https://h.example:8443/a", true},
		{"/a", "h.example:8443", "https://h.example/a", false},
		{"/a", "h.example", "http://h.example:443/a", false},
		{"/a", "h.example", "http://u@h.example/a", false},
		{"/a", "h.example", "http://h.example.org/a", false},
		{"/a", "h.example", "http:///a", false},
		{"/a", "", "http:///a", false},
		{"/", "h.example", "http://h.example", true},
		{"/?b", "h.example", "http://h.example?b", true},
		{"/a", "h.example", "ftp://h.example/a", false},
		{"http://h.example/a?b", "h.example", "/a?b", true},
		{"http://h.example/a?b", "h.example", "http://h.example/a?b", true},
	} {
		u, err := url.ParseRequestURI(c.target)
		if err != nil {
			t.Fatal(err)
		}
		if got := digest.SameTarget(c.uri, c.host, u); got != c.want {
			t.Errorf("%s at %s, uri %s: %v, want %v", c.target, c.host, c.uri, got, c.want)
		}
	}
	if digest.SameTarget("/a", "h", nil) || !digest.SameTarget("/", "h", nil) {
		t.Error("a request without a URL")
	}
}
