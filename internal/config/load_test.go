package config_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/hookd/hookd/internal/config"
	"github.com/hookd/hookd/internal/diag"
	"github.com/hookd/hookd/internal/secret"
)

// tree writes files below a fresh folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func messages(l diag.List) string {
	var out []string
	for _, p := range l {
		out = append(out, filepath.Base(p.Pos.File)+" "+p.Message)
	}
	return strings.Join(out, "\n")
}

func TestFolder(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{
		"b.json": `{"b": {"module": "log"}}`, "a.yaml": "a: {module: log}\n", "c.yml": "c: {module: kafka, connection: k, module-config: {topic: t}}\n",
		"connections.json": `{"k": {"type": "kafka"}}`, "notes.txt": "no", "..data/x.json": "{", "sub/x.json": "{", ".hidden.json": "{",
	})
	o := config.Options{Webhooks: dir, Connections: filepath.Join(dir, "connections.json"), Catalog: catalog()}
	cfg, problems, sources := config.Load(context.Background(), o)
	if len(problems) > 0 {
		t.Fatal(messages(problems))
	}
	var ids []string
	for _, h := range cfg.Hooks {
		ids = append(ids, h.ID)
	}
	if !slices.Equal(ids, []string{"a", "b", "c"}) || len(cfg.Connections) != 1 || len(sources.Files()) != 4 {
		t.Errorf("%v %v %v", ids, cfg.Connections, sources.Files())
	}
	if err := os.WriteFile(filepath.Join(dir, "d.json"), []byte("{\n \"a\": {\"module\": \"log\"},\n \"e\": {\"modul\": \"log\"}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, problems, _ = config.Load(context.Background(), o)
	if len(problems) != 2 || problems[0].Pos.Line != 2 || problems[0].Code != "duplicate_key" || problems[1].Pos.Line != 3 {
		t.Error(messages(problems))
	}
}

func TestMissingFiles(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"empty/x.txt": "", "w.json": `{"a": {"module": "log"}}`})
	load := func(w, c string) (*config.Config, diag.List) {
		cfg, problems, _ := config.Load(context.Background(), config.Options{Webhooks: w, Connections: c, Catalog: catalog()})
		return cfg, problems
	}
	missing := filepath.Join(dir, "webhooks.json")
	if _, p := load(missing, ""); len(p) != 1 || p[0].Pos.File != missing || !strings.Contains(p[0].Hint, "hookd serve --dev") {
		t.Errorf("%v", p)
	}
	if _, p := load("", ""); !p.HasErrors() {
		t.Error("no name is no error")
	}
	if _, p := load(filepath.Join(dir, "empty"), ""); len(p) != 1 || !strings.Contains(p[0].Message, "holds no .json") {
		t.Errorf("%v", p)
	}
	if cfg, p := load(filepath.Join(dir, "w.json"), filepath.Join(dir, "nope.json")); len(p) != 0 || len(cfg.Hooks) != 1 {
		t.Errorf("connections.json need not be there: %v", p)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if cfg, p, _ := config.Load(ctx, config.Options{Webhooks: filepath.Join(dir, "w.json"), Catalog: catalog()}); cfg != nil || !p.HasErrors() {
		t.Error("a cancelled load is no error")
	}
}

func TestSourcesHideSecrets(t *testing.T) {
	t.Parallel()
	text := "\ufeff" + `{"a": {"module": "log", "hmac": {"secret": "hunter2"}, "authorization": "Bearer {$TOKEN}", "ip_whitelist": ["::1"]}}`
	_, problems, sources := config.Load(context.Background(), config.Options{
		Webhooks: "w.json", Catalog: catalog(), Overlay: map[string][]byte{"w.json": []byte(text)},
		Lookup: func(string) (string, bool) { return "tok-value", true },
	})
	if len(problems) > 0 {
		t.Fatal(messages(problems))
	}
	printed := string(sources.Print("w.json"))
	if strings.Contains(printed, "hunter2") || strings.Contains(printed, "tok-value") || !strings.Contains(printed, secret.Redacted+"{$TOKEN}") {
		t.Error(printed)
	}
	got := sources.Secrets()
	if len(got) != 2 || got[0].Path != "a.hmac.secret" || !got[0].Literal || got[1].Path != "a.authorization" || got[1].Literal {
		t.Errorf("%+v", got)
	}
	if sources.Print("none") != nil || sources.Bytes("none") != nil || sources.Tree("none") != nil {
		t.Error("a file that was not read has content")
	}
}

