package siteverify_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/auth/internal/siteverify"
	"github.com/hookd/hookd/auth/internal/siteverify/siteverifytest"
)

func TestHeader(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("t", service.MaxToken)
	for _, c := range []struct {
		name   string
		values []string
		code   string
		asked  string
	}{
		{"one", []string{good}, "", good},
		{"as long as may be", []string{long}, "", long},
		{"too long", []string{long + "t"}, auth.CodeTooLong, ""},
		{"far too long", []string{strings.Repeat("t", 1<<20)}, auth.CodeTooLong, ""},
		{"none", nil, auth.CodeMissing, ""},
		{"empty", []string{""}, auth.CodeMissing, ""},
		{"two", []string{good, good}, auth.CodeDoubled, ""},
		{"an empty one beside it", []string{good, ""}, auth.CodeDoubled, ""},
		{"blank", []string{" "}, auth.CodeMalformed, ""},
		{"blank before", []string{" " + good}, auth.CodeMalformed, ""},
		{"tab behind", []string{good + "\t"}, auth.CodeMalformed, ""},
		{"line break", []string{good + "\r\nX: y"}, auth.CodeMalformed, ""},
		{"NUL", []string{"\x00"}, auth.CodeMalformed, ""},
		{"DEL", []string{"a\x7f"}, auth.CodeMalformed, ""},
		{"not ASCII", []string{"t\u00f6ken"}, auth.CodeMalformed, ""},
		{"not UTF-8", []string{"\xff"}, auth.CodeMalformed, ""},
	} {
		s := siteverifytest.Always(t, yes)
		check(t, c.name, verifier(t, s, nil), authtest.Header("X-Token", c.values...), c.code)
		asked(t, c.name, s, c.asked)
	}
}

// asked wants the service to have been asked about the token, or not at all.
func asked(t *testing.T, name string, s *siteverifytest.Server, token string) {
	t.Helper()
	all := s.Asked()
	if token == "" && len(all) != 0 || token != "" && (len(all) != 1 || all[0].Form.Get("response") != token) {
		t.Errorf("%s: asked %v, want %q", name, all, token)
	}
}

const (
	formType = "application/x-www-form-urlencoded"
	partType = "multipart/form-data; boundary=x"
)

func part(name, value string) string {
	return "--x\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n"
}

