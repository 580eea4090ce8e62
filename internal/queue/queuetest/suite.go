// Package queuetest is the one suite that every queue backend passes. A test
// of a backend calls Run with a way to open empty queues.
package queuetest

import (
	"testing"
	"time"

	"github.com/hookd/hookd/internal/queue"
)

// Options are what a case asks of a queue. Zero fields are the backend's
// defaults.
type Options struct {
	// MaxBytes is about how many bytes of unsettled bodies must fit before
	// Put answers ErrFull; the backend may have needs of its own on top.
	MaxBytes   int64
	HistoryAge time.Duration
	DeadAge    time.Duration
}

// Instance is an open queue and its clock.
type Instance struct {
	Queue queue.Queue
	// Advance moves the queue's clock on.
	Advance func(d time.Duration)
	// Now is the queue's clock.
	Now func() time.Time
	// Reopen closes the queue and opens it again; nil where nothing persists.
	Reopen func(t *testing.T) queue.Queue
}

// Backend opens queues for the suite.
type Backend struct {
	// Open makes an empty queue that is closed at the end of the test.
	Open func(t *testing.T, o Options) *Instance
	// Wrap runs a case, for example in a synctest bubble; nil runs it as it is.
	Wrap func(t *testing.T, fn func(t *testing.T))
}

type testCase struct {
	name string
	opt  Options
	fn   func(t *testing.T, in *Instance)
}

// Run runs the whole suite against the backend.
func Run(t *testing.T, b Backend) {
	t.Helper()
	var cases []testCase
	cases = append(cases, basicCases...)
	cases = append(cases, dedupeCases...)
	cases = append(cases, onceCases...)
	cases = append(cases, leaseCases...)
	cases = append(cases, settleCases...)
	cases = append(cases, deadCases...)
	cases = append(cases, historyCases...)
	cases = append(cases, limitCases...)
	cases = append(cases, persistCases...)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			body := func(t *testing.T) { c.fn(t, b.Open(t, c.opt)) }
			if b.Wrap != nil {
				b.Wrap(t, body)
			} else {
				body(t)
			}
		})
	}
}
