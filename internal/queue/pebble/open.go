package pebble

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hookd/hookd/internal/queue"
)

// format is the number in the format record. A store of a higher format is
// refused; one of a lower format is read, and would be upgraded here.
const format = 1

const formatText = "hookd queue, format "

// Open opens the queue in Options.Dir, or makes a new one there. The folder is
// locked until Close; a second Open, by any process, is an error that names it.
// The context bounds the opening only.
func Open(ctx context.Context, o Options) (*Queue, error) {
	o = o.withDefaults()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if o.Dir == "" {
		return nil, errors.New("queue: no folder given")
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	q := &Queue{opt: o, log: o.Log, stop: stop, closed: make(chan struct{}), ended: make(chan struct{})}
	q.lanes.byName, q.lanes.byNum = map[string]*lane{}, map[uint32]*lane{}
	healed := make(chan struct{})
	q.healed.Store(&healed)
	q.writer = newWriter(q)
	if err := q.start(); err != nil {
		stop()
		q.writer.close()
		return nil, err
	}
	q.sample()
	q.work.Go(func() { q.janitor(background) })
	return q, nil
}

func (q *Queue) start() error {
	dir := q.opt.Dir
	if err := q.opt.fs.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("queue folder: %w", err)
	}
	if err := ours(q.opt.fs, dir); err != nil {
		return err
	}
	lock, err := pebble.LockDirectory(dir, q.opt.fs)
	if err != nil {
		return fmt.Errorf("queue folder %s is in use by another hookd process, or cannot be locked: %w", dir, err)
	}
	q.lock = lock
	if q.opt.fs == vfs.Default {
		err = errors.Join(os.Chmod(dir, 0o700), chmodFiles(dir)) // #nosec G302 -- a folder
	}
	if err == nil {
		err = q.openStore()
	}
	if err != nil {
		return errors.Join(err, lock.Close())
	}
	return nil
}

// ours refuses a folder that holds anything but a queue, before a byte of it
// is touched.
func ours(fsys vfs.FS, dir string) error {
	names, err := fsys.List(dir)
	if err != nil {
		return fmt.Errorf("queue folder: %w", err)
	}
	for _, n := range names {
		if n == "LOCK" || n == "lost+found" || strings.HasPrefix(n, "marker.") || strings.HasPrefix(n, "MANIFEST-") || strings.HasPrefix(n, "OPTIONS-") {
			continue
		}
		switch _, ext, _ := strings.Cut(n, "."); ext {
		case "log", "sst", "blob", "dbtmp":
		default:
			return fmt.Errorf("queue folder %s holds something else (%s): give hookd a folder of its own", dir, n)
		}
	}
	return nil
}

// chmodFiles makes files of an earlier umask private.
func chmodFiles(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if info, ierr := e.Info(); ierr == nil && e.Type().IsRegular() && info.Mode().Perm()&0o077 != 0 {
			if cerr := os.Chmod(vfs.Default.PathJoin(dir, e.Name()), 0o600); cerr != nil && !errors.Is(cerr, fs.ErrNotExist) {
				err = errors.Join(err, cerr)
			}
		}
	}
	return err
}

// openStore opens the engine behind a new guard and reads what memory needs.
// When nothing failed on the way, the queue can be written again. The caller
// has the queue for itself, or holds store.
func (q *Queue) openStore() (err error) {
	before := q.failed.Load()
	g := newGuard(q.opt.fs, q.fail)
	db, err := openEngine(q.opt.Dir, q.engine(g))
	if err != nil {
		return fmt.Errorf("queue folder %s: %w", q.opt.Dir, errors.Join(err, g.failure()))
	}
	err = q.prepare(db)
	if failed := g.failure(); failed != nil {
		err = failed // and what is read then is not what is on the disk
	}
	if err != nil {
		return fmt.Errorf("queue folder %s: %w", q.opt.Dir, errors.Join(err, closeEngine(db, g)))
	}
	counted := make(chan struct{})
	snap := db.NewSnapshot()
	q.writer.mu.Lock() // nothing is written before the failure of now is known
	q.db, q.guard = db, g
	q.gen.Add(1)
	g.opening.Store(false)
	q.failed.CompareAndSwap(before, nil)
	if f := g.first.Load(); f != nil {
		q.fail(f)
	} else {
		q.certain()
	}
	q.counted.Store(&counted)
	q.writer.mu.Unlock()
	q.work.Go(func() { q.count(snap, counted) })
	return nil
}

