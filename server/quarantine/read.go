package quarantine

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hookd/hookd/internal/event"
)

const (
	suffix  = ".sealed"
	partial = ".part"
)

// maxFile bounds what is read of one file: a body and its headers are far
// smaller.
const maxFile = 256 << 20

// load makes the index from the folder.
func (s *Store) load() error {
	files, err := os.ReadDir(s.o.Dir)
	if err != nil {
		return err
	}
	bad := 0
	for _, f := range files {
		name := f.Name()
		if strings.HasSuffix(name, suffix+partial) { // the process ended while it wrote
			_ = os.Remove(filepath.Join(s.o.Dir, name))
			continue
		}
		base, ok := strings.CutSuffix(name, suffix)
		id, err := event.ParseID(base)
		if !ok || err != nil || id.String() != base {
			continue // not ours
		}
		s.ids.After(id)
		it := &item{Facts: Facts{ID: id}, bad: true}
		if st, err := f.Info(); err == nil {
			it.bytes = st.Size()
		}
		if e, err := s.read(id); err == nil {
			it.Facts, it.bad = e.Facts, false
		} else {
			bad++
		}
		s.index.add(it)
	}
	if bad > 0 {
		s.log.Warn("files in the quarantine cannot be read: they are damaged, or quarantine.key is another one", "files", bad)
	}
	return nil
}

func (s *Store) read(id event.ID) (*Entry, error) {
	name := s.path(id)
	if st, err := os.Lstat(name); err == nil && (!st.Mode().IsRegular() || st.Size() > maxFile) {
		return nil, errForeign
	}
	sealed, err := os.ReadFile(name) //nolint:gosec // an id in our own folder
	if err != nil {
		return nil, err
	}
	text, err := s.seal.open(sealed, id[:])
	if err != nil {
		return nil, err
	}
	return decode(text, id)
}

// Get reads one request whole.
func (s *Store) Get(id event.ID) (*Entry, error) {
	s.mu.Lock()
	known := s.index.get(id) != nil
	s.mu.Unlock()
	if !known {
		return nil, ErrNotFound
	}
	e, err := s.read(id)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotFound
	}
	return e, err
}

// Filter narrows a list. Zero fields do not narrow; the fields are and-ed.
type Filter struct {
	Hook   string
	Reason string // whole, or the code behind the colon
	Since  time.Time
	Until  time.Time
}

func (f *Filter) match(e *Facts) bool {
	_, code, _ := strings.Cut(e.Reason, ":")
	return (f.Hook == "" || e.Hook == f.Hook) &&
		(f.Reason == "" || e.Reason == f.Reason || code == f.Reason) &&
		(f.Since.IsZero() || !e.Received.Before(f.Since)) &&
		(f.Until.IsZero() || e.Received.Before(f.Until))
}

// List returns up to n requests, newest first, that are older than cursor; the
// zero cursor is the start. next is zero on the last page.
func (s *Store) List(f Filter, cursor event.ID, n int) (page []Facts, next event.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	end := len(s.index.items)
	if !cursor.IsZero() {
		end, _ = s.index.find(cursor)
	}
	for _, it := range slices.Backward(s.index.items[:end]) {
		if it.bad || !f.match(&it.Facts) {
			continue
		}
		if len(page) == n {
			return page, page[n-1].ID
		}
		page = append(page, it.Facts)
	}
	return page, event.ID{}
}

// Purge removes the requests named, or all that match where none is named, and
// returns how many there were. Purging everything removes unreadable files too.
func (s *Store) Purge(f Filter, ids ...event.ID) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, it := range slices.Clone(s.index.items) {
		named := len(ids) == 0 || slices.Contains(ids, it.ID)
		if it.busy || !named || it.bad && (f != Filter{} || len(ids) > 0) || !it.bad && !f.match(&it.Facts) {
			continue
		}
		s.drop(it)
		n++
	}
	return n
}
