package savetodisk

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
	"time"

	"github.com/hookd/hookd/modules"
)

// tempSuffix marks files that are being written, or were when hookd died.
const tempSuffix = ".hookd-tmp"

// write puts a file into the folder sub of root, whole and on stable storage,
// or not at all.
func write(root *os.Root, sub, name string, content []byte) (err error) {
	temp, f, err := create(root, sub, name)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeDirs(root, sub); err == nil {
			temp, f, err = create(root, sub, name)
		}
	}
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = root.Remove(temp) // the space it takes is what may be missing
		}
	}()
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	// Not retried: after a failed sync the pages may be gone and a second one
	// may lie. The next attempt writes a new file.
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	if err = root.Rename(temp, path.Join(sub, name)); err != nil {
		return err
	}
	return syncDir(root.Open(sub))
}

func create(root *os.Root, sub, name string) (string, *os.File, error) {
	temp := path.Join(sub, "."+name[:min(len(name), 120)]+"."+rand.Text()[:10]+tempSuffix)
	f, err := root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	return temp, f, err
}

// probe leaves an empty file and returns its name.
func probe(root *os.Root, sub string) (string, error) {
	name, f, err := create(root, sub, "check")
	if err != nil {
		return "", err
	}
	return name, f.Close()
}

// makeDirs makes sub and syncs every folder that got a new entry.
func makeDirs(root *os.Root, sub string) error {
	if err := root.MkdirAll(sub, 0o700); err != nil {
		return err
	}
	for dir := sub; dir != "."; dir = path.Dir(dir) {
		if err := syncDir(root.Open(path.Dir(dir))); err != nil {
			return err
		}
	}
	return nil
}

func syncDir(dir *os.File, err error) error {
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

// sweepPages bounds the look through a folder with very many files, 1024 at a
// time.
const sweepPages = 16

// sweep removes what a crash left half-written. An hour is longer than any
// attempt takes.
func (f *folder) sweep() {
	root, err := os.OpenRoot(f.base)
	if err != nil {
		return
	}
	defer root.Close()
	dir, err := root.Open(f.sub)
	if err != nil {
		return
	}
	defer dir.Close()
	for range sweepPages {
		entries, err := dir.ReadDir(1024)
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), ".") || !strings.HasSuffix(e.Name(), tempSuffix) {
				continue
			}
			if info, err := e.Info(); err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > time.Hour {
				_ = root.Remove(path.Join(f.sub, e.Name()))
			}
		}
		if err != nil {
			return
		}
	}
}

// failure says what a file-system error means for the delivery.
func failure(err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("save_to_disk: %w", err)
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return modules.Retry(modules.CodeDiskFull, err)
	case errors.Is(err, syscall.ENAMETOOLONG), errors.Is(err, syscall.EFBIG):
		return modules.Reject(modules.CodeTooLarge, err)
	case errors.Is(err, syscall.ELOOP), strings.Contains(err.Error(), "path escapes from parent"):
		// Package os does not export that error; TestSymlinkOut pins its text.
		return modules.Reject(modules.CodeUnsafePath, err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return modules.Retry(modules.CodeAuthFailed, err)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return modules.Retry(modules.CodeNotFound, err)
	}
	return modules.Retry(modules.CodeUnavailable, err)
}