// prepare checks the store and reads what memory needs of it.
func (q *Queue) prepare(db *pebble.DB) error {
	if err := checkFormat(db); err != nil {
		return err
	}
	if err := q.eraseDoubts(db); err != nil {
		return err
	}
	newest, err := q.lanes.load(db)
	if err != nil {
		return err
	}
	q.ids.After(newest)
	return q.space.measure(db)
}

// openEngine turns a panic of the engine into an error.
func openEngine(dir string, o *pebble.Options) (db *pebble.DB, err error) {
	defer func() {
		if p := recover(); p != nil {
			db, err = nil, fmt.Errorf("opening: %v", p)
		}
	}()
	return pebble.Open(dir, o)
}

// closeEngine closes the engine, also a frozen one, which complains of what it
// could not write.
func closeEngine(db *pebble.DB, g *guard) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("closing: %v", p)
		}
	}()
	close(g.release)
	if err = db.Close(); g.frozen.Load() {
		return nil
	}
	return err
}

// checkFormat reads the format record, and writes it into an empty store.
func checkFormat(db *pebble.DB) error {
	err := get(db, formatKey, func(v []byte) error {
		num, ok := strings.CutPrefix(strings.TrimSuffix(string(v), "\n"), formatText)
		n, perr := strconv.Atoi(num)
		switch {
		case !ok || perr != nil || n < 1:
			return errors.New("is not a hookd queue")
		case n > format:
			return fmt.Errorf("was written by a newer hookd (queue format %d, this one reads up to %d): use that version", n, format)
		}
		return nil
	})
	if !errors.Is(err, queue.ErrNotFound) {
		return err
	}
	empty := true
	if err := scan(db, nil, nil, func([]byte, []byte) error { empty = false; return errStop }); err != nil {
		return err
	}
	if !empty {
		return errors.New("is not a hookd queue")
	}
	return db.Set(formatKey, fmt.Appendf(nil, "%s%d\n", formatText, format), pebble.Sync)
}

// engine are Pebble's settings. Together with the Go heap they keep the
// process small: two memtables, a 24 MiB cache (bodies are read once), and
// filters, so that looking up a new dedupe key reads nothing.
func (q *Queue) engine(g *guard) *pebble.Options {
	o := &pebble.Options{
		FS:                    g,
		Lock:                  q.lock,
		FormatMajorVersion:    pebble.FormatNewest,
		CacheSize:             24 << 20,
		MemTableSize:          q.opt.table,
		MaxOpenFiles:          500,
		L0CompactionThreshold: 4,
		LBaseMaxBytes:         256 << 20,
		FlushDelayDeleteRange: q.opt.tick,
		// Pebble must never stall a commit: the commit loop waits by itself
		// (yield), where a failure can wake it.
		MemTableStopWritesThreshold: 1 << 10,
		L0StopWritesThreshold:       1 << 20,
		Logger:                      engineLog{q, g},
		EventListener: &pebble.EventListener{
			BackgroundError: func(err error) {
				if g.frozen.Load() {
					return
				}
				q.log.Warn("queue: background work failed and is tried again", slog.Any("error", err))
			},
			DataCorruption: func(i pebble.DataCorruptionInfo) {
				q.log.Error("queue: damaged data on the disk", slog.String("path", i.Path), slog.Any("error", i.Details))
			},
		},
	}
	o.CompactionConcurrencyRange = func() (int, int) { return 1, 2 }
	for i := range o.Levels {
		o.Levels[i].Compression = func() *sstable.CompressionProfile { return sstable.NoCompression }
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
		o.Levels[i].BlockSize = 16 << 10
	}
	return o
}

// engineLog takes what Pebble says. What would end the process freezes the
// store instead; the one caller that goes on after it is told so by broken.
type engineLog struct {
	q *Queue
	g *guard
}

func (engineLog) Infof(string, ...any) {}

func (l engineLog) Errorf(format string, args ...any) {
	if l.g.frozen.Load() {
		return
	}
	l.q.log.Warn("queue: storage engine", slog.String("message", fmt.Sprintf(format, args...)))
}

func (l engineLog) Fatalf(format string, args ...any) {
	if l.g.frozen.Load() {
		return // a consequence of what is known
	}
	f := &failure{op: "storage engine", path: l.q.opt.Dir, err: fmt.Errorf(format, args...)}
	for _, a := range args {
		if err, ok := a.(error); ok {
			f.err = err
		}
	}
	l.q.fail(f)
}
