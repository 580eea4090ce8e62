package testinfra

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// aptPatience bounds an installation, waiting for another one included.
const aptPatience = 10 * time.Minute

// have finds what a server needs: files by their absolute path, where a pattern
// stands for the first that matches, and programs by their name. It installs
// the packages when one is missing and that is allowed.
func have(needs, packages []string) error {
	err := find(needs)
	if err == nil || os.Getenv("HOOKD_TEST_INSTALL") != "1" || len(packages) == 0 {
		return err
	}
	if err := install(packages); err != nil {
		return fmt.Errorf("install %s: %w", strings.Join(packages, " "), err)
	}
	return find(needs)
}

func find(needs []string) error {
	for _, n := range needs {
		if !filepath.IsAbs(n) {
			if _, err := exec.LookPath(n); err != nil {
				return fmt.Errorf("%w: %s", errMissing, n)
			}
			continue
		}
		if all, err := filepath.Glob(n); err != nil || len(all) == 0 {
			return fmt.Errorf("%w: %s", errMissing, n)
		}
	}
	return nil
}

var installing sync.Mutex

// refreshed is apt-get update, once.
var refreshed = sync.OnceValue(func() error { return apt("update") })

func install(packages []string) error {
	installing.Lock()
	defer installing.Unlock()
	if _, err := exec.LookPath("apt-get"); err != nil || os.Getuid() != 0 {
		return fmt.Errorf("%w: needs apt-get and root", errMissing)
	}
	if err := refreshed(); err != nil {
		return err
	}
	undo, err := keepStopped()
	if err != nil {
		return err
	}
	return errors.Join(apt(append([]string{"install", "-y", "--no-install-recommends"}, packages...)...), undo())
}

func apt(args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), aptPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "apt-get", append([]string{"-q", "-o", "DPkg::Lock::Timeout=600"}, args...)...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("apt-get %s: %w\n%s", args[0], err, out[max(0, len(out)-2000):])
	}
	return nil
}

// keepStopped forbids packages to start their services, as Debian describes it
// for /usr/sbin/policy-rc.d. One that is there already is left alone.
func keepStopped() (undo func() error, err error) {
	const policy = "/usr/sbin/policy-rc.d"
	f, err := os.OpenFile(policy, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return func() error { return nil }, nil
	}
	if err != nil {
		return nil, err
	}
	_, err = f.WriteString("#!/bin/sh\nexit 101\n")
	return func() error { return os.Remove(policy) }, errors.Join(err, f.Close())
}

// Program finds a program that a test runs, in the Debian package pkg, and
// returns its path. Without it the test is skipped, as without a server.
func Program(t testing.TB, name, pkg string) string {
	t.Helper()
	if err := have([]string{name}, []string{pkg}); err != nil {
		absent(t, name, err)
	}
	file, err := exec.LookPath(name)
	if err != nil {
		t.Fatal(err)
	}
	return file
}
