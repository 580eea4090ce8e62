// Package captures keeps the secrets that senders hand over in their
// handshakes: one file for each hook, with the secret in it and nothing else,
// readable by the owner only. Who deletes a file arms its hook again.
package captures

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/secret"
)

// maxFile is the size in bytes from which on a file is no secret.
const maxFile = 4096

// Dir is a folder of secrets. Other programs may change it, one hookd at a time
// writes to it. It is safe for concurrent use.
type Dir struct {
	path string
	log  *slog.Logger

	mu   sync.Mutex
	seen map[string]file // by hook
}

var _ auth.Captures = (*Dir)(nil)

// file is what was read from a file, and which state of it that was.
type file struct {
	info   fs.FileInfo
	secret secret.String // zero: it could not be read
}

// New is the folder at path, which need not be there yet.
func New(path string, log *slog.Logger) *Dir {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Dir{path: path, log: log, seen: make(map[string]file)}
}

// Get is the secret of the hook. The file is looked at each time, and read only
// when it is another one than before.
func (d *Dir) Get(hook string) (secret.String, bool) {
	if !isName(hook) {
		return secret.String{}, false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	name := filepath.Join(d.path, hook)
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		delete(d.seen, hook)
		return secret.String{}, false
	}
	if err != nil {
		d.unreadable(hook, nil, err)
		return secret.String{}, false
	}
	if f, ok := d.seen[hook]; ok && same(f.info, info) {
		return f.secret, !f.secret.IsZero()
	}
	s, err := read(name)
	if err != nil {
		d.unreadable(hook, info, err)
		return secret.String{}, false
	}
	d.seen[hook] = file{info, s}
	return s, true
}

// unreadable tells the log, once for each state of the file.
func (d *Dir) unreadable(hook string, info fs.FileInfo, err error) {
	if f, ok := d.seen[hook]; ok && same(f.info, info) && f.secret.IsZero() {
		return
	}
	d.seen[hook] = file{info: info}
	d.log.Error("the captured secret of a hook cannot be read", "hook", hook, "error", err)
}

func same(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

func read(name string) (secret.String, error) {
	f, err := os.Open(name) //nolint:gosec // of a hook: isName has looked
	if err != nil {
		return secret.String{}, err
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return secret.String{}, errors.Join(err, errors.New("not a file"))
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return secret.String{}, err
	}
	if b = bytes.TrimRight(b, "\r\n"); len(b) == 0 || len(b) > maxFile {
		return secret.String{}, fmt.Errorf("holds no secret: it has 1 to %d bytes", maxFile)
	}
	return secret.New(string(b)), nil
}

// isName reports whether a hook's id is a file name and nothing more: letters,
// digits, "-" and "_", and a letter or digit first, as all ids are.
func isName(hook string) bool {
	if hook == "" || len(hook) > 64 {
		return false
	}
	for i := range len(hook) {
		switch c := hook[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case i > 0 && (c == '-' || c == '_'):
		default:
			return false
		}
	}
	return true
}
