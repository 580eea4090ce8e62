package captures

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/hookd/hookd/internal/secret"
)

// Put keeps the first secret of the hook: it is on stable storage when Put
// returns true. False: there is a file already, readable or not.
func (d *Dir) Put(ctx context.Context, hook string, s secret.String) (bool, error) {
	if !isName(hook) {
		return false, errors.New("captured secret: the id of the hook is no file name")
	}
	if n := len(s.Reveal()); n == 0 || n > maxFile {
		return false, fmt.Errorf("captured secret: it has %d bytes, and not 1 to %d", n, maxFile)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	name := filepath.Join(d.path, hook)
	switch _, err := os.Lstat(name); {
	case err == nil:
		return false, nil
	case !errors.Is(err, fs.ErrNotExist):
		return false, fmt.Errorf("captured secret: %w", err)
	}
	if err := d.write(name, hook, s); err != nil {
		return false, fmt.Errorf("captured secret: %w", err)
	}
	d.log.InfoContext(ctx, "captured the secret that the sender handed over; delete the file to take another one", "hook", hook, "file", name)
	return true, nil
}

// write makes the file whole or not at all.
func (d *Dir) write(name, hook string, s secret.String) (err error) {
	if err := d.makeDir(); err != nil {
		return err
	}
	temp := filepath.Join(d.path, "."+hook+"."+rand.Text()[:10])
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // as above
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temp)
		}
	}()
	_, err = f.WriteString(s.Reveal() + "\n")
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(temp, name)
	}
	if err == nil {
		err = syncDir(d.path)
	}
	return err
}

func (d *Dir) makeDir() error {
	if _, err := os.Stat(d.path); err == nil {
		return nil
	}
	if err := os.MkdirAll(d.path, 0o700); err != nil {
		return err
	}
	return syncDir(filepath.Dir(d.path))
}

func syncDir(path string) error {
	if runtime.GOOS == "windows" { // has no such thing
		return nil
	}
	dir, err := os.Open(path) //nolint:gosec // the operator's own folder
	if err != nil {
		return err
	}
	err = dir.Sync()
	if e := dir.Close(); err == nil {
		err = e
	}
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		return nil // some file systems sync folders by themselves
	}
	return err
}
