package savetodisk_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/hookd/hookd/modules"
	savetodisk "github.com/hookd/hookd/modules/save_to_disk"
)

// A full disk is to be retried, leaves nothing behind, and heals by itself.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	if err := syscall.Mount("tmpfs", base, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("needs the right to mount: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(base, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	dest := must(t, &savetodisk.Options{BaseDir: base})
	big, small := delivery("push", "", bytes.Repeat([]byte("a"), 1<<20)), delivery("push", "", []byte("x"))
	_, err := dest.Send(t.Context(), big)
	if f := modules.FailureOf(err); err == nil || f.Kind != modules.Retryable || f.Code != modules.CodeDiskFull {
		t.Errorf("%s %s %v", f.Kind, f.Code, err)
	}
	if got := tree(t, base); len(got) != 0 {
		t.Errorf("%d files are left", len(got))
	}
	if _, err := dest.Send(t.Context(), small); err != nil {
		t.Errorf("after space came back: %v", err)
	}
}

// A read-only mount fails the check and the delivery, and neither for good.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	if err := syscall.Mount("tmpfs", base, "tmpfs", syscall.MS_RDONLY, "size=64k"); err != nil {
		t.Skipf("needs the right to mount: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(base, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	dest := must(t, &savetodisk.Options{BaseDir: base, Path: "a/b"})
	_, sent := dest.Send(t.Context(), delivery("push", "", []byte("x")))
	checked := dest.(modules.Checker).Check(t.Context())
	for what, err := range map[string]error{"Send": sent, "Check": checked} {
		if f := modules.FailureOf(err); err == nil || f.Kind != modules.Retryable || f.Code != modules.CodeAuthFailed || !errors.Is(err, syscall.EROFS) {
			t.Errorf("%s: %s %v", what, f.Code, err)
		}
	}
}

// The check leaves nothing, and makes no folder.
func TestCheckLeavesNothing(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	for _, o := range []savetodisk.Options{{BaseDir: base, Path: "not/yet"}, {BaseDir: filepath.Join(base, "none"), Path: "x"}, {BaseDir: base}} {
		if err := must(t, &o).(modules.Checker).Check(t.Context()); err != nil {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if entries, err := os.ReadDir(base); err != nil || len(entries) != 0 {
		t.Errorf("%v, %v", entries, err)
	}
}
