package all_test

import (
	"io"
	"path/filepath"
	"strings"
	"testing"

	authall "github.com/hookd/hookd/auth/all"
	"github.com/hookd/hookd/internal/config"
	"github.com/hookd/hookd/internal/diag"
	"github.com/hookd/hookd/modules/all"
)

// TestOriginalFilesLoad: hooks and connections as the original service had them,
// a pair of files for each module, load without an error, and each module is
// used.
func TestOriginalFilesLoad(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../testdata/original/*.webhooks.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	catalog := config.Catalog{}
	for _, m := range all.Modules(io.Discard) {
		catalog.Modules = append(catalog.Modules, config.ModuleSpec{
			Name: m.Name(), Aliases: m.Aliases(), ConnectionTypes: m.ConnectionTypes(), Options: m.Options, Connection: m.Connection,
		})
	}
	for _, m := range authall.Methods() {
		catalog.Auth = append(catalog.Auth, config.AuthSpec{Name: m.Name(), Options: m.Options})
	}
	for _, file := range files {
		module := strings.TrimSuffix(filepath.Base(file), ".webhooks.json")
		cfg, problems, _ := config.Load(t.Context(), config.Options{
			Webhooks: file, Connections: strings.TrimSuffix(file, "webhooks.json") + "connections.json", Catalog: catalog,
			Lookup: func(string) (string, bool) { return "", false },
		})
		for _, p := range problems {
			if p.Severity == diag.Error {
				t.Errorf("%+v", p)
			}
		}
		if cfg == nil {
			continue
		}
		used := 0
		for _, h := range cfg.Hooks {
			for _, d := range h.Destinations {
				if d.Module == module {
					used++
				}
			}
		}
		if used == 0 {
			t.Errorf("%s: no hook uses %s", file, module)
		}
	}
}
