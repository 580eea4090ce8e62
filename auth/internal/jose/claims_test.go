package jose_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/auth/internal/jose"
)

func TestClaims(t *testing.T) {
	t.Parallel()
	now := authtest.Now.Unix()
	at := func(claim string, shift int64) string { return fmt.Sprintf(`{"%s":%d}`, claim, now+shift) }
	exp := jose.Rules{VerifyExpiry: true}
	need := jose.Rules{VerifyExpiry: true, RequireExpiry: true}
	minute := jose.Rules{VerifyExpiry: true, Leeway: time.Minute}
	age := jose.Rules{MaxAge: time.Hour, Leeway: time.Minute}
	iss := jose.Rules{Issuers: []string{"https://a.example", "b"}}
	aud := jose.Rules{Audiences: []string{"hookd", "other"}}
	scope := jose.Rules{Scopes: []string{"read", "write more"}}
	once := jose.Rules{VerifyExpiry: true, Once: true}
	for _, c := range []struct {
		name    string
		rules   jose.Rules
		payload string
		code    string
	}{
		{"exp next second", exp, at("exp", 1), ""},
		{"exp now", exp, at("exp", 0), auth.CodeExpired},
		{"exp 5 s ago", exp, at("exp", -5), auth.CodeExpired},
		{"exp with a fraction", exp, fmt.Sprintf(`{"exp":%d.5}`, now), ""},
		{"exp as 1e10", exp, `{"exp":1e10}`, ""},
		{"exp 0", exp, `{"exp":0}`, auth.CodeExpired},
		{"no exp", exp, `{}`, ""},
		{"no exp, required", need, `{}`, auth.CodeClaim},
		{"exp, required", need, at("exp", 1), ""},
		{"exp not looked at", jose.Rules{}, at("exp", -5), ""},
		{"exp with leeway", minute, at("exp", -59), ""},
		{"exp after leeway", minute, at("exp", -60), auth.CodeExpired},
		{"exp text", exp, fmt.Sprintf(`{"exp":"%d"}`, now+60), auth.CodeMalformed},
		{"exp text, not looked at", jose.Rules{}, `{"exp":"x"}`, auth.CodeMalformed},
		{"exp 1e30", exp, `{"exp":1e30}`, auth.CodeMalformed},
		{"exp 1e400", exp, `{"exp":1e400}`, auth.CodeMalformed},
		{"exp 2^63", exp, `{"exp":9223372036854775808}`, auth.CodeMalformed},
		{"exp negative", exp, `{"exp":-1}`, auth.CodeMalformed},
		{"exp in milliseconds", exp, fmt.Sprintf(`{"exp":%d}`, (now+60)*1000), auth.CodeMalformed},
		{"exp null", exp, `{"exp":null}`, auth.CodeMalformed},
		{"exp true", exp, `{"exp":true}`, auth.CodeMalformed},
		{"exp list", exp, fmt.Sprintf(`{"exp":[%d]}`, now+60), auth.CodeMalformed},
		{"exp object", exp, `{"exp":{}}`, auth.CodeMalformed},
		{"EXP", need, fmt.Sprintf(`{"EXP":%d}`, now+60), auth.CodeClaim},
		{"exp in other letters", need, fmt.Sprintf("{\"Exp\":%d,\"e\u0445p\":%d}", now+60, now+60), auth.CodeClaim},
		{"nbf now", exp, at("nbf", 0), ""},
		{"nbf next second", exp, at("nbf", 1), auth.CodeNotYetValid},
		{"nbf with leeway", minute, at("nbf", 60), ""},
		{"nbf after leeway", minute, at("nbf", 61), auth.CodeNotYetValid},
		{"nbf 1e30", exp, `{"nbf":1e30}`, auth.CodeMalformed},
		{"nbf 0", exp, `{"nbf":0}`, ""},
		{"nbf text", exp, `{"nbf":"0"}`, auth.CodeMalformed},
		{"iat now", exp, at("iat", 0), ""},
		{"iat in the future", exp, at("iat", 1), auth.CodeNotYetValid},
		{"iat with leeway", minute, at("iat", 60), ""},
		{"iat 1e30", exp, `{"iat":1e30}`, auth.CodeMalformed},
		{"age", age, at("iat", -3660), ""},
		{"too old", age, at("iat", -3661), auth.CodeTimestampTooOld},
		{"no iat", age, `{}`, auth.CodeTimestampMissing},
		{"iss", iss, `{"iss":"https://a.example"}`, ""},
		{"iss second", iss, `{"iss":"b"}`, ""},
		{"iss other", iss, `{"iss":"https://a.example/"}`, auth.CodeClaim},
		{"iss case", iss, `{"iss":"B"}`, auth.CodeClaim},
		{"iss missing", iss, `{}`, auth.CodeClaim},
		{"iss empty", iss, `{"iss":""}`, auth.CodeClaim},
		{"iss list", iss, `{"iss":["b"]}`, auth.CodeMalformed},
		{"ISS", iss, `{"ISS":"b"}`, auth.CodeClaim},
		{"i\u017fs", iss, "{\"i\u017fs\":\"b\"}", auth.CodeClaim},
		{"aud", aud, `{"aud":"hookd"}`, ""},
		{"aud list", aud, `{"aud":["x","other"]}`, ""},
		{"aud other", aud, `{"aud":"x"}`, auth.CodeClaim},
		{"aud part", aud, `{"aud":"hookd2"}`, auth.CodeClaim},
		{"aud empty list", aud, `{"aud":[]}`, auth.CodeClaim},
		{"aud missing", aud, `{}`, auth.CodeClaim},
		{"aud null", aud, `{"aud":null}`, auth.CodeMalformed},
		{"aud of numbers", aud, `{"aud":["hookd",1]}`, auth.CodeMalformed},
		{"aud of null", aud, `{"aud":["hookd",null]}`, auth.CodeMalformed},
		{"aud object", aud, `{"aud":{"hookd":1}}`, auth.CodeMalformed},
		{"AUD", aud, `{"AUD":"hookd"}`, auth.CodeClaim},
		{"aud, none configured", exp, `{"aud":"x"}`, ""},
		{"scope", scope, `{"scope":"read write more x"}`, ""},
		{"scope as a list", scope, `{"scope":["more","write","read"]}`, ""},
		{"scp", scope, `{"scp":["read","write","more"]}`, ""},
		{"scp as a text", scope, `{"scp":"read write more"}`, ""},
		{"scope and scp", scope, `{"scope":"read","scp":["write","more"]}`, ""},
		{"one missing", scope, `{"scope":"read write"}`, auth.CodeScope},
		{"part of a scope", scope, `{"scope":"readall write more"}`, auth.CodeScope},
		{"no scope", scope, `{}`, auth.CodeScope},
		{"scope number", scope, `{"scope":1}`, auth.CodeMalformed},
		{"sub number", exp, `{"sub":1}`, auth.CodeMalformed},
		{"once", once, fmt.Sprintf(`{"jti":"1","exp":%d}`, now+1), ""},
		{"once without jti", once, fmt.Sprintf(`{"exp":%d}`, now+1), auth.CodeClaim},
		{"once with an empty jti", once, fmt.Sprintf(`{"jti":"","exp":%d}`, now+1), auth.CodeClaim},
		{"once without exp", once, `{"jti":"1"}`, auth.CodeClaim},
		{"jti number", once, fmt.Sprintf(`{"jti":1,"exp":%d}`, now+1), auth.CodeMalformed},
	} {
		if got := code(t, withSecret(t, c.rules), forge(hsHeader, c.payload, hs256(shared))); got != c.code {
			t.Errorf("%s: code %q, want %q (%s)", c.name, got, c.code, c.payload)
		}
	}
}

