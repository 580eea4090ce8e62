package spec_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hookd/hookd/internal/spec"
)

func resolve(t testing.TB, text string, env map[string]string) (string, string) {
	t.Helper()
	n := &spec.Node{Kind: spec.NodeString, Text: text}
	problems := spec.Resolve(n, func(name string) (string, bool) { v, ok := env[name]; return v, ok }, spec.ResolveOptions{
		ReadFile: func(name string) ([]byte, error) {
			if name == "/f:1" {
				return []byte("one\ntwo\n"), nil
			}
			return nil, errors.New("no")
		},
	})
	var messages []string
	for _, p := range problems {
		messages = append(messages, p.Severity.String()+" "+p.Message)
	}
	return n.Text, strings.Join(messages, "; ")
}

func TestReferences(t *testing.T) {
	t.Parallel()
	env := map[string]string{
		"H": "h1", "P": "1", "E": "", "1a": "digit", "größe": "gross", "file": "env-file",
		"S": `pa$$(w)rd{1};valid-id..x`, "R": "{$H}", "LONG": strings.Repeat("x", 10_000),
	}
	for _, c := range []struct{ in, want, problems string }{
		{"{$H}", "h1", ""},
		{"{$NOPE:def}", "def", ""},
		{"{$NOPE:}", "", ""},
		{"{$E:d}", "", ""},
		{"http://{$H}:{$P}/x", "http://h1:1/x", ""},
		{"{$H:x}:{$P:y}", "h1:1", ""},
		{"{$NOPE:x}:{$P:y}", "x:1", ""},
		{"{$NOPE:a:b:c}", "a:b:c", ""},
		{"{$NOPE:{a}}", "{a}", ""},
		{`{$NOPE:{"a":{"b":1}}}!`, `{"a":{"b":1}}!`, ""},
		{"{$NOPE:{a}", "{a", ""},
		{"{$NOPE:{$H}}", "h1", ""},
		{"{$NOPE:a{$ALSO:b{$P}}}", "ab1", ""},
		{`\{$H}`, "{$H}", ""},
		{`a\\{$H}`, `a\{$H}`, ""},
		{`a\b{$H}`, `a\bh1`, ""},
		{"{$S}", `pa$$(w)rd{1};valid-id..x`, ""},
		{"{$R}", "{$H}", ""},
		{"{$LONG}", strings.Repeat("x", 10_000), ""},
		{"{$1a}{$größe}", "digitgross", ""},
		{"{$file}", "env-file", ""},
		{"{$file:/f:1}", "one\ntwo", ""},
		{"$H {H} {", "$H {H} {", ""},
		{"{$H }", "{$H }", `warning "{$" here is no reference and is kept as text`},
		{"{$H", "{$H", `warning "{$" here is no reference and is kept as text`},
		{"{$H:x", "{$H:x", `warning "{$" here is no reference and is kept as text`},
		{"{$h}", "{$h}", "error the environment variable h is not set"},
		{"a{$NOPE}b", "a{$NOPE}b", "error the environment variable NOPE is not set"},
		{"{$file:/none}", "{$file:/none}", "error the file /none cannot be read: no"},
		{"{$file:}", "{$file:}", "error the reference names no file"},
		{"{$vault:a/b#c:d:e}", "d:e", ""},
		{"{$vault:a/b#c}", "{$vault:a/b#c}", "error Vault is not available in this build, and a/b#c has no default"},
		{"{$vault:a/../b#c:d}", "{$vault:a/../b#c:d}", "error not a Vault reference"},
		{"{$vault:ab}", "{$vault:ab}", "error not a Vault reference"},
	} {
		got, problems := resolve(t, c.in, env)
		if got != c.want || problems != c.problems {
			t.Errorf("%s: %q %q, want %q %q", c.in, got, problems, c.want, c.problems)
		}
	}
}

func TestReferencePlaces(t *testing.T) {
	t.Parallel()
	json := "{\n  \"a\": \"x\\u00e9\\ud83d\\ude00\\\"é{$ONE}\\n{$TWO}\"\n}"
	n, _ := spec.ParseJSON("f", []byte(json))
	for i, p := range spec.Resolve(n, nil, spec.ResolveOptions{}) {
		line := strings.Split(json, "\n")[p.Pos.Line-1]
		want := []string{"{$ONE}", "{$TWO}"}[i]
		if p.Pos.Line != 2 || !strings.HasPrefix(line[p.Pos.Col-1:], want) || p.Width != len(want) {
			t.Errorf("json %d: %+v", i, p)
		}
	}
	yaml := "a: 'it''s {$ONE} and'\nb: |\n  text {$ONE}\n  éé {$TWO} {$TWO}\nc: plain {$ONE}\n"
	n, _ = spec.ParseYAML("f.yaml", []byte(yaml))
	var got []string
	for _, p := range spec.Resolve(n, nil, spec.ResolveOptions{}) {
		got = append(got, p.Pos.String())
	}
	if want := "[f.yaml:1:11 f.yaml:3:8 f.yaml:4:8 f.yaml:4:15 f.yaml:5:10]"; fmt.Sprint(got) != want {
		t.Errorf("yaml: %v, want %s", got, want)
	}
}

func TestReferencedFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	secret := filepath.Join(dir, "s")
	if err := os.WriteFile(secret, []byte("v\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	big := filepath.Join(dir, "big")
	if err := os.WriteFile(big, make([]byte, 1<<20+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{secret: "v", dir: "{$file:" + dir + "}", big: "{$file:" + big + "}", "/nope/nope": "{$file:/nope/nope}"} {
		n := &spec.Node{Kind: spec.NodeString, Text: "{$file:" + in + "}"}
		problems := spec.Resolve(n, nil, spec.ResolveOptions{})
		if n.Text != want || (in == secret) == problems.HasErrors() || n.Unresolved == (in == secret) {
			t.Errorf("%s: %.40q %v", in, n.Text, problems)
		}
	}
}

func FuzzReference(f *testing.F) {
	for _, s := range []string{"{$A}", `\{$A}`, "{$A:{b}}", "{$file:/f:1}", "{$vault:a#b:c}", "{$A:{$A:{$A:", "é{$é}{$"} {
		f.Add(s, "value")
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		if !utf8.ValidString(text) || !utf8.ValidString(value) {
			return
		}
		got, _ := resolve(t, text, map[string]string{"A": value})
		if !strings.Contains(text, "{$") && got != text {
			t.Errorf("a text without a reference changed: %q to %q", text, got)
		}
		if escaped := strings.ReplaceAll(text, "{$", `\{$`); true {
			if back, problems := resolve(t, escaped, nil); problems != "" || !strings.Contains(text, `\`) && back != text {
				t.Errorf("escaped %q gives %q %s", escaped, back, problems)
			}
		}
	})
}
