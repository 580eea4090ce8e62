package spec_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hookd/hookd/internal/diag"
	"github.com/hookd/hookd/internal/spec"
)

func TestParseJSONPlaces(t *testing.T) {
	t.Parallel()
	n, problems := spec.ParseJSON("f.json", []byte("\ufeff{ \"é\" :\r\n\t[ 1 ,-2.5e3,\"x\\n\", true,null , {} ]\n,\"b\":{\"c\":false}}"))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var got []string
	n.Walk("", func(path string, n *spec.Node) {
		got = append(got, fmt.Sprintf("%s %d:%d+%d %s %s", path, n.Pos.Line, n.Pos.Col, n.Width, n.Kind, n.Text))
	})
	want := []string{
		" 1:1+1 an object ", `["é"] 2:2+1 a list `, `["é"][0] 2:4+1 a number 1`, `["é"][1] 2:7+6 a number -2.5e3`, "[\"é\"][2] 2:14+5 a string x\n",
		`["é"][3] 2:21+4 a boolean true`, `["é"][4] 2:26+4 null `, `["é"][5] 2:33+1 an object `, "b 3:6+1 an object ", "b.c 3:11+5 a boolean false",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if m := n.Members[0]; m.Pos.Col != 3 || m.Width != 4 {
		t.Errorf("the key is at %v+%d", m.Pos, m.Width)
	}
}

func TestParseJSONProblems(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"", "f.json:1:1 the file is empty"},
		{" \n ", "f.json:1:1 the file is empty"},
		{"{\n \"a\": 1,\n}", "f.json:2:8 not JSON: invalid character '}' looking for beginning of object key string"},
		{"[1,\n2,\n]", "f.json:2:2 not JSON: invalid character ']' looking for beginning of value"},
		{"{\"a\": 1\n \"b\": 2}", "f.json:1:8 not JSON: invalid character '\"' after object key:value pair"},
		{"{'a': 1}", "f.json:1:2 not JSON: invalid character '\\'' looking for beginning of object key string"},
		{"{} x", "f.json:1:4 there is more text after the end of the JSON value"},
		{"{\"a\": [1, 2", "f.json:1:12 the file ends in the middle of a value"},
		{"{\"a\": \"b\nc\"}", "f.json:1:9 not JSON: invalid character '\\n' in string literal"},
		{"// x\n{}", "f.json:1:1 not JSON: invalid character '/' looking for beginning of value"},
		{"{\"a\": \"\xff\"}", "f.json:1:8 this byte is not UTF-8"},
		{"{\"a\": 1, \"b\": {\"a\": 1, \"a\": 2}}", "f.json:1:24 the key \"a\" is here twice"},
		{strings.Repeat("[", 200) + strings.Repeat("]", 200), "f.json:1:102 nested deeper than 100 levels"},
		{strings.Repeat("[", 20000), "f.json:1:10001 nested deeper than 100 levels"},
	} {
		n, problems := spec.ParseJSON("f.json", []byte(c.in))
		if len(problems) != 1 || problems[0].Pos.String()+" "+problems[0].Message != c.want {
			t.Errorf("%.40q: %v, want %s", c.in, problems, c.want)
		}
		if (n != nil) != (problems[0].Code == "duplicate_key") {
			t.Errorf("%.40q: the node is %v", c.in, n)
		}
	}
}

