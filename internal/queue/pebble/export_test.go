package pebble

import (
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hookd/hookd/internal/event"
)

// Small makes the queue fit for tests: small memtables, a quick janitor.
func (o Options) Small() Options {
	o.tick, o.table, o.MinFree = 10*time.Millisecond, 256<<10, -1
	return o
}

// On puts the queue on another file system.
func (o Options) On(fs vfs.FS) Options {
	o.fs = fs
	return o
}

// NoSync is the negative control: it acknowledges without an fsync.
func (o Options) NoSync() Options {
	o.UnsafeNoSync = true
	return o
}

// Damage spoils a stored value, Lose removes it.
func (q *Queue) Damage(kind byte, id event.ID) {
	_ = q.db.Set(idKey(kind, id), []byte{0xff, 1, 2, 3}, nil)
}

func (q *Queue) Lose(kind byte, id event.ID) { _ = q.db.Delete(idKey(kind, id), nil) }

// Metrics is what the engine says of itself.
func (q *Queue) Metrics() string { return q.db.Metrics().String() }
