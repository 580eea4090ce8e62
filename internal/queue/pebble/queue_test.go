package pebble_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/internal/queue/pebble"
	"github.com/hookd/hookd/internal/queue/queuetest"
)

func TestMain(m *testing.M) {
	childMain()
	goleak.VerifyTestMain(m)
}

// clock is the real one, and can be moved on.
type clock struct{ ahead atomic.Int64 }

func (c *clock) Now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) Advance(d time.Duration) { c.ahead.Add(int64(d)) }

func open(t testing.TB, o pebble.Options) *pebble.Queue {
	t.Helper()
	q, err := pebble.Open(t.Context(), o)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { closeQueue(t, q) })
	return q
}

func closeQueue(t testing.TB, q *pebble.Queue) {
	t.Helper()
	if err := q.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func TestQueue(t *testing.T) {
	t.Parallel()
	queuetest.Run(t, queuetest.Backend{
		Open: func(t *testing.T, o queuetest.Options) *queuetest.Instance {
			c := &clock{}
			opt := pebble.Options{Dir: t.TempDir(), Now: c.Now, HistoryAge: o.HistoryAge, DeadAge: o.DeadAge}.Small()
			if o.MaxBytes > 0 {
				opt.MaxDisk = o.MaxBytes + 16<<20
			}
			q := open(t, opt)
			return &queuetest.Instance{
				Queue: q, Now: c.Now, Advance: c.Advance,
				Reopen: func(t *testing.T) queue.Queue {
					closeQueue(t, q)
					q = open(t, opt)
					return q
				},
			}
		},
	})
}

func contextOf(t testing.TB, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), d)
}
