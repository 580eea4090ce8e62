package pebble

import "github.com/cockroachdb/pebble/v2/vfs"

// guardFile is a file of a guard that may be written.
type guardFile struct {
	vfs.File
	g    *guard
	path string
}

func (f *guardFile) do(op string, do func() error) error {
	return f.g.change(op, f.path, do)
}

func (f *guardFile) Write(p []byte) (n int, err error) {
	err = f.do("write", func() error {
		n, err = f.File.Write(p)
		return err
	})
	if err == nil {
		n = len(p)
	}
	return n, err
}

func (f *guardFile) WriteAt(p []byte, off int64) (n int, err error) {
	err = f.do("write", func() error {
		n, err = f.File.WriteAt(p, off)
		return err
	})
	if err == nil {
		n = len(p)
	}
	return n, err
}

func (f *guardFile) Sync() error     { return f.do("sync", f.File.Sync) }
func (f *guardFile) SyncData() error { return f.do("sync", f.File.SyncData) }

func (f *guardFile) SyncTo(length int64) (full bool, err error) {
	err = f.do("sync", func() error {
		full, err = f.File.SyncTo(length)
		return err
	})
	return full, err
}

// Preallocate is a hint; that it fails says nothing of the writes to come.
func (f *guardFile) Preallocate(off, length int64) error {
	if f.g.frozen.Load() {
		return nil
	}
	_ = f.File.Preallocate(off, length)
	return nil
}

// Close lets the descriptor go in any case; what a close can still report is a
// failed write.
func (f *guardFile) Close() error {
	err := f.File.Close()
	if f.g.frozen.Load() {
		return nil
	}
	if err != nil && f.g.fail("close", f.path, err) {
		return nil
	}
	return err
}
