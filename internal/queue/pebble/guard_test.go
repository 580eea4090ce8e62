package pebble

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// The failure is noted before any file pretends to work: otherwise a Put whose
// fsync was swallowed could be acknowledged.
func TestGuardReportsBeforeItFreezes(t *testing.T) {
	t.Parallel()
	failing := false
	fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if failing && op.Kind == errorfs.OpFileSync {
			return syscall.EIO
		}
		return nil
	}))
	var g *guard
	reports := 0
	g = newGuard(fs, func(f *failure) {
		reports++
		if g.frozen.Load() {
			t.Error("frozen before the failure was reported")
		}
		if f.op != "sync" || f.path != "000001.log" || !errors.Is(f.err, syscall.EIO) || f.full() {
			t.Errorf("reported %+v", f)
		}
	})
	g.opening.Store(false)
	create := func(name string) vfs.File {
		t.Helper()
		f, err := g.Create(name, vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	log, table := create("000001.log"), create("000002.sst")
	if _, err := log.Write([]byte("kept")); err != nil {
		t.Fatal(err)
	}
	failing = true
	for range 2 {
		if err := log.Sync(); err != nil {
			t.Fatalf("the engine hears of a failed log: %v", err)
		}
	}
	failing = false
	if reports != 1 {
		t.Fatalf("%d reports", reports)
	}
	if n, err := log.Write([]byte("void")); n != 4 || err != nil {
		t.Fatalf("Write to a frozen log: %d, %v", n, err)
	}
	if err := g.Remove("000001.log"); err != nil {
		t.Fatal(err)
	}
	late := create("000003.log")
	if err := errors.Join(late.Close(), log.Close()); err != nil {
		t.Fatal(err)
	}
	close(g.release)
	if _, err := table.Write([]byte("x")); !errors.Is(err, errFrozen) {
		t.Fatalf("Write to a frozen table: %v", err)
	}
	if err := table.Sync(); !errors.Is(err, errFrozen) {
		t.Fatalf("Sync of a frozen table: %v", err)
	}
	names, err := fs.List("")
	if err != nil || strings.Join(names, " ") != "000001.log 000002.sst" && strings.Join(names, " ") != "000002.sst 000001.log" {
		t.Fatalf("the disk has %v, %v", names, err)
	}
	f, err := fs.Open("000001.log")
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 16)
	if n, _ := f.Read(b); string(b[:n]) != "kept" {
		t.Fatalf("the log has %q", b[:n])
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if !(&failure{err: &os.PathError{Err: syscall.ENOSPC}}).full() || !(&failure{err: syscall.EDQUOT}).full() {
		t.Error("no space is not full")
	}
}
