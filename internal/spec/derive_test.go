package spec_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/spec"
)

const full = `{
	"text": "t", "home": "https://u:hunter2@h/", "key": "hunter2", "keys": ["hunter2"], "headers": {"A": "hunter2"},
	"labels": {"b": "2", "a": "1"}, "free": {"y": 1, "x": [2]}, "tls": {"name": "n"}, "rules": [{"name": "r"}], "zones": {"z": {"name": "q"}, "a": {"name": "b"}}
}`

func TestRedacted(t *testing.T) {
	t.Parallel()
	e, _, _ := load(t, full)
	b, err := json.Marshal(spec.Redacted(e))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"count":3,"free":{"x":[2],"y":1},"headers":{"A":"[redacted]"},"home":"https://u:xxxxx@h/","key":"[redacted]","keys":["[redacted]"],` +
		`"labels":{"a":"1","b":"2"},"level":"sha256","max":10485760,"on":false,"ratio":0,"rules":[{"name":"r","port":80}],"text":"t",` +
		`"tls":{"name":"n","port":80},"wait":"5m","zones":{"a":{"name":"b","port":80},"z":{"name":"q","port":80}}}`
	if string(b) != want {
		t.Errorf("got  %s\nwant %s", b, want)
	}
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	key := []byte("k")
	e, _, _ := load(t, full)
	base := spec.Fingerprint(key, e)
	for range 50 { // maps have no order
		if again, _, _ := load(t, full); spec.Fingerprint(key, again) != base {
			t.Fatal("the same content has two fingerprints")
		}
	}
	reordered, _, _ := load(t, `{"_c": 1, "zones": {"a": "b", "z": {"port": 80, "name": "q"}}, "rules": ["r"], "tls": {"name": "n"}, "free": {"x": [2], "y": 1}, "labels": {"a": 1, "b": "2"},
		"headers": {"A": "hunter2"}, "keys": "hunter2", "key": "hunter2", "home": "https://u:hunter2@h/", "txt": "t", "count": 3}`)
	if spec.Fingerprint(key, reordered) != base {
		t.Error("order, aliases or written defaults change the fingerprint")
	}
	if spec.Fingerprint([]byte("other"), e) == base {
		t.Error("the key has no part in the fingerprint")
	}
	seen := map[[32]byte]string{base: "the base"}
	for _, change := range [][2]string{
		{`"key": "hunter2"`, `"key": "hunter3"`},
		{`"keys": ["hunter2"]`, `"keys": ["hunter2", "x"]`},
		{`{"A": "hunter2"}`, `{"A": "hunter3"}`},
		{`u:hunter2@`, `u:hunter3@`},
		{`"text": "t"`, `"text": "t2"`},
		{`"text": "t"`, `"text": "t", "count": 4`},
		{`"text": "t"`, `"text": "t", "on": false`},
		{`"text": "t"`, `"text": "t", "on": true`},
		{`"text": "t"`, `"text": "t", "wait": 2`},
		{`"text": "t"`, `"text": "t", "ratio": 0.5`},
		{`{"y": 1,`, `{"y": 2,`},
		{`"b": "2"`, `"b": "3"`},
		{`{"name": "r"}`, `{"name": "r", "port": 1}`},
		{`{"name": "q"}`, `{"name": "p"}`},
	} {
		in := strings.Replace(full, change[0], change[1], 1)
		e, _, problems := load(t, in)
		f := spec.Fingerprint(key, e)
		if other, same := seen[f]; same || problems.HasErrors() {
			t.Errorf("%s has the fingerprint of %s; %s", change[1], other, lines(problems))
		}
		seen[f] = change[1]
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	if err := spec.Verify(&everything{}); err != nil {
		t.Error(err)
	}
	err := spec.Verify(&wrong{})
	for _, want := range []string{
		"a has no doc", `the name "a" is used twice`, `"x y" is not a fit name`, "n: the default 5 is out of range: 0 to 1", "n: the example 7 is out of range",
		"r is required and has a default", "s: a secret has no default", "e: the default z is not one of its values", "c: the default is refused: bad", "g: q has no doc",
		`the inline field "nowhere" is not among the fields`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not found in:\n%v", want, err)
		}
	}
}

type wrong struct {
	A, X, R, E, C string
	N             int
	S             secret.String
	G             noDoc
}

type noDoc struct{ Q string }

func (n *noDoc) Fields() spec.Fields { return spec.Fields{spec.String(&n.Q, "q")} }

func (w *wrong) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&w.A, "a"),
		spec.String(&w.X, "x y").Alias("a").Doc("X."),
		spec.Int(&w.N, "n").Default(5).Example(7).Range(0, 1).Doc("N."),
		spec.String(&w.R, "r").Required().Default("x").Doc("R."),
		spec.Secret(&w.S, "s").Default(secret.New("x")).Doc("S."),
		spec.Enum(&w.E, "e", "a", "b").Default("z").Doc("E."),
		spec.String(&w.C, "c").Default("x").Check(func(string) error { return fmt.Errorf("bad") }).Doc("C."),
		spec.Object(&w.G, "g").Doc("G."),
	}
}

func (w *wrong) Inline() spec.Field { return spec.String(&w.A, "nowhere") }

func TestMarkdown(t *testing.T) {
	t.Parallel()
	got := spec.Markdown(&everything{})
	for _, want := range []string{
		"| `text` | string | `d` |  | A text \\| with a bar. Also written `txt`. Example: `hello`. |\n",
		"| `level` | string | `sha256` |  | Level. One of `sha256`, `sha1`, `sha512`. |\n",
		"| `count` | integer | `3` |  | Count. From 0 to 10. |\n",
		"| `wait` | duration | `5m` |  | Wait. From 1s to 1h. |\n",
		"| `max` | size | `10MiB` |  | Size. |\n",
		"| `keys` | secret, or a list of them |  |  | Keys. |\n",
		"| `names` | list of strings |  |  | Names. **Deprecated**: use labels. |\n",
		"| `tls` | string or object |  |  | TLS. |\n| `tls.name` | string |  | yes | Name. |\n| `tls.port` | integer | `80` |  | Port. From 1 to 65535. |\n",
		"| `rules[].name` |", "| `zones.<name>.name` |", "| `legacy` | any |  |  | Does nothing: it never did. |\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if a, b := strings.Index(got, "`free`"), strings.Index(got, "`labels`"); a > b {
		t.Error("advanced fields do not come last")
	}
}

func TestJSONSchema(t *testing.T) {
	t.Parallel()
	c := jsonschema.NewCompiler()
	if err := c.AddResource("https://hookd/x.json", strings.NewReader(string(spec.JSONSchema(&everything{})))); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("https://hookd/x.json")
	if err != nil {
		t.Fatal(err)
	}
	for in, ok := range map[string]bool{
		full: true, `{}`: true, `{"count": "{$N:5}", "on": "{$B}", "wait": "{$W}", "max": "{$M}", "home": "{$H}", "level": "{$L}", "ratio": "{$R}"}`: true,
		`{"txt": 5, "_x": [], "$schema": "s", "wait": "1m30s", "max": "10MiB", "keys": "a", "tls": "n", "names": "a"}`: true,
		`{"nope": 1}`: false, `{"level": "md5"}`: false, `{"count": 11}`: false, `{"count": "x"}`: false, `{"on": "maybe"}`: false, `{"key": ""}`: false, `{"key": 5}`: false,
		`{"tls": {}}`: false, `{"rules": [{"x": 1}]}`: false, `{"zones": {"a": {"name": "b", "port": 0}}}`: false, `{"home": "x"}`: false, `{"wait": "soon"}`: false,
	} {
		var v any
		if err := json.Unmarshal([]byte(in), &v); err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(v); (err == nil) != ok {
			t.Errorf("%s: %v", in, err)
		}
	}
}

func TestPrintAndSpans(t *testing.T) {
	t.Parallel()
	in := `{"key": "hunter2", "keys": ["{$PW}", "{$PW:hunter2}", "a{$PW}hunter2"], "text": "{$PORT:x}", "txt2": {"password": "hunter2", "id": "x"}, "free": {"token": "shown"}}`
	_, n, _ := load(t, in)
	want := `{"key":"[redacted]","keys":["{$PW}","{$PW:[redacted]}","[redacted]{$PW}[redacted]"],"text":"{$PORT:x}","txt2":{"password":"[redacted]","id":"x"},"free":{"token":"shown"}}`
	if got := strings.Join(strings.Fields(strings.ReplaceAll(string(n.Print()), "\": ", "\":")), ""); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	hidden := in
	for _, s := range n.SecretSpans() {
		hidden = hidden[:s.Start] + strings.Repeat("*", s.End-s.Start) + hidden[s.End:]
	}
	if strings.Contains(hidden, "hunter2") || !strings.Contains(hidden, `"{$PW}"`) || !strings.Contains(hidden, "shown") {
		t.Error(hidden)
	}
	yaml := "key: |\n  hunter2\n\n  hunter2\nkeys:\n  - hunter2\n  - 'hunter2'\n  - >-\n    a\n    hunter2\n  - plain\n    hunter2\ntext: shown\n"
	n, _ = spec.ParseYAML("f.yaml", []byte(yaml))
	spec.Decode(n, &everything{}, "")
	hidden = yaml
	for _, s := range n.SecretSpans() {
		hidden = hidden[:s.Start] + strings.Repeat("*", s.End-s.Start) + hidden[s.End:]
	}
	if strings.Contains(hidden, "hunter2") || !strings.Contains(hidden, "shown") || !strings.Contains(hidden, "keys:") {
		t.Error(hidden)
	}
}

func TestSecretsStayOut(t *testing.T) {
	t.Parallel()
	e, _, _ := load(t, full)
	e.Home = url.URL{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(verb, *e); strings.Contains(s, "hunter2") {
			t.Errorf("%s shows a secret: %s", verb, s)
		}
	}
}
