package all_test

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/modules/all"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Every folder beside this one that holds a module is in the list, under its
// own name.
func TestTheListIsTheFolders(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	var folders []string
	for _, e := range entries {
		sources, err := filepath.Glob(filepath.Join("..", e.Name(), "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		if e.IsDir() && len(sources) > 0 && e.Name() != "all" && e.Name() != "moduletest" {
			folders = append(folders, e.Name())
		}
	}
	var names []string
	for _, m := range all.Modules(io.Discard) {
		names = append(names, m.Name())
	}
	slices.Sort(names)
	if !slices.Equal(folders, names) {
		t.Errorf("folders %v, list %v", folders, names)
	}
}

func TestRegistry(t *testing.T) {
	t.Parallel()
	r, err := all.Registry(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"log", "save_to_disk", "http_webhook"} {
		if m, ok := r.Lookup(name); !ok || m.Name() != name {
			t.Errorf("%s: %v", name, ok)
		}
	}
	if _, ok := r.Lookup("LOG"); ok {
		t.Error("names are matched without regard to case")
	}
	n := 0
	for range r.All() {
		n++
	}
	if n != len(all.Modules(io.Discard)) {
		t.Errorf("%d modules", n)
	}
}
