package diag_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/internal/diag"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// at renders one problem over text and returns the excerpt and its marks.
func at(t *testing.T, text string, line, col, width int, o diag.RenderOptions) (string, string) {
	t.Helper()
	var b bytes.Buffer
	p := diag.Problem{Pos: diag.Pos{File: "f", Line: line, Col: col}, Width: width, Path: "a.b", Message: "m", Hint: "h"}
	if err := diag.Render(&b, func(string) []byte { return []byte(text) }, diag.List{p}, o); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	if len(lines) != 5 || !strings.HasPrefix(lines[0], "f:") || !strings.HasSuffix(lines[0], ": a.b: m") || !strings.HasSuffix(lines[3], "= h") {
		t.Fatalf("%q", b.String())
	}
	_, source, _ := strings.Cut(lines[1], "| ")
	_, marks, _ := strings.Cut(lines[2], "| ")
	return source, marks
}

func exact(spans ...diag.Span) diag.RenderOptions {
	return diag.RenderOptions{Masks: func(string) ([]diag.Span, bool) { return spans, true }}
}

func TestExcerpt(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 300) + "HERE" + strings.Repeat("y", 300)
	for _, c := range []struct {
		name, text       string
		line, col, width int
		source, marks    string
	}{
		{"plain", `{"a": 5}`, 1, 7, 1, `{"a": 5}`, `      ^`},
		{"wide", `{"a": 555}`, 1, 7, 3, `{"a": 555}`, `      ^^^`},
		{"a tab", "\t\"a\": 5", 1, 7, 1, `    "a": 5`, `         ^`},
		{"a tab in the middle", "ab\tc", 1, 4, 1, `ab  c`, `    ^`},
		{"multibyte", "\"é\": 5", 1, 7, 1, `"é": 5`, `     ^`},
		{"wide runes", "日本: 5", 1, 9, 1, "日本: 5", `      ^`},
		{"combining", "e\u0301: 5", 1, 6, 1, "e\u0301: 5", `   ^`},
		{"second line, CRLF", "{\r\n  x\r\n}", 2, 3, 1, `  x`, `  ^`},
		{"end of line", `{"a"`, 1, 5, 1, `{"a"`, `    ^`},
		{"beyond the line", `{`, 1, 9, 4, `{`, ` ^`},
		{"width beyond the line", `{"a`, 1, 2, 99, `{"a`, ` ^^`},
		{"control characters", "a\x1b[31mb", 1, 7, 1, "a�[31mb", `      ^`},
		{"not UTF-8", "a\xffb", 1, 3, 1, "a�b", `  ^`},
		{"byte order mark", "\ufeff{x", 1, 2, 1, "{x", ` ^`},
		{"empty line", "\n", 1, 1, 0, "", `^`},
		{"a long line", long, 1, 301, 4, "…" + strings.Repeat("x", 36) + "HERE" + strings.Repeat("y", 70) + "…", strings.Repeat(" ", 37) + "^^^^"},
		{"the end of a long line", long, 1, 604, 1, "…" + strings.Repeat("y", 110), strings.Repeat(" ", 110) + "^"},
	} {
		source, marks := at(t, c.text, c.line, c.col, c.width, exact())
		if source != c.source || marks != c.marks {
			t.Errorf("%s:\n got %q %q\nwant %q %q", c.name, source, marks, c.source, c.marks)
		}
	}
}

func TestExcerptMasks(t *testing.T) {
	t.Parallel()
	text := `{"pw": "hunter2", "n": 5}`
	source, marks := at(t, text, 1, 24, 1, exact(diag.Span{Start: 8, End: 15}))
	if source != `{"pw": "[redacted]", "n": 5}` || marks != strings.Repeat(" ", 26)+"^" {
		t.Errorf("%q %q", source, marks)
	}
	source, marks = at(t, text, 1, 8, 9, exact(diag.Span{Start: 8, End: 15}))
	if source != `{"pw": "[redacted]", "n": 5}` || marks != strings.Repeat(" ", 7)+strings.Repeat("^", 12) {
		t.Errorf("%q %q", source, marks)
	}
	source, _ = at(t, "a: |\n  hunter2\n  more: 1\n", 3, 3, 1, exact(diag.Span{Start: 5, End: 24}))
	if source != "[redacted]" {
		t.Errorf("%q", source)
	}
	for _, line := range []string{
		`"url": "amqp://user:hunter2@host/"`, `"x": "Bearer hunter2-long-token"`, `"authorization": "Basic aHVudGVyMg=="`,
	} {
		if source, _ := at(t, line, 1, 1, 1, exact()); strings.Contains(source, "hunter2") || strings.Contains(source, "aHVu") {
			t.Errorf("%q", source)
		}
	}
}

