package authparam_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hookd/hookd/auth/internal/authparam"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ value, want string }{
		{`Digest a=b`, `Digest [a=b]`},
		{`Digest  a = "b" ,	c="d, e=\"f\\g" `, `Digest [a=b][c=d, e="f\g]`},
		{`Digest a="",b="\a"`, `Digest [a=][b=a]`},
		{`Digest ,, a=b ,,c=d,`, `Digest [a=b][c=d]`},
		{"Digest username*=UTF-8''J%C3%A4s, b=\"\xc3\xa4\"", "Digest [username*=UTF-8''J%C3%A4s][b=\xc3\xa4]"},
		{`Digest`, `Digest `},
		{`Digest `, `Digest `},
		{``, "no scheme"},
		{` Digest a=b`, "no scheme"},
		{"Digest\ta=b", "byte 6: expected a blank after the scheme"},
		{`Digest a`, "byte 8: expected an equals sign"},
		{`Digest a b=c`, "byte 9: expected an equals sign"},
		{`Digest =b`, "byte 7: expected the name of a parameter"},
		{`Digest a=`, "byte 9: expected a value"},
		{`Digest a=,b=c`, "byte 9: expected a value"},
		{`Digest a=b c=d`, "byte 11: expected a comma"},
		{`Digest a="b"c`, "byte 12: expected a comma"},
		{`Digest a="b`, "byte 11: expected a closing quote"},
		{`Digest a="b\"`, "byte 13: expected a closing quote"},
		{`Digest a="b\`, "byte 12: expected a character after the backslash"},
		{`Digest a=b, A=c`, "byte 13: expected each parameter once"},
		{`Digest a=/b`, "byte 9: expected a value"},
		{`Digest ` + many(authparam.MaxParams+1), "expected fewer parameters"},
	} {
		scheme, ps, err := authparam.Parse(c.value)
		got := scheme + " " + show(ps)
		if err != nil {
			got = err.Error()
		}
		if got != c.want && (err == nil || !strings.HasSuffix(got, c.want)) {
			t.Errorf("%q: %s, want %s", c.value, got, c.want)
		}
	}
	if _, ps, err := authparam.Parse(`Digest ` + many(authparam.MaxParams)); err != nil || len(ps) != authparam.MaxParams {
		t.Errorf("%d parameters, %v", len(ps), err)
	}
}

func many(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("p%d=v", i))
	}
	return strings.Join(all, ",")
}

func show(ps authparam.Params) string {
	var b strings.Builder
	for _, p := range ps {
		fmt.Fprintf(&b, "[%s=%s]", p.Name, p.Value)
	}
	return b.String()
}

func TestParseChallenges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values []string
		want   string
	}{
		{nil, ``},
		{[]string{""}, ``},
		{[]string{`Basic realm="a, b"`}, `Basic[realm=a, b]`},
		{[]string{`Basic realm="a"`, `Digest realm="b", nonce=c`}, `Basic[realm=a] Digest[realm=b][nonce=c]`},
		// RFC 9110 section 11.6.1.
		{[]string{`Basic realm="simple", Newauth realm="apps", type=1, title="Login to \"apps\""`}, `Basic[realm=simple] Newauth[realm=apps][type=1][title=Login to "apps"]`},
		{[]string{`Negotiate, Digest a=b,`}, `Negotiate Digest[a=b]`},
		{[]string{`Negotiate YII/a+b==, NTLM , ,Digest a=b`}, `Negotiate{YII/a+b==} NTLM Digest[a=b]`},
		{[]string{`Digest a=b, Bearer`}, `Digest[a=b] Bearer`},
		{[]string{`Digest a = b , c="d" , OAuth realm=x`}, `Digest[a=b][c=d] OAuth[realm=x]`},
		{[]string{`Digest a="b`}, `byte 11: expected a closing quote`},
		{[]string{`Digest a="b" c`}, `byte 13: expected a comma`},
		{[]string{`Digest a="b", a=c`}, `byte 15: expected each parameter once`},
		{[]string{`"x"`}, `byte 0: expected a scheme`},
		{[]string{`Digest a=b, "x"`}, `byte 12: expected the name of a parameter`},
		{[]string{`Digest ` + many(authparam.MaxParams+1)}, `expected fewer parameters`},
	} {
		all, err := authparam.ParseChallenges(c.values)
		var parts []string
		for _, ch := range all {
			text := ch.Scheme + show(ch.Params)
			if ch.Token68 != "" {
				text += "{" + ch.Token68 + "}"
			}
			parts = append(parts, text)
		}
		got := strings.Join(parts, " ")
		if err != nil {
			got = err.Error()
		}
		if got != c.want && (err == nil || !strings.HasSuffix(got, c.want)) {
			t.Errorf("%q: %s, want %s", c.values, got, c.want)
		}
	}
}

func TestQuote(t *testing.T) {
	t.Parallel()
	for _, text := range []string{``, `a`, `a"b`, `a\b`, `\`, `"`, `a, b=c`, "\xff\xc3\xa4"} {
		_, ps, err := authparam.Parse("X v=" + authparam.Quote(text))
		if got, _ := ps.Get("V"); err != nil || got != text {
			t.Errorf("%q became %q, %v", text, got, err)
		}
	}
}

// FuzzParse: what was read can be written and reads as the same.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`Digest a=b`, `Digest username="a\"b", realm="x, y=z", qop=auth`, `OAuth realm="",a="%20",,b=c,`, `Digest a="\`, `Basic Zm9v==`, `D a=b, A=c`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		scheme, ps, err := authparam.Parse(value)
		if err != nil {
			return
		}
		parts := make([]string, 0, len(ps))
		for _, p := range ps {
			parts = append(parts, p.Name+"="+authparam.Quote(p.Value))
		}
		again, same, err := authparam.Parse(scheme + " " + strings.Join(parts, ", "))
		if err != nil || again != scheme || !slices.Equal(ps, same) {
			t.Errorf("%q: %v, then %v, %v", value, ps, same, err)
		}
		for i, p := range ps {
			if v, ok := ps[i+1:].Get(p.Name); ok {
				t.Errorf("%q: %s twice: %q", value, p.Name, v)
			}
		}
	})
}

// FuzzParseChallenges: one challenge alone reads as it does as a credential.
func FuzzParseChallenges(f *testing.F) {
	for _, seed := range []string{
		`Basic realm="a"`, `Negotiate YII=, Digest a=b, c="d"`, `Digest a=b, Digest a=c`, `Newauth realm="apps", type=1, title="Login to \"apps\""`, `,,A,,`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		all, err := authparam.ParseChallenges([]string{value})
		if err != nil || len(all) != 1 || all[0].Token68 != "" || len(all[0].Params) == 0 || strings.HasPrefix(value, ",") || strings.HasPrefix(value, " ") || strings.HasPrefix(value, "\t") {
			return
		}
		scheme, ps, err := authparam.Parse(value)
		if err != nil || scheme != all[0].Scheme || !slices.Equal(ps, all[0].Params) {
			t.Errorf("%q: %v as a challenge, %s %v %v as a credential", value, all, scheme, ps, err)
		}
	})
}
