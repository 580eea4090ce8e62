package mem_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/internal/queue/mem"
	"github.com/hookd/hookd/internal/queue/queuetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestQueue(t *testing.T) {
	t.Parallel()
	queuetest.Run(t, queuetest.Backend{
		Wrap: synctest.Test,
		Open: func(t *testing.T, o queuetest.Options) *queuetest.Instance {
			q := mem.New(mem.Options{MaxBytes: o.MaxBytes, HistoryAge: o.HistoryAge, DeadAge: o.DeadAge})
			t.Cleanup(func() { _ = q.Close(context.WithoutCancel(t.Context())) })
			return &queuetest.Instance{
				Queue:   q,
				Now:     time.Now,
				Advance: func(d time.Duration) { <-time.After(d) },
			}
		},
	})
}
