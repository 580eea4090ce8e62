package pebble

import (
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options say where the queue lives and how much it may take. Zero fields take
// the defaults that are named with them.
type Options struct {
	// Dir is the queue's own folder. It is made (mode 0700) when missing, and
	// refused when it holds anything else.
	Dir string
	// MaxDisk is how many bytes the queue's files may take; beyond it Put
	// answers ErrFull. 0 means 10 GiB.
	MaxDisk int64
	// MinFree is how many bytes are left free on the file system: what the
	// queue itself needs to settle and to compact when it is full. 0 means
	// 256 MiB; negative means none.
	MinFree int64
	// HistoryAge and HistoryBytes bound what is remembered of settled events;
	// 0 means 72 hours and 2 GiB.
	HistoryAge   time.Duration
	HistoryBytes int64
	// DeadAge is how long a dead letter is kept; 0 means 30 days.
	DeadAge time.Duration
	// UnsafeNoSync acknowledges without fsync: a power cut loses what was
	// accepted. It is the negative control of the tests that cut the power.
	UnsafeNoSync bool
	// Log gets what an operator must know; nil is silent.
	Log *slog.Logger
	// Now is the clock; nil means time.Now. With a clock of its own the queue
	// looks at it every few milliseconds, which is for tests.
	Now func() time.Time

	fs    vfs.FS        // nil is the disk
	tick  time.Duration // of the janitor
	poll  time.Duration // longest time that a waiting Claim trusts the clock
	table uint64        // bytes of a memtable
}

func (o Options) withDefaults() Options {
	def := func(v *int64, d int64) {
		if *v == 0 {
			*v = d
		}
	}
	age := func(v *time.Duration, d time.Duration) {
		if *v == 0 {
			*v = d
		}
	}
	def(&o.MaxDisk, 10<<30)
	def(&o.MinFree, 256<<20)
	def(&o.HistoryBytes, 2<<30)
	age(&o.HistoryAge, 72*time.Hour)
	age(&o.DeadAge, 30*24*time.Hour)
	age(&o.tick, time.Second)
	age(&o.poll, time.Second)
	if o.Now == nil {
		o.Now = time.Now
	} else {
		o.poll = min(o.poll, 5*time.Millisecond)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.fs == nil {
		o.fs = vfs.Default
	}
	if o.table == 0 {
		o.table = 32 << 20
	}
	return o
}