// TestScopeIsForbidden: a token that is good but for its scope is answered 403,
// and only that.
func TestScopeIsForbidden(t *testing.T) {
	t.Parallel()
	v := withSecret(t, jose.Rules{Scopes: []string{"a"}, Issuers: []string{"i"}})
	for payload, forbidden := range map[string]bool{`{"iss":"i"}`: true, `{"iss":"x"}`: false, `{"iss":"x","scope":"a"}`: false} {
		_, err := v.Verify(context.Background(), forge(hsHeader, payload, hs256(shared)), authtest.Now)
		if d := auth.DenialOf(err); err == nil || d.Forbidden != forbidden {
			t.Errorf("%s: %+v", payload, d)
		}
	}
}

func TestOnce(t *testing.T) {
	t.Parallel()
	v := withSecret(t, jose.Rules{VerifyExpiry: true, Once: true, Leeway: time.Minute})
	id := func(payload string) auth.Identity {
		claims, err := v.Verify(context.Background(), forge(hsHeader, payload, hs256(shared)), authtest.Now)
		if err != nil {
			t.Fatal(err)
		}
		return v.Identity(claims)
	}
	keys := map[string]string{}
	for _, c := range []string{
		`"jti":"1"`, `"jti":"2"`, `"jti":"1","iss":"a"`, `"jti":"` + strings.Repeat("x", 3000) + `"`, `"jti":"\u0000\n"`, `"jti":"a\u00001"`,
	} {
		got := id(fmt.Sprintf(`{%s,"exp":%d}`, c, authtest.Now.Unix()+10))
		if len(got.Once) != 1 || !got.Once[0].Until.Equal(authtest.Now.Add(70*time.Second)) {
			t.Fatalf("%.40s: once %+v", c, got.Once)
		}
		k := got.Once[0].Key
		if len(k) > 64 || strings.Contains(k, shared) || strings.Contains(k, "\x00") {
			t.Errorf("%.40s: key %q", c, k)
		}
		if other, taken := keys[k]; taken {
			t.Errorf("%.40s and %.40s have one key", c, other)
		}
		keys[k] = c
	}
	if again := id(fmt.Sprintf(`{"exp":%d, "jti":"1", "x":1}`, authtest.Now.Unix()+20)); keys[again.Once[0].Key] != `"jti":"1"` {
		t.Error("the same id has another key")
	}
}

func TestSubject(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		names []string
		want  string
	}{
		{nil, "jwt"},
		{[]string{"", ""}, "jwt"},
		{[]string{"", "b"}, "jwt:b"},
		{[]string{"a", "b"}, "jwt:a"},
		{[]string{"a\x00b\n\x1b[31m\u202e"}, "jwt:a\ufffdb\ufffd\ufffd[31m\ufffd"},
		{[]string{strings.Repeat("x", 200)}, "jwt:" + strings.Repeat("x", 128)},
		{[]string{strings.Repeat("\u00fc", 100)}, "jwt:" + strings.Repeat("\u00fc", 64)},
		{[]string{"x" + strings.Repeat("\u00fc", 100)}, "jwt:x" + strings.Repeat("\u00fc", 63)},
	} {
		if got := jose.Subject("jwt", c.names...); got != c.want || !utf8.ValidString(got) {
			t.Errorf("%.20q: %q, want %q", c.names, got, c.want)
		}
	}
}

func TestContradictions(t *testing.T) {
	t.Parallel()
	for _, r := range []jose.Rules{
		{RequireExpiry: true}, {Once: true}, {Leeway: -1}, {Leeway: jose.MaxLeeway + 1}, {MaxAge: -1},
	} {
		if err := r.Validate(); err == nil {
			t.Errorf("%+v is taken", r)
		}
	}
}
