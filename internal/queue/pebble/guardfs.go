package pebble

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// failure is the first thing that went wrong with a write.
type failure struct {
	op   string
	path string
	err  error
}

// full reports whether the disk had no room, which heals.
func (f *failure) full() bool {
	return vfs.IsNoSpaceError(f.err) || errors.Is(f.err, syscall.EDQUOT)
}

var errFrozen = errors.New("the store is frozen after a failed write")

// guard is the file system that Pebble sees. Until something fails it passes
// everything on. With the first write, sync, create or rename that fails it
// freezes: the disk stays as it is from then on, whatever Pebble does.
//
// Logs, manifests and folders then pretend to work, because Pebble panics or
// exits when they fail (rotateWAL, LogAndApply, commit). That is safe only
// because report is called before the failing call returns, and the commit
// loop acknowledges nothing after it. Tables wait for release and then fail,
// which Pebble takes for a slow disk: their content is in the log or in other
// tables.
//
// While the store is opened even tables pretend, for Open flushes until it
// succeeds; what comes of it is thrown away.
type guard struct {
	vfs.FS
	private bool // make files readable by their owner only
	report  func(*failure)
	opening atomic.Bool // tables pretend too
	first   atomic.Pointer[failure]
	frozen  atomic.Bool   // after first was set and reported
	release chan struct{} // closed before the store is closed
	void    *vfs.MemFS    // takes what is written to frozen files
}

func newGuard(fs vfs.FS, report func(*failure)) *guard {
	g := &guard{FS: fs, private: fs == vfs.Default, report: report, release: make(chan struct{}), void: vfs.NewMem()}
	g.opening.Store(true)
	return g
}

// fail freezes the store and reports whether the error is to be kept from
// Pebble.
func (g *guard) fail(op, path string, err error) bool {
	if !g.frozen.Load() {
		// First the report, then the freeze: whoever is fooled by a frozen file
		// must find the failure noted.
		f := &failure{op: op, path: path, err: err}
		g.first.CompareAndSwap(nil, f)
		g.report(f)
		g.frozen.Store(true)
	}
	return !isTable(path) || g.opening.Load()
}

// failure is what froze the guard, as an error; nil when nothing did.
func (g *guard) failure() error {
	if f := g.first.Load(); f != nil {
		return fmt.Errorf("%s %s: %w", f.op, f.path, f.err)
	}
	return nil
}

func isTable(path string) bool {
	return strings.HasSuffix(path, ".sst") || strings.HasSuffix(path, ".blob")
}

// idle is what a frozen store does instead of an operation on path.
func (g *guard) idle(path string) error {
	if !isTable(path) || g.opening.Load() {
		return nil
	}
	<-g.release
	return errFrozen
}

func (g *guard) voidFile(name string) (vfs.File, error) {
	f, err := g.void.Create("void", vfs.WriteCategoryUnspecified)
	return &guardFile{File: f, g: g, path: name}, err
}

// open wraps a file that was opened for writing.
func (g *guard) open(op, name string, do func() (vfs.File, error)) (vfs.File, error) {
	if g.frozen.Load() {
		if err := g.idle(name); err != nil {
			return nil, err
		}
		return g.voidFile(name)
	}
	f, err := do()
	if err == nil && g.private {
		if err = os.Chmod(name, 0o600); err != nil {
			err = errors.Join(err, f.Close())
		}
	}
	if err != nil {
		if g.fail(op, name, err) {
			return g.voidFile(name)
		}
		return nil, err
	}
	return &guardFile{File: f, g: g, path: name}, nil
}

func (g *guard) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return g.open("create", name, func() (vfs.File, error) { return g.FS.Create(name, c) })
}

func (g *guard) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	return g.open("open", name, func() (vfs.File, error) { return g.FS.OpenReadWrite(name, c, o...) })
}

func (g *guard) ReuseForWrite(from, name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return g.open("rename", name, func() (vfs.File, error) { return g.FS.ReuseForWrite(from, name, c) })
}

// OpenDir opens a folder, to sync it.
func (g *guard) OpenDir(name string) (vfs.File, error) {
	if g.frozen.Load() {
		return g.voidFile(name)
	}
	f, err := g.FS.OpenDir(name)
	if err != nil {
		if g.fail("open", name, err) {
			return g.voidFile(name)
		}
		return nil, err
	}
	return &guardFile{File: f, g: g, path: name}, nil
}

// change is an operation on names.
func (g *guard) change(op, name string, do func() error) error {
	if g.frozen.Load() {
		return g.idle(name)
	}
	err := do()
	if err != nil && g.fail(op, name, err) {
		return nil
	}
	return err
}

func (g *guard) Link(from, to string) error {
	return g.change("link", to, func() error { return g.FS.Link(from, to) })
}

func (g *guard) Rename(from, to string) error {
	return g.change("rename", to, func() error { return g.FS.Rename(from, to) })
}

func (g *guard) MkdirAll(dir string, perm os.FileMode) error {
	return g.change("mkdir", dir, func() error { return g.FS.MkdirAll(dir, perm&0o700) })
}

// Remove of a frozen store removes nothing: what Pebble has no more use for
// may be all that the next Open has. That a removal fails is no harm.
//
// A marker that is removed has a successor in the folder whose name may not be
// on the disk yet. Losing both would make the store look empty, so the folder
// is synced before.
func (g *guard) Remove(name string) error {
	if strings.HasPrefix(g.PathBase(name), "marker.") {
		if err := g.syncDir(g.PathDir(name)); err != nil {
			return err
		}
	}
	if g.frozen.Load() {
		return nil
	}
	return g.FS.Remove(name)
}

func (g *guard) syncDir(name string) error {
	d, err := g.OpenDir(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (g *guard) RemoveAll(name string) error {
	if g.frozen.Load() {
		return nil
	}
	return g.FS.RemoveAll(name)
}

func (g *guard) Lock(name string) (io.Closer, error) { return g.FS.Lock(name) }
func (g *guard) Unwrap() vfs.FS                      { return g.FS }
