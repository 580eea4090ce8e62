package testinfra

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

func TestHave(t *testing.T) {
	t.Setenv("HOOKD_TEST_INSTALL", "")
	dir := t.TempDir()
	for _, name := range []string{"server-1", "server-2"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		needs []string
		found bool
	}{
		{[]string{"go"}, true},
		{[]string{filepath.Join(dir, "server-*")}, true},
		{[]string{"go", "no-such-program-of-hookd"}, false},
		{[]string{filepath.Join(dir, "other-*")}, false},
	} {
		if err := have(c.needs, []string{"no-such-package"}); (err == nil) != c.found || err != nil && !errors.Is(err, errMissing) {
			t.Errorf("%v: %v", c.needs, err)
		}
	}
}

func TestRequired(t *testing.T) {
	for v, want := range map[string]bool{"": false, "all": true, "redis": false, "redis,rabbitmq": true} {
		t.Setenv("HOOKD_TEST_REQUIRE", v)
		if required("rabbitmq") != want {
			t.Errorf("%q: %v", v, !want)
		}
	}
}

// recorder is a test that ends in one way or the other.
type recorder struct {
	testing.TB
	failed, skipped bool
}

func (r *recorder) Helper()               {}
func (r *recorder) Fatalf(string, ...any) { r.failed = true; panic(r) }
func (r *recorder) Skipf(string, ...any)  { r.skipped = true; panic(r) }

// What is missing skips, unless it is required; what is broken never does.
func TestAbsent(t *testing.T) {
	for _, c := range []struct {
		require string
		err     error
		skips   bool
	}{
		{"", errMissing, true},
		{"all", errMissing, false},
		{"", errors.New("it does not start"), false},
	} {
		t.Setenv("HOOKD_TEST_REQUIRE", c.require)
		r := &recorder{TB: t}
		func() {
			defer func() { _ = recover() }()
			absent(r, "rabbitmq", c.err)
		}()
		if r.skipped != c.skips || r.failed == c.skips {
			t.Errorf("%+v: skipped %v, failed %v", c, r.skipped, r.failed)
		}
	}
}

// What a test binary that crashed left behind is removed by the next.
func TestSweep(t *testing.T) {
	gone := exec.Command("go", "version")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", t.TempDir())
	left := filepath.Join(os.TempDir(), prefix+strconv.Itoa(gone.Process.Pid)+"-1")
	other := filepath.Join(os.TempDir(), prefix+strconv.Itoa(os.Getppid())+"-1")
	for _, dir := range []string{left, other} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	dir, err := makeBase()
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{left: false, other: true, dir: true} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s: %v", path, err)
		}
	}
}
