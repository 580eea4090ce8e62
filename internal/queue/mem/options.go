// Package mem is the queue in memory: for tests and for trying things out. It
// keeps every promise of queue.Queue but the one about crashes: what it holds
// ends with the process.
//
// Time comes from the time package alone, so that it runs under
// testing/synctest; it starts no goroutine.
package mem

import "time"

// Options bound what a Queue holds. The zero value takes the defaults.
type Options struct {
	// MaxBytes of bodies in unsettled and dead events; beyond it Put answers
	// ErrFull. 0 means 256 MiB.
	MaxBytes int64
	// HistoryAge and HistoryBytes bound the settled events that are remembered;
	// 0 means 72 hours and 64 MiB.
	HistoryAge   time.Duration
	HistoryBytes int64
	// DeadAge is how long a dead letter is kept; 0 means 30 days.
	DeadAge time.Duration
}

func (o Options) withDefaults() Options {
	if o.MaxBytes == 0 {
		o.MaxBytes = 256 << 20
	}
	if o.HistoryAge == 0 {
		o.HistoryAge = 72 * time.Hour
	}
	if o.HistoryBytes == 0 {
		o.HistoryBytes = 64 << 20
	}
	if o.DeadAge == 0 {
		o.DeadAge = 30 * 24 * time.Hour
	}
	return o
}
