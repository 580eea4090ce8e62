// Package savetodisk writes each delivery to a file of its own.
package savetodisk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
)

const doc = `
Each delivery becomes ` + "`<base_dir>/<path>/<delivery id>.json`" + ` (` + "`.txt`" + ` or ` + "`.bin`" + ` when the body
is no JSON), holding the delivered bytes exactly. The file appears whole or not at all: it is written
under another name, synced, renamed, and the folder is synced, before the delivery counts as done. A
repeat of a delivery writes the same file again. Folders are made with mode 0700, files with 0600.

Nothing is ever written outside base_dir: ` + "`..`" + `, also percent-encoded, is an error when the
configuration is loaded, and a symbolic link that leads out is refused when it is met. System folders
(/etc, /usr, /root, /proc ...) are refused as targets.
`

// Module declares the module.
func Module() modules.Module {
	return modules.Define(modules.Definition[modules.None, Options, *modules.None]{
		Name:      "save_to_disk",
		Title:     "Save to disk",
		Summary:   "Writes each event to a file, synced before it counts as delivered.",
		Doc:       doc,
		Guarantee: modules.Keyed,
		Open:      modules.OpenNone,
		New: func(_ modules.Env, _ *modules.None, o *Options) (modules.Destination, error) {
			return newFolder(o)
		},
	})
}

// folder is a place below a base that nothing gets out of.
type folder struct {
	base   string // absolute
	sub    string // relative to base, local
	naming naming
	side   bool // write headers too
}

var (
	_ modules.Destination = (*folder)(nil)
	_ modules.Checker     = (*folder)(nil)
)

func newFolder(o *Options) (*folder, error) {
	base, sub, err := place(o.BaseDir, o.Path)
	if err != nil {
		return nil, fmt.Errorf("save_to_disk: %w", err)
	}
	f := &folder{base: base, sub: sub, naming: newNaming(o.Pattern, o.Extension), side: o.Headers}
	f.sweep()
	return f, nil
}

// Send writes the body, and with include_headers the headers before it, so that
// whoever sees the body finds them.
func (f *folder) Send(ctx context.Context, d *event.Delivery) (event.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return event.Receipt{}, modules.Retry(modules.CodeTimeout, fmt.Errorf("save_to_disk: %w", err))
	}
	root, err := f.open()
	if err != nil {
		return event.Receipt{}, failure(err)
	}
	defer root.Close()

	name := f.naming.name(d)
	if f.side {
		side := strings.TrimSuffix(name, path.Ext(name)) + ".headers.json"
		if err := write(root, f.sub, side, headersJSON(d)); err != nil {
			return event.Receipt{}, failure(err)
		}
	}
	if err := write(root, f.sub, name, d.Body); err != nil {
		return event.Receipt{}, failure(err)
	}
	return event.Receipt{Status: filepath.Join(f.base, f.sub, name)}, nil
}

// Check makes and removes an empty file in the folder, or in the nearest one
// above it that exists: rights on paper say little about quotas and read-only
// mounts.
func (f *folder) Check(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	root, err := os.OpenRoot(f.base)
	sub := f.sub
	if errors.Is(err, os.ErrNotExist) {
		var above string
		if above, err = existing(f.base); err == nil {
			root, err = os.OpenRoot(above)
			sub = "."
		}
	}
	if err != nil {
		return failure(err)
	}
	defer root.Close()
	for {
		name, err := probe(root, sub)
		switch {
		case err == nil:
			return failure(root.Remove(name))
		case !errors.Is(err, os.ErrNotExist) || sub == ".":
			return failure(err)
		}
		sub = path.Dir(sub)
	}
}

// open opens the base, and makes it where it is missing.
func (f *folder) open() (*os.Root, error) {
	root, err := os.OpenRoot(f.base)
	if !errors.Is(err, os.ErrNotExist) {
		return root, err
	}
	if err := os.MkdirAll(f.base, 0o700); err != nil {
		return nil, err
	}
	if root, err = os.OpenRoot(f.base); err != nil {
		return nil, err
	}
	// The new folders' names are entries of the folders above.
	for dir := f.base; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if err := syncDir(os.Open(filepath.Dir(dir))); err != nil && !errors.Is(err, os.ErrPermission) {
			root.Close()
			return nil, err
		}
	}
	return root, nil
}

// existing is the nearest folder at or above dir that exists.
func existing(dir string) (string, error) {
	for {
		_, err := os.Stat(dir)
		if up := filepath.Dir(dir); errors.Is(err, os.ErrNotExist) && up != dir {
			dir = up
			continue
		}
		return dir, err
	}
}
