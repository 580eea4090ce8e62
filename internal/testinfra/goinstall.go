package testinfra

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
)

// goProgram is a server that is built from its Go module:
// "github.com/versity/versitygw/cmd/versitygw" at "v1.8.0". It is kept in the
// user's cache, and built where that is allowed.
func goProgram(pkg, version string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	name := path.Base(pkg)
	file := filepath.Join(cache, "hookd-test", name+"-"+version, name)
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		return file, err
	}
	if os.Getenv("HOOKD_TEST_INSTALL") != "1" {
		return "", fmt.Errorf("%w: %s", errMissing, file)
	}
	if err := have([]string{"go"}, nil); err != nil {
		return "", err
	}
	installing.Lock()
	defer installing.Unlock()
	return file, buildProgram(file, pkg+"@"+version)
}

// buildProgram builds under another name and renames, so that the file is whole
// or not there.
func buildProgram(file, pkg string) error {
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(dir, "build-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	ctx, cancel := context.WithTimeout(context.Background(), aptPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "install", "-trimpath", pkg)
	cmd.Dir = work // no module of ours
	cmd.Env = append(os.Environ(), "GOBIN="+work, "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go install %s: %w\n%s", pkg, err, out[max(0, len(out)-2000):])
	}
	return os.Rename(filepath.Join(work, filepath.Base(file)), file)
}
