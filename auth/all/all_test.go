package all_test

import (
	"maps"
	"os"
	"path"
	"slices"
	"testing"

	"github.com/hookd/hookd/auth/all"
)

// folders are those of auth that hold no method.
var folders = []string{"all", "authtest", "internal", "presets"}

// names are the keys of the original service and of specifications that differ from their folder.
var names = map[string]string{
	"basic": "basic_auth", "header": "header_auth", "query": "query_auth", "ip": "ip_whitelist", "digest": "digest_auth",
	"standardwebhooks": "standard_webhooks",
}

// TestListIsComplete compares the list with the folders.
func TestListIsComplete(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for _, e := range entries {
		if !e.IsDir() || slices.Contains(folders, e.Name()) {
			continue
		}
		name := e.Name()
		if n, ok := names[name]; ok {
			name = n
		}
		want[name] = true
	}
	got := map[string]bool{}
	for _, m := range all.Methods() {
		got[m.Name()] = true
	}
	if !maps.Equal(got, want) {
		t.Errorf("methods %v, folders %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}

func TestRegistry(t *testing.T) {
	t.Parallel()
	r, err := all.Registry()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for m := range r.All() {
		if found, ok := r.Lookup(m.Name()); !ok || found.Name() != m.Name() {
			t.Errorf("%s is not found", m.Name())
		}
		if m.Options() == m.Options() {
			t.Errorf("%s hands out one options value twice", m.Name())
		}
		n++
	}
	if n != len(all.Methods()) {
		t.Errorf("%d of %d", n, len(all.Methods()))
	}
	if _, ok := r.Lookup(path.Join("no", "such")); ok {
		t.Error("found what is not there")
	}
}