// A file that cannot be parsed has no description: what looks secret is masked.
func TestExcerptGuesses(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		`"secret": "hunter2",`:                    `"secret": "[redacted]",`,
		`"secret": "hunter2, "a": 1`:              `"secret": "[redacted]"a": 1`,
		`"client_secret" : 'hunter2'`:             `"client_secret" : '[redacted]'`,
		`"password": hunter2 }`:                   `"password": [redacted]`,
		`password: hunter2`:                       `password: [redacted]`,
		`"api_key": "hun\"ter2", "a": "b"`:        `"api_key": "[redacted]", "a": "b"`,
		`"hunter2",`:                              `"[redacted]",`,
		`  - hunter2hunter2`:                      `  - [redacted]`,
		`MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwgg`:  `[redacted]`,
		`"module": "kafka", "timeout": 5,`:        `"module": "kafka", "timeout": 5,`,
		`}, ]`:                                    `}, ]`,
		`"token": "{$TOKEN}" "x"`:                 `"token": "{$TOKEN}" "[redacted]"`,
		`"auth": { "user": "a", "pass": "hunter2`: `"auth": { "user": "a", "pass": "[redacted]`,
		`"hunter2", "a": 1`:                       `"[redacted]", "a": 1`,
	} {
		if got, _ := at(t, line, 1, 1, 1, diag.RenderOptions{}); got != want {
			t.Errorf("%s:\n got %s\nwant %s", line, got, want)
		}
	}
}

func TestRenderWithoutPlace(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	list := diag.List{
		{Pos: diag.Pos{File: "gone.json"}, Message: "no\nsuch\x1b file", Hint: "look"},
		{Severity: diag.Warning, Message: "alone"},
		{Severity: diag.Note, Pos: diag.Pos{File: "x", Line: 99, Col: 1}, Message: "far"},
	}
	if err := diag.Render(&b, func(string) []byte { return nil }, list, diag.RenderOptions{}); err != nil {
		t.Fatal(err)
	}
	want := "gone.json: no�such� file\n  = look\nwarning: alone\nx:99:1: note: far\n"
	if b.String() != want {
		t.Errorf("%q", b.String())
	}
}

func problems() diag.List {
	return diag.List{
		{Pos: diag.Pos{File: "dir/a b.json", Line: 1, Col: 6}, Width: 2, Path: "p", Code: "bad_value", Message: "50% of\nlines", Hint: "h"},
		{Severity: diag.Warning, Pos: diag.Pos{File: "/abs,x:y.json"}, Code: "w", Message: "m"},
		{Severity: diag.Note, Message: "n"},
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := diag.WriteGitHub(&b, problems()); err != nil {
		t.Fatal(err)
	}
	want := "::error file=dir/a b.json,line=1,col=6,endColumn=8,title=bad_value::p: 50%25 of%0Alines; h\n::warning file=/abs%2Cx%3Ay.json,title=w::m\n::notice::n\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &b, want)
	}
	b.Reset()
	if err := diag.WriteJSON(&b, problems()); err != nil {
		t.Fatal(err)
	}
	var j struct {
		Problems         []map[string]any
		Errors, Warnings int
	}
	if err := json.Unmarshal(b.Bytes(), &j); err != nil || j.Errors != 1 || j.Warnings != 1 || len(j.Problems) != 3 || j.Problems[0]["col"] != 6.0 {
		t.Errorf("%v %s", err, &b)
	}
	b.Reset()
	if err := diag.WriteSARIF(&b, func(string) []byte { return []byte(`"éé": 5`) }, problems(), "hookd", "1"); err != nil {
		t.Fatal(err)
	}
	var s struct {
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct{ Rules []struct{ ID string } }
			}
			Results []struct {
				RuleID    string
				RuleIndex int
				Level     string
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine, StartColumn, EndColumn int }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(b.Bytes(), &s); err != nil {
		t.Fatal(err)
	}
	r := s.Runs[0].Results
	if s.Version != "2.1.0" || len(r) != 3 || r[0].Level != "error" || r[1].RuleIndex != 1 || r[2].Level != "note" || len(s.Runs[0].Tool.Driver.Rules) != 3 {
		t.Errorf("%s", &b)
	}
	if p := r[0].Locations[0].PhysicalLocation; p.ArtifactLocation.URI != "dir/a%20b.json" || p.Region.StartColumn != 4 || p.Region.EndColumn != 6 {
		t.Errorf("columns count characters: %+v", p)
	}
}

func TestSuggest(t *testing.T) {
	t.Parallel()
	known := []string{"module", "module-config", "json_schema", "log", "kafka"}
	for word, want := range map[string]string{
		"modul": "module", "moduel": "module", "module_config": "module-config", "JSONSchema": "json_schema", "lgo": "log", "kafak": "kafka",
		"xyz": "", "": "", "completely-different": "", "lo": "log", strings.Repeat("x", 10_000): "",
	} {
		got := diag.Suggest(word, known)
		if want != "" {
			want = `did you mean "` + want + `"?`
		}
		if got != want {
			t.Errorf("%.20q: %q, want %q", word, got, want)
		}
	}
}

func FuzzRender(f *testing.F) {
	f.Add("a\tb\n\"pass\": \"x\"", 1, 2, 3, 0, 4)
	f.Add("日本\xff\r\n", 2, 1, 0, 3, 1)
	f.Fuzz(func(t *testing.T, text string, line, col, width, from, to int) {
		var b bytes.Buffer
		p := diag.Problem{Pos: diag.Pos{File: "f", Line: line % 1000, Col: col}, Width: width, Message: "m"}
		for _, o := range []diag.RenderOptions{{}, exact(diag.Span{Start: from, End: to}), {Columns: 5}} {
			if err := diag.Render(&b, func(string) []byte { return []byte(text) }, diag.List{p}, o); err != nil {
				t.Fatal(err)
			}
		}
		if strings.ContainsAny(b.String(), "\x1b\r\x00") {
			t.Errorf("a terminal would obey %q", b.String())
		}
	})
}