func TestConnectionIsReadByEachModule(t *testing.T) {
	t.Parallel()
	cfg, problems, _ := config.Load(context.Background(), config.Options{
		Webhooks: "w.json", Connections: "c.json", Catalog: catalog(), Overlay: map[string][]byte{
			"w.json": []byte(`{"a": {"chain": [{"module": "redis_rq", "connection": "r", "module-config": {"function": "f"}}, {"module": "redis_publish", "connection": "r"}]}}`),
			"c.json": []byte(`{"r": {"type": "redis", "host": "h", "port": 1}}`),
		},
	})
	if len(problems) > 0 {
		t.Fatal(messages(problems))
	}
	if c := cfg.Connection("r", "redis_rq"); c == nil || c.Options.(*hostConn).Port != 1 {
		t.Errorf("%+v", c)
	}
	if c := cfg.Connection("r", "redis_publish"); c == nil || c.Options.(*redisConn).Port != 1 {
		t.Errorf("%+v", c)
	}
	if cfg.Connection("r", "kafka") != nil || cfg.Connection("", "") != nil {
		t.Error("finds what is not there")
	}
}

// The schemas accept every golden file that the loader accepts.
func TestSchemas(t *testing.T) {
	t.Parallel()
	compiled := map[string]*jsonschema.Schema{}
	for _, kind := range []string{"webhooks", "connections"} {
		b, err := config.Schema(catalog(), kind)
		if err != nil {
			t.Fatal(err)
		}
		c := jsonschema.NewCompiler()
		if err := c.AddResource("https://hookd/"+kind, strings.NewReader(string(b))); err != nil {
			t.Fatal(err)
		}
		if compiled[kind], err = c.Compile("https://hookd/" + kind); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := config.Schema(catalog(), "x"); err == nil {
		t.Error("there is no schema x")
	}
	checked := 0
	for _, name := range []string{"original", "new-keys", "seven-mistakes"} {
		a, err := readArchive("testdata/" + name + ".txtar")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.files {
			s := compiled[strings.TrimSuffix(f.name, ".json")]
			if s == nil {
				continue
			}
			var v any
			dec := json.NewDecoder(strings.NewReader(string(f.data)))
			dec.UseNumber()
			if err := dec.Decode(&v); err != nil {
				t.Fatal(err)
			}
			checked++
			err := s.Validate(v)
			if bad := name == "seven-mistakes" && f.name == "webhooks.json"; bad != (err != nil) {
				t.Errorf("%s %s: %#v", name, f.name, err)
			}
		}
	}
	if checked != 5 {
		t.Errorf("%d files were checked", checked)
	}
}

func FuzzLoad(f *testing.F) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range archives {
		a, err := readArchive(name)
		if err != nil {
			f.Fatal(err)
		}
		files := map[string][]byte{}
		for _, x := range a.files {
			files[strings.SplitN(x.name, ".", 2)[0]] = x.data
		}
		f.Add(files["webhooks"], files["connections"], strings.Contains(name, "yaml"))
	}
	f.Fuzz(func(t *testing.T, webhooks, connections []byte, yaml bool) {
		o := config.Options{Webhooks: "w.json", Connections: "c.json", Catalog: catalog()}
		if yaml {
			o.Webhooks, o.Connections = "w.yaml", "c.yaml"
		}
		o.Overlay = map[string][]byte{o.Webhooks: webhooks, o.Connections: connections}
		o.Lookup = func(name string) (string, bool) { return "v", len(name)%2 == 0 }
		o.ReadFile = func(string) ([]byte, error) { return nil, os.ErrNotExist }
		cfg, problems, sources := config.Load(context.Background(), o)
		if (cfg == nil) != problems.HasErrors() {
			t.Errorf("a configuration and errors, or neither: %v", problems)
		}
		if cfg != nil {
			for _, h := range cfg.Hooks {
				if len(h.Destinations) == 0 {
					t.Errorf("the hook %s has no destination", h.ID)
				}
				for _, d := range h.Destinations {
					if d.Connection != "" && cfg.Connection(d.Connection, d.Module) == nil {
						t.Errorf("%s has no connection %s", d.Path, d.Connection)
					}
				}
			}
		}
		var b strings.Builder
		if err := diag.Render(&b, sources.Bytes, problems, diag.RenderOptions{Masks: sources.Masks}); err != nil {
			t.Fatal(err)
		}
		sources.Print(o.Webhooks)
		sources.Secrets()
	})
}