func TestBody(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("t", service.MaxToken+1)
	file := "--x\r\nContent-Disposition: form-data; name=\"token\"; filename=\"t\"\r\n\r\nno\r\n"
	const end = "--x--\r\n"
	for _, c := range []struct {
		name, media, body, field string
		token, code              string
	}{
		{"JSON", "application/json", `{"a":{"token":"no"},"token":"yes","b":[1]}`, "", "yes", ""},
		{"JSON by another name", "application/ld+json; charset=utf-8", `{"token":"yes"}`, "", "yes", ""},
		{"JSON without a type", "", " {\"token\":\"yes\"}\n", "", "yes", ""},
		{"JSON as text", "text/plain", `{"token":"yes"}`, "", "yes", ""},
		{"JSON under a type that cannot be read", "a/b/c;;", `{"token":"yes"}`, "", "yes", ""},
		{"second member", "application/json", `{"response":"yes"}`, "", "yes", ""},
		{"first member wins", "application/json", `{"response":"no","token":"yes"}`, "", "yes", ""},
		{"first member is empty", "application/json", `{"token":"","response":"yes"}`, "", "yes", ""},
		{"first member is null", "application/json", `{"token":null,"response":"yes"}`, "", "yes", ""},
		{"own member", "application/json", `{"token":"no","my.captcha":"yes"}`, "my.captcha", "yes", ""},
		{"usual member behind an own one", "application/json", `{"token":"yes"}`, "own", "yes", ""},
		{"escapes", "application/json", `{"to\u006ben":"y\u0065s"}`, "", "yes", ""},
		{"missing", "application/json", `{"a":1}`, "", "", auth.CodeMissing},
		{"empty object", "application/json", `{}`, "", "", auth.CodeMissing},
		{"empty token", "application/json", `{"token":""}`, "", "", auth.CodeMissing},
		{"nested only", "application/json", `{"a":{"token":"no"}}`, "", "", auth.CodeMissing},
		{"in another case", "application/json", `{"Token":"no"}`, "", "", auth.CodeMissing},
		{"twice", "application/json", `{"token":"yes","token":"yes"}`, "", "", auth.CodeDoubled},
		{"twice, once escaped", "application/json", `{"token":"yes","\u0074oken":"no"}`, "", "", auth.CodeDoubled},
		{"second member twice", "application/json", `{"token":"yes","response":"a","response":"b"}`, "", "", auth.CodeDoubled},
		{"number", "application/json", `{"token":1}`, "", "", auth.CodeMalformed},
		{"object", "application/json", `{"token":{}}`, "", "", auth.CodeMalformed},
		{"list", "application/json", `["token"]`, "", "", auth.CodeMalformed},
		{"text", "application/json", `token`, "", "", auth.CodeMalformed},
		{"nothing", "application/json", ``, "", "", auth.CodeMalformed},
		{"two documents", "application/json", `{"token":"yes"}{}`, "", "", auth.CodeMalformed},
		{"comma at the end", "application/json", `{"token":"yes",}`, "", "", auth.CodeMalformed},
		{"cut", "application/json", `{"token":"yes"`, "", "", auth.CodeMalformed},
		{"deep", "application/json", `{"a":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `,"token":"no"}`, "", "", auth.CodeMalformed},
		{"byte order mark", "application/json", "\ufeff" + `{"token":"yes"}`, "", "", auth.CodeMalformed},
		{"long", "application/json", `{"token":"` + long + `"}`, "", "", auth.CodeTooLong},
		{"line break", "application/json", `{"token":"a\nb"}`, "", "", auth.CodeMalformed},
		{"tab", "application/json", `{"token":"a\tb"}`, "", "", auth.CodeMalformed},
		{"not UTF-8", "application/json", "{\"token\":\"a\xff\"}", "", "", auth.CodeMalformed},

		{"form", formType, "a=1&token=yes&b=", "", "yes", ""},
		{"form with a charset", formType + "; charset=UTF-8", "token=yes", "", "yes", ""},
		{"form, second field", formType, "response=y%65s", "", "yes", ""},
		{"form, own field", formType, "token=no&my+captcha=yes", "my captcha", "yes", ""},
		{"form, empty first field", formType, "token=&response=yes", "", "yes", ""},
		{"form, missing", formType, "a=1", "", "", auth.CodeMissing},
		{"form, nothing", formType, "", "", "", auth.CodeMissing},
		{"form, twice", formType, "token=yes&token=yes", "", "", auth.CodeDoubled},
		{"form, twice, once escaped", formType, "token=yes&%74oken=no", "", "", auth.CodeDoubled},
		{"form, bad escape", formType, "token=%zz", "", "", auth.CodeMalformed},
		{"form, blank", formType, "token=a+b", "", "", auth.CodeMalformed},
		{"form, long", formType, "token=" + long, "", "", auth.CodeTooLong},
		{"form that is JSON", formType, `{"token":"yes"}`, "", "", auth.CodeMissing},

		{"parts", partType, part("a", "1") + file + part("token", "yes") + end, "", "yes", ""},
		{"parts, second field", partType, part("response", "yes") + end, "", "yes", ""},
		{"parts, empty first field", partType, part("token", "") + part("response", "yes") + end, "", "yes", ""},
		{"parts, missing", partType, part("a", "1") + end, "", "", auth.CodeMissing},
		{"parts, a file only", partType, file + end, "", "", auth.CodeMissing},
		{"parts, twice", partType, part("token", "yes") + part("token", "yes") + end, "", "", auth.CodeDoubled},
		{"parts, long", partType, part("token", long+long) + end, "", "", auth.CodeTooLong},
		{"parts, cut", partType, part("token", "yes"), "", "", auth.CodeMalformed},
		{"parts, no boundary", "multipart/form-data", part("token", "yes") + end, "", "", auth.CodeMalformed},
		{"parts, many", partType, strings.Repeat(part("a", "1"), 1001) + part("token", "yes") + end, "", "", auth.CodeMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := siteverifytest.Always(t, yes)
			v := verifier(t, s, func(o *siteverify.Options) { o.Source, o.Field = siteverify.FromBody, c.field })
			check(t, c.name, v, body(c.media, c.body), c.code)
			asked(t, c.name, s, c.token)
		})
	}
}

func body(media, text string) *auth.Request {
	r := authtest.Header("X-Token", good) // is not looked at
	r.Header.Del("Content-Type")
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	r.Body = []byte(text)
	return r
}

// TestCompressed: bytes as sent are what a proof sees, so the refusal says why
// no token was found.
func TestCompressed(t *testing.T) {
	t.Parallel()
	v := verifier(t, siteverifytest.Always(t, yes), func(o *siteverify.Options) { o.Source = siteverify.FromBody })
	r := body("application/json", `{"token":"yes"}`)
	r.Header.Set("Content-Encoding", "gzip")
	if d := check(t, "gzip", v, r, auth.CodeMalformed); d.Err == nil || !strings.Contains(d.Err.Error(), "compressed") {
		t.Errorf("%v", d)
	}
	r.Header.Set("Content-Encoding", "Identity")
	check(t, "identity", v, r, "")
}

// FuzzBody: whatever is asked about is a token that the service may be asked
// about, and was in the body.
func FuzzBody(f *testing.F) {
	f.Add("application/json", []byte(`{"token":"yes","a":[{}]}`))
	f.Add("application/json", []byte(`{"\u0074oken":"y","response":null}`))
	f.Add(formType, []byte("a=1&t%6fken=yes&response=%zz"))
	f.Add(partType, []byte(part("a", "1")+part("token", "yes")+"--x--"))
	f.Add(partType, []byte("--x\r\nContent-Disposition: form-data; name=token\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\ny=65s\r\n--x--"))
	var got string
	rt := trip(func(r *http.Request) (*http.Response, error) {
		if err := r.ParseForm(); err != nil {
			f.Error(err)
		}
		got = r.PostForm.Get("response")
		return nil, http.ErrHandlerTimeout
	})
	v := verifier(f, rt, func(o *siteverify.Options) { o.Source = siteverify.FromBody })
	f.Fuzz(func(t *testing.T, media string, text []byte) {
		got = ""
		_, err := v.Verify(t.Context(), body(media, string(text)))
		d := auth.DenialOf(err)
		if d.Unavailable != (got != "") {
			t.Fatalf("%v, but asked about %q", err, got)
		}
		if got == "" {
			return
		}
		if len(got) > service.MaxToken || strings.ContainsFunc(got, func(c rune) bool { return c <= ' ' || c > '~' }) {
			t.Errorf("asked about %q", got)
		}
		plain, _ := url.QueryUnescape(string(text))
		if !strings.ContainsAny(string(text), `\%`) && !strings.Contains(string(text)+plain, got) {
			t.Errorf("%q is not in %q", got, text)
		}
	})
}
