package scheme_test

import (
	"strings"
	"testing"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/scheme"
)

// perItem signs each object of "list".
func perItem(signed string) scheme.Alternative {
	return scheme.Alternative{
		ForEach: "json:list", Signed: signed,
		Sig: scheme.Sig{At: []string{"item:sig"}, Enc: scheme.Base64},
	}
}

func signedBody(t *testing.T, s *scheme.Scheme, body string) string {
	t.Helper()
	r := request(body)
	if err := s.Sign(r); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return string(r.Body)
}

// TestItems: every item has to hold, there is at least one, and what is not in
// the known shape is refused.
func TestItems(t *testing.T) {
	t.Parallel()
	s := compile(t, []scheme.Alternative{perItem("{item:id}:{item?:of.n}")}, "", "k", "old")
	one := signedBody(t, s, `{"list":[{"id":"a","of":{"n":1}}]}`)
	two := signedBody(t, s, `{"x":1, "list":[ {"id":"a","of":{"n":1}} , {"id":"b"} ] }`)
	stranger := signedBody(t, compile(t, []scheme.Alternative{perItem("{item:id}:{item?:of.n}")}, "", "other"), `{"list":[{"id":"c"}]}`)
	foreign := stranger[len(`{"list":[`) : len(stranger)-len(`]}`)]
	item := one[len(`{"list":[`) : len(one)-len(`]}`)]
	for name, c := range map[string]struct{ body, code string }{
		"one":                    {one, ""},
		"two":                    {two, ""},
		"the same twice":         {`{"list":[` + item + `,` + item + `]}`, ""},
		"blanks":                 {"\n" + strings.Replace(one, ":[", " :\t[ ", 1) + " ", ""},
		"no items":               {`{"list":[]}`, auth.CodeMissing},
		"no list":                {`{}`, auth.CodeMissing},
		"null":                   {`{"list":null}`, auth.CodeMalformed},
		"an object":              {`{"list":` + item + `}`, auth.CodeMalformed},
		"a text":                 {`{"list":"` + strings.ReplaceAll(item, `"`, `\"`) + `"}`, auth.CodeMalformed},
		"a list of lists":        {`{"list":[[` + item + `]]}`, auth.CodeMalformed},
		"a number beside":        {`{"list":[` + item + `,1]}`, auth.CodeMalformed},
		"null beside":            {`{"list":[` + item + `,null]}`, auth.CodeMalformed},
		"unsigned beside":        {`{"list":[` + item + `,{"id":"a"}]}`, auth.CodeMissing},
		"unsigned before":        {`{"list":[{"id":"a"},` + item + `]}`, auth.CodeMissing},
		"foreign beside":         {`{"list":[` + item + `,` + foreign + `]}`, auth.CodeSignatureMismatch},
		"foreign before":         {`{"list":[` + foreign + `,` + item + `]}`, auth.CodeSignatureMismatch},
		"changed":                {strings.Replace(one, `"n":1`, `"n":2`, 1), auth.CodeSignatureMismatch},
		"member taken":           {strings.Replace(one, `"n":1`, `"m":1`, 1), auth.CodeSignatureMismatch},
		"object in its place":    {strings.Replace(two, `"id":"b"`, `"of":{"n":{"x":1}},"id":"b"`, 1), auth.CodeMissing},
		"array in its place":     {strings.Replace(two, `"id":"b"`, `"of":{"n":[]},"id":"b"`, 1), auth.CodeMissing},
		"null in its place":      {strings.Replace(two, `"id":"b"`, `"of":{"n":null},"id":"b"`, 1), ""},
		"empty in its place":     {strings.Replace(two, `"id":"b"`, `"of":{"n":""},"id":"b"`, 1), ""},
		"second list":            {one[:len(one)-1] + `,"list":[{"id":"evil"}]}`, auth.CodeDoubled},
		"second list, escaped":   {one[:len(one)-1] + `,"\u006cist":[{"id":"evil"}]}`, auth.CodeDoubled},
		"second list, in caps":   {one[:len(one)-1] + `,"LIST":[{"id":"evil"}]}`, auth.CodeDoubled},
		"second member":          {strings.Replace(one, `"id":"a"`, `"id":"a","id":"b"`, 1), auth.CodeDoubled},
		"second member, in caps": {strings.Replace(one, `"id":"a"`, `"id":"a","ID":"b"`, 1), auth.CodeDoubled},
		"something behind":       {one + `{"list":[{"id":"evil"}]}`, auth.CodeMalformed},
		"no JSON":                {"list=1", auth.CodeMissing},
		"cut":                    {one[:len(one)-1], auth.CodeMissing},
		"bad JSON beside":        {one[:len(one)-1] + `,"x":tru}`, auth.CodeMalformed},
		"nothing":                {"", auth.CodeMissing},
	} {
		_, err := s.Verify(request(c.body))
		got := codeOf(err)
		if got != c.code {
			t.Errorf("%s: code %q, want %q: %s", name, got, c.code, c.body)
		}
	}
}

func TestItemsAreBounded(t *testing.T) {
	t.Parallel()
	a := []scheme.Alternative{perItem("{item:id}")}
	s := compile(t, a, "", "k")
	one := signedBody(t, s, `{"list":[{"id":"a"}]}`)
	item := one[len(`{"list":[`) : len(one)-len(`]}`)]
	list := func(n int) string { return `{"list":[` + strings.Repeat(item+",", n-1) + item + `]}` }
	if !verifies(s, request(list(1000))) {
		t.Error("refused 1000 items")
	}
	if got := codeOf(second(s.Verify(request(list(1001))))); got != auth.CodeTooLong {
		t.Errorf("1001 items: %q", got)
	}
}

// TestTokenInItems: a token has to be in every item.
func TestTokenInItems(t *testing.T) {
	t.Parallel()
	s := compile(t, []scheme.Alternative{{Kind: scheme.Token, ForEach: "json:value", Sig: scheme.Sig{At: []string{"item:state"}}}}, "", "s1", "s2")
	for body, ok := range map[string]bool{
		`{"value":[{"state":"s1"},{"state":"s2"}]}`:                true,
		`{"value":[{"state":"s1"},{"state":"s3"}]}`:                false,
		`{"value":[{"state":"s1"},{}]}`:                            false,
		`{"value":[{"state":"s1"},{"state":null}]}`:                false,
		`{"value":[{"state":["s1"]}]}`:                             false,
		`{"value":[{"state":"s1","State":"x"}]}`:                   false,
		`{"value":[{"state":"s1"}],"Value":[{"state":"nothing"}]}`: false,
		`{"value":[]}`: false,
	} {
		if verifies(s, request(body)) != ok {
			t.Errorf("%s: want %v", body, ok)
		}
	}
	if got := signedBody(t, s, `{"value":[{"a":1},{"state":"x","b":2}]}`); got != `{"value":[{"state":"s1","a":1},{"state":"s1","b":2}]}` {
		t.Errorf("signed %s", got)
	}
}

func TestItemsAreCoveredInPart(t *testing.T) {
	t.Parallel()
	a := []scheme.Alternative{perItem("{item:id}{item?:of.n}")}
	for source, want := range map[string]bool{
		"json:list.0.id": true, "json:list.7.of.n": true, "json:list.0.of": false, "json:list.0.name": false, "json:id": false,
		"json:list.x.id": false, "json:list": false, "json:other.0.id": false, "header:X-Id": false, "form:id": false,
	} {
		if got := scheme.Covered(a, source); got != want {
			t.Errorf("%s covered: %v", source, got)
		}
	}
}
