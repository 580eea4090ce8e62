package auth_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/secret"
)

func TestOneHeader(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values      []string
		value, code string
	}{
		{nil, "", auth.CodeMissing},
		{[]string{""}, "", auth.CodeMissing},
		{[]string{"v"}, "v", ""},
		{[]string{" v\t"}, " v\t", ""},
		{[]string{"v", "v"}, "", auth.CodeDoubled},
		{[]string{"", ""}, "", auth.CodeDoubled},
		{[]string{strings.Repeat("v", auth.MaxCredential)}, strings.Repeat("v", auth.MaxCredential), ""},
		{[]string{strings.Repeat("v", auth.MaxCredential+1)}, "", auth.CodeTooLong},
		{[]string{"a\x1fb"}, "", auth.CodeMalformed},
		{[]string{"a\x7f"}, "", auth.CodeMalformed},
		{[]string{"\u00e9\xff"}, "\u00e9\xff", ""},
	} {
		if v, code := auth.OneHeader(http.Header{"X": c.values}, "X"); v != c.value || code != c.code {
			t.Errorf("%.20q: %.20q, %q", c.values, v, code)
		}
	}
}

func TestOneParam(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ raw, value, code string }{
		{"", "", auth.CodeMissing},
		{"k", "", auth.CodeMissing},
		{"k=", "", auth.CodeMissing},
		{"k=v", "v", ""},
		{"k=a%20b+c%2Bd", "a b c+d", ""},
		{"k=v=w", "v=w", ""},
		{"%6b=v", "v", ""},
		{"kk=v&K=v", "", auth.CodeMissing},
		{"k=v&k=v", "", auth.CodeDoubled},
		{"k=v&%6B=w", "", auth.CodeDoubled},
		{"k=%zz", "", auth.CodeMalformed},
		{"k=a%00b", "", auth.CodeMalformed},
		{"k=a%09b", "", auth.CodeMalformed},
		{"k=" + strings.Repeat("v", auth.MaxCredential+1), "", auth.CodeTooLong},
		{"k=" + strings.Repeat("%76", auth.MaxCredential), strings.Repeat("v", auth.MaxCredential), ""},
		{"k=" + strings.Repeat("%76", auth.MaxCredential+1), "", auth.CodeTooLong},
	} {
		if v, code := auth.OneParam(c.raw, "k"); v != c.value || code != c.code {
			t.Errorf("%.40q: %.20q, %q", c.raw, v, code)
		}
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	exact := auth.NewTokens(false, secret.New("One"), secret.New("two"))
	fold := auth.NewTokens(true, secret.New("One"), secret.New("zw\u00d6lf"), secret.New("\ufffd"))
	for _, c := range []struct {
		t    auth.Tokens
		got  string
		want int
	}{
		{exact, "One", 0},
		{exact, "two", 1},
		{exact, "one", -1},
		{exact, "", -1},
		{exact, "One ", -1},
		{fold, "oNE", 0},
		{fold, "ZW\u00f6lf", 1},
		{fold, "\xff", -1},
		{fold, "\ufffd", 2},
		{auth.Tokens{}, "", -1},
	} {
		if i, ok := c.t.Find(c.got); i != c.want || ok != (c.want >= 0) {
			t.Errorf("%q: %d %v, want %d", c.got, i, ok, c.want)
		}
	}
}
