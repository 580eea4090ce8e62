package configlint_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"go.uber.org/goleak"

	authall "github.com/hookd/hookd/auth/all"
	"github.com/hookd/hookd/auth/presets"
	"github.com/hookd/hookd/configlint"
	"github.com/hookd/hookd/internal/config"
	"github.com/hookd/hookd/internal/diag"
	"github.com/hookd/hookd/internal/netguard"
	modulesall "github.com/hookd/hookd/modules/all"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func catalog() config.Catalog {
	var c config.Catalog
	for _, m := range modulesall.Modules(io.Discard) {
		c.Modules = append(c.Modules, config.ModuleSpec{
			Name: m.Name(), Aliases: m.Aliases(), ConnectionTypes: m.ConnectionTypes(), Options: m.Options, Connection: m.Connection,
		})
	}
	// A module with a connection, whatever the registry has.
	c.Modules = append(c.Modules, config.ModuleSpec{
		Name: "broker", ConnectionTypes: []string{"broker"}, Options: newNothing, Connection: newNothing,
	})
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

// TestRules runs every file of testdata/lint: the name of a file begins with
// the code of a rule, and the part "want" has what that rule finds.
func TestRules(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../testdata/lint/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	tested := make(map[string]bool)
	for _, file := range files {
		code := strings.TrimSuffix(filepath.Base(file), ".txtar")
		tested[code] = true
		t.Run(code, func(t *testing.T) { t.Parallel(); testRule(t, file, code) })
	}
	for _, r := range configlint.Rules() {
		if !tested[r.Code] {
			t.Errorf("rule %s has no testdata/lint/%s.txtar", r.Code, r.Code)
		}
	}
}

func testRule(t *testing.T, file, code string) {
	if _, ok := configlint.Lookup(code); !ok {
		t.Fatalf("there is no rule %s", code)
	}
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	overlay, want := make(map[string][]byte), ""
	for _, f := range archive.Files {
		if f.Name == "want" {
			want = string(f.Data)
			continue
		}
		overlay[f.Name] = f.Data
	}
	if _, ok := overlay["connections.json"]; !ok {
		overlay["connections.json"] = []byte("{}")
	}
	variables := map[string]string{"SHORT": "0123456789", "LONG": "0123456789abcdef0123456789abcdef", "OTHER": "fedcba9876543210fedcba9876543210"}
	cfg, problems, sources := config.Load(t.Context(), config.Options{
		Webhooks: "webhooks.json", Connections: "connections.json", Catalog: catalog(), Overlay: overlay,
		Lookup: func(name string) (string, bool) { v, ok := variables[name]; return v, ok },
	})
	if cfg == nil {
		t.Fatalf("the case is no valid configuration: %v", problems)
	}
	guard, err := netguard.New(netguard.Policy{Allow: []string{"10.9.0.0/16"}})
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, p := range configlint.Check(cfg, sources, configlint.Options{Egress: guard}) {
		if p.Severity == diag.Error {
			t.Errorf("%s: lint never refuses: %s", p.Pos, p.Message)
		}
		if p.Code == code {
			fmt.Fprintf(&got, "%s: %s: %s: %s\n", p.Pos, p.Severity, p.Path, p.Message)
		}
		for name, secret := range variables {
			if strings.Contains(p.Message+p.Hint+p.Path, secret) {
				t.Errorf("%s: the message holds the value of %s", p.Code, name)
			}
		}
	}
	if got.String() == want {
		return
	}
	if os.Getenv("UPDATE_LINT") != "" {
		update(t, file, archive, got.String())
		return
	}
	t.Errorf("%s:\ngot:\n%swant:\n%s", file, got.String(), want)
}

func update(t *testing.T, file string, a *txtar.Archive, want string) {
	t.Helper()
	for i := range a.Files {
		if a.Files[i].Name == "want" {
			a.Files[i].Data = []byte(want)
		}
	}
	if err := os.WriteFile(file, txtar.Format(a), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRulesAreDescribed(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for _, r := range configlint.Rules() {
		if seen[r.Code] {
			t.Errorf("two rules are called %s", r.Code)
		}
		seen[r.Code] = true
		if r.Title == "" || r.Why == "" || r.Fix == "" {
			t.Errorf("%s lacks a title, a reason or what to do", r.Code)
		}
		if strings.HasSuffix(r.Fix, ".") || !strings.HasSuffix(r.Why, ".") {
			t.Errorf("%s: Why is sentences, Fix is a hint without a full stop", r.Code)
		}
	}
	if _, ok := configlint.Lookup("nothing"); ok {
		t.Error("found a rule that is not there")
	}
}
