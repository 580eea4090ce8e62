package captures_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/server/captures"
)

func get(t *testing.T, d *captures.Dir, hook string) string {
	t.Helper()
	s, ok := d.Get(hook)
	if !ok {
		if !s.IsZero() {
			t.Error("a secret that is not there")
		}
		return ""
	}
	return s.Reveal()
}

func put(t *testing.T, d *captures.Dir, hook, s string) bool {
	t.Helper()
	fresh, err := d.Put(t.Context(), hook, secret.New(s))
	if err != nil {
		t.Fatal(err)
	}
	return fresh
}

func TestFirstSecretIsKept(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	path := filepath.Join(t.TempDir(), "a", "secrets")
	d := captures.New(path, slog.New(slog.NewTextHandler(&log, nil)))
	if got := get(t, d, "tasks"); got != "" {
		t.Fatalf("has %q", got)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the folder is made before there is something to keep")
	}
	if !put(t, d, "tasks", "first") || put(t, d, "tasks", "second") || put(t, d, "tasks", "first") {
		t.Error("not the first is kept")
	}
	if got := get(t, d, "tasks"); got != "first" {
		t.Errorf("has %q", got)
	}
	if got := get(t, captures.New(path, nil), "tasks"); got != "first" {
		t.Errorf("after a restart: %q", got)
	}
	if !put(t, d, "Tasks-2_b", "other") || get(t, d, "tasks") != "first" {
		t.Error("hooks share a secret")
	}
	if !strings.Contains(log.String(), filepath.Join(path, "tasks")) || strings.Contains(log.String(), "first") {
		t.Errorf("log: %s", &log)
	}
	entries, err := os.ReadDir(path)
	if err != nil || len(entries) != 2 {
		t.Errorf("%v %v", entries, err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", e.Name(), info.Mode(), err)
		}
	}
}

// TestFileIsTheTruth: what somebody does to the files is seen at once.
func TestFileIsTheTruth(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := captures.New(dir, nil)
	file := filepath.Join(dir, "tasks")
	put(t, d, "tasks", "first")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if got := get(t, d, "tasks"); got != "" {
		t.Errorf("has %q after the file was deleted", got)
	}
	if !put(t, d, "tasks", "later") || get(t, d, "tasks") != "later" {
		t.Error("was not armed again")
	}
	for content, want := range map[string]string{
		"by hand": "by hand", "by hand, too\r\n": "by hand, too", "": "", "\n": "", strings.Repeat("a", 4097): "", " kept ": " kept ",
	} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, time.Time{}, time.Now().Add(time.Duration(len(content))*time.Second)); err != nil {
			t.Fatal(err)
		}
		if got := get(t, d, "tasks"); got != want {
			t.Errorf("%.20q: has %q", content, got)
		}
		if put(t, d, "tasks", "evil") {
			t.Errorf("%.20q was replaced", content)
		}
	}
}

func TestNamesStayInTheFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	outside := filepath.Join(dir, "outside")
	if err := os.WriteFile(outside, []byte("not a captured one"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := captures.New(filepath.Join(dir, "secrets"), nil)
	put(t, d, "tasks", "first")
	for _, name := range []string{
		"", ".", "..", "../outside", "a/b", `..\outside`, "/etc/passwd", outside, "a\x00", ".tasks", "-a", "_a", "tasks ", "täsks", "a.b", "a:b", strings.Repeat("a", 65),
	} {
		if got := get(t, d, name); got != "" {
			t.Errorf("%q: has %q", name, got)
		}
		if fresh, err := d.Put(t.Context(), name, secret.New("evil")); fresh || err == nil {
			t.Errorf("%q was kept", name)
		}
	}
	if _, err := d.Put(t.Context(), "b", secret.String{}); err == nil {
		t.Error("kept nothing")
	}
	if _, err := d.Put(t.Context(), "b", secret.New(strings.Repeat("a", 5000))); err == nil || strings.Contains(err.Error(), "aaa") {
		t.Errorf("kept too much: %v", err)
	}
}

func TestUnreadableIsToldOnce(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	dir := t.TempDir()
	d := captures.New(dir, slog.New(slog.NewTextHandler(&log, nil)))
	if err := os.Mkdir(filepath.Join(dir, "tasks"), 0o700); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if got := get(t, d, "tasks"); got != "" {
			t.Errorf("has %q", got)
		}
	}
	if n := strings.Count(log.String(), "cannot be read"); n != 1 {
		t.Errorf("told %d times: %s", n, &log)
	}
	if put(t, d, "tasks", "evil") {
		t.Error("what cannot be read was replaced")
	}
}

// TestOneWins: of handshakes at the same time, one hands over the secret.
func TestOneWins(t *testing.T) {
	t.Parallel()
	d := captures.New(filepath.Join(t.TempDir(), "secrets"), nil)
	var won atomic.Int32
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			fresh, err := d.Put(t.Context(), "tasks", secret.New(fmt.Sprintf("secret %d", i)))
			if err != nil {
				t.Error(err)
			}
			if s, ok := d.Get("tasks"); fresh && (!ok || s.Reveal() != fmt.Sprintf("secret %d", i)) {
				t.Error("the winner's secret is another one")
			}
			if fresh {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d won", won.Load())
	}
}
