package cmd

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/hookd/hookd/internal/spec"
)

// TestGeneratedFilesAreCurrent compares what is checked in with what would be
// written, twice, so that the order of nothing is left to chance.
func TestGeneratedFilesAreCurrent(t *testing.T) {
	t.Parallel()
	for range 2 {
		a, _, _ := newTestApp("")
		files, err := generated(newRootCmd(a))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			got, err := os.ReadFile(filepath.Join("..", f.name))
			if err != nil {
				t.Errorf("%v: run make generate", err)
				continue
			}
			if !bytes.Equal(got, f.text) {
				t.Errorf("%s is not current: run make generate", f.name)
			}
		}
	}
}

func TestSettingsAreDescribed(t *testing.T) {
	t.Parallel()
	if err := spec.Verify(&Settings{}); err != nil {
		t.Error(err)
	}
	keys := settingKeys()
	for _, v := range originalVariables {
		if _, ok := keys[v.key]; !ok {
			t.Errorf("%s is for %s, which is no setting", v.name, v.key)
		}
	}
	for key := range serveFlags {
		if _, ok := keys[key]; !ok {
			t.Errorf("a flag of serve is for %s, which is no setting", key)
		}
	}
}