func TestParseYAML(t *testing.T) {
	t.Parallel()
	n, problems := spec.ParseYAML("f.yaml", []byte("é: \"x\"\nlist:\n  - 0x1F\n  - 1_000\n  - 1.10\n  - yes\n  - ~\n  - 2026-01-02\nm: &m {a: 1, b: 2}\nn:\n  <<: *m\n  b: 3\n"))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	got, err := json.Marshal(n.Any())
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"list":[31,1000,1.10,"yes",null,"2026-01-02"],"m":{"a":1,"b":2},"n":{"a":1,"b":3},"é":"x"}`; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if p := n.Get("é"); p.Pos != (diag.Pos{File: "f.yaml", Line: 1, Col: 5}) || p.Width != 3 {
		t.Errorf("the place is %v+%d: columns count bytes", p.Pos, p.Width)
	}
}

func TestParseYAMLProblems(t *testing.T) {
	t.Parallel()
	bomb := "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c <= 'k'; c++ {
		bomb += fmt.Sprintf("%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	for _, c := range []struct{ in, want string }{
		{"", "f.yaml:1:1 the file is empty"},
		{"a: 1\na: 2\n", "f.yaml:2:1 the key \"a\" is here twice"},
		{"a: [1\nb: 2\n", "f.yaml:1:1 not YAML: did not find expected ',' or ']'"},
		{"a: 1\n---\nb: 2\n", "f.yaml:1:1 not YAML: a file holds one document only"},
		{"a: !thing 5\n", "f.yaml:1:4 the tag !thing is not supported"},
		{"a: .inf\n", "f.yaml:1:4 not a finite number"},
		{"? [a]\n: b\n", "f.yaml:1:3 a key must be a plain text"},
		{"a: &a [*a]\n", "f.yaml:1:4 nested deeper than 100 levels, or an alias holds itself"},
		{bomb, "more than 500000 values, aliases expanded"},
	} {
		_, problems := spec.ParseYAML("f.yaml", []byte(c.in))
		if len(problems) != 1 || !strings.HasSuffix(problems[0].Pos.String()+" "+problems[0].Message, c.want) {
			t.Errorf("%.40q: %v, want %s", c.in, problems, c.want)
		}
	}
}

func FuzzParseJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,"x",null,true,{}]}`, `{"a":1,"a":2}`, "\ufeff{}", `[1,]`, `"\ud800"`, `01`, `{"a":"\u0000"}`, `[[[]]]`, "1 2"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n, problems := spec.ParseJSON("f.json", b)
		for _, p := range problems {
			if p.Pos.Line < 1 || p.Pos.Col < 1 {
				t.Errorf("a problem without a place: %+v", p)
			}
			if p.Code == "duplicate_key" || p.Code == "too_deep" {
				return
			}
		}
		text := strings.TrimPrefix(string(b), "\ufeff")
		if !utf8.ValidString(text) {
			if n != nil {
				t.Error("accepts what is not UTF-8")
			}
			return
		}
		if valid := json.Valid([]byte(text)); valid != (n != nil && len(problems) == 0) {
			t.Errorf("json.Valid says %v, ParseJSON %v", valid, problems)
		} else if valid {
			dec := json.NewDecoder(strings.NewReader(text))
			dec.UseNumber()
			var want any
			if err := dec.Decode(&want); err != nil || !reflect.DeepEqual(n.Any(), want) {
				t.Errorf("got %v, want %v (%v)", n.Any(), want, err)
			}
			if again, problems := spec.ParseJSON("f.json", n.Print()); again == nil {
				t.Errorf("what is printed cannot be read: %v", problems)
			}
		}
	})
}

func FuzzParseYAML(f *testing.F) {
	for _, s := range []string{"a: b", "a: &x [*x]", "<<: {a: 1}", "a: |\n  x\n", "? a\n: b", "a: 'x''y'", "- - -", "!!binary x", "\ufeffa: 1", "a: \"\\x41"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n, problems := spec.ParseYAML("f.yaml", b)
		if n == nil && !problems.HasErrors() {
			t.Error("neither a node nor a problem")
		}
		for _, p := range problems {
			if p.Pos.Line < 1 || p.Pos.Col < 1 {
				t.Errorf("a problem without a place: %+v", p)
			}
		}
		if n != nil {
			e := &everything{}
			spec.Resolve(n, nil, spec.ResolveOptions{Offline: true})
			spec.Decode(n, e, "")
			n.SecretSpans()
			n.Print()
		}
	})
}
