package examples_test

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"gopkg.in/yaml.v3"

	"github.com/hookd/hookd/auth"
	authall "github.com/hookd/hookd/auth/all"
	"github.com/hookd/hookd/auth/presets"
	"github.com/hookd/hookd/internal/config"
	modulesall "github.com/hookd/hookd/modules/all"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func catalog() config.Catalog {
	var c config.Catalog
	for _, m := range modulesall.Modules(io.Discard) {
		c.Modules = append(c.Modules, config.ModuleSpec{Name: m.Name(), Aliases: m.Aliases(), ConnectionTypes: m.ConnectionTypes(), Options: m.Options, Connection: m.Connection})
	}
	for _, m := range authall.Methods() {
		c.Auth = append(c.Auth, config.AuthSpec{Name: m.Name(), Options: m.Options})
	}
	for _, p := range presets.All() {
		c.Providers = append(c.Providers, p.Name)
		if p.Unsigned {
			c.Unsigned = append(c.Unsigned, p.Name)
		}
	}
	return c
}

func folders(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*/webhooks.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	var out []string
	for _, f := range files {
		out = append(out, filepath.Dir(f))
	}
	return out
}

func load(t *testing.T, dir string) *config.Config {
	t.Helper()
	connections := filepath.Join(dir, "connections.json")
	if _, err := os.Stat(connections); err != nil {
		connections = ""
	}
	cfg, problems, _ := config.Load(t.Context(), config.Options{
		Webhooks: filepath.Join(dir, "webhooks.json"), Connections: connections, Catalog: catalog(),
		Lookup: func(string) (string, bool) { return "", false },
	})
	for _, p := range problems {
		t.Errorf("%s: %s: %s: %s (%s)", p.Severity, p.Pos, p.Path, p.Message, p.Hint)
	}
	if cfg == nil {
		t.FailNow()
	}
	return cfg
}

// Every example loads without a single remark, with no variable set, and every
// proof in it can be made.
func TestExamplesLoad(t *testing.T) {
	t.Parallel()
	for _, dir := range folders(t) {
		t.Run(dir, func(t *testing.T) {
			t.Parallel()
			reg, err := authall.Registry()
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range load(t, dir).Hooks {
				if h.Description == "" {
					t.Errorf("hook %s says not what it is for", h.ID)
				}
				if h.Provider != "" {
					p, _ := presets.Lookup(h.Provider)
					if _, err := p.New(auth.Env{}, presets.Options{Secrets: h.Secrets}); err != nil {
						t.Errorf("hook %s: %v", h.ID, err)
					}
				}
				for _, proof := range h.Proofs {
					m, _ := reg.Lookup(proof.Method)
					if _, err := m.New(auth.Env{}, proof.Options); err != nil {
						t.Errorf("hook %s: %s: %v", h.ID, proof.Method, err)
					}
				}
			}
			for _, name := range []string{"README.md", "hookd.yaml"} {
				if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
					t.Error(err)
				}
			}
			b, err := os.ReadFile(filepath.Join(dir, "hookd.yaml"))
			var settings map[string]any
			if err != nil || yaml.Unmarshal(b, &settings) != nil || settings["webhooks"] != "webhooks.json" {
				t.Errorf("hookd.yaml: %v, %v", settings, err)
			}
		})
	}
}

// The quickstart is what the documentation and the tests of the whole binary
// speak of.
func TestQuickstart(t *testing.T) {
	t.Parallel()
	cfg := load(t, "quickstart")
	if len(cfg.Hooks) != 1 || cfg.Hooks[0].ID != "github" || cfg.Hooks[0].Provider != "github" || cfg.Hooks[0].Execution != config.Parallel {
		t.Fatalf("hooks: %+v", cfg.Hooks)
	}
	var modules []string
	for _, d := range cfg.Hooks[0].Destinations {
		modules = append(modules, d.Module)
	}
	if want := []string{"log", "save_to_disk", "http_webhook"}; !slices.Equal(modules, want) {
		t.Errorf("destinations %v, want %v", modules, want)
	}
}

// A method that has no example is one that nobody finds.
func TestEveryMethodHasAnExample(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, h := range load(t, "auth-methods").Hooks {
		for _, p := range h.Proofs {
			seen[p.Method] = true
		}
	}
	for _, m := range authall.Methods() {
		if !seen[m.Name()] {
			t.Errorf("auth-methods shows no %s", m.Name())
		}
	}
}

func TestIndexNamesEveryExample(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range folders(t) {
		if !strings.Contains(string(b), "("+dir+")") {
			t.Errorf("README.md does not name %s", dir)
		}
	}
}
