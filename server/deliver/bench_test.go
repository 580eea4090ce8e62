package deliver_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/internal/queue/mem"
	"github.com/hookd/hookd/internal/record"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/server/conn"
	"github.com/hookd/hookd/server/deliver"
)

// nowhere takes everything and says when it has all.
type nowhere struct {
	left atomic.Int64
	done chan struct{}
}

func (n *nowhere) take(k int64) {
	if n.left.Add(-k) == 0 {
		close(n.done)
	}
}

func (n *nowhere) Send(context.Context, *event.Delivery) (event.Receipt, error) {
	n.take(1)
	return event.Receipt{}, nil
}

type batchNowhere struct{ nowhere }

func (n *batchNowhere) SendBatch(_ context.Context, ds []*event.Delivery) []modules.Result {
	n.take(int64(len(ds)))
	return make([]modules.Result, len(ds))
}

func (n *batchNowhere) BatchLimit() (items, bytes int) { return 100, 0 }

// BenchmarkEngine is the whole way from a queue in memory to a destination that
// does nothing: claim, headers, send, settle, record.
func BenchmarkEngine(b *testing.B) {
	for name, c := range map[string]struct {
		dest interface {
			modules.Destination
			reset(n int64) <-chan struct{}
		}
		change func(*deliver.Lane)
	}{
		"single": {&nowhere{}, func(*deliver.Lane) {}},
		"batch":  {&batchNowhere{}, func(*deliver.Lane) {}},
		"filter_transform": {&nowhere{}, func(l *deliver.Lane) {
			l.Filter, l.Transform = program(b, `.action == "opened"`), program(b, `{n: .number}`)
		}},
		"cleanup": {&nowhere{}, func(l *deliver.Lane) { l.Cleanup = deliver.NewCleanup(false, nil) }},
	} {
		b.Run(name, func(b *testing.B) {
			q, pool := mem.New(mem.Options{MaxBytes: 4 << 30}), conn.NewPool(conn.Options{})
			e := deliver.New(deliver.Options{Queue: q, Recorder: record.New(0), Log: slog.New(slog.DiscardHandler)})
			l := &deliver.Lane{
				Name: "h/a", Hook: "h", Module: module(c.dest), Options: &options{}, Policy: deliver.DefaultPolicy(),
				Conn: pool.Acquire("a", func(context.Context) (modules.Conn, error) { return &connection{}, nil }),
			}
			c.change(l)
			if err := e.Apply([]*deliver.Lane{l}); err != nil {
				b.Fatal(err)
			}
			done := c.dest.reset(int64(b.N))
			for range b.N {
				if _, err := q.Put(b.Context(), queue.Item{Lanes: []string{"h/a"}, Event: &event.Event{
					Hook: "h", Received: time.Now(), Body: []byte(`{"action":"opened","number":7,"token":"x"}`),
				}}); err != nil {
					b.Fatal(err)
				}
			}
			ctx, cancel := context.WithCancel(b.Context())
			ended := make(chan struct{})
			b.ReportAllocs()
			b.ResetTimer()
			go func() {
				defer close(ended)
				_ = e.Run(ctx)
			}()
			<-done
			b.StopTimer()
			cancel()
			<-ended
			_ = pool.Close(context.Background())
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
		})
	}
}

func (n *nowhere) reset(k int64) <-chan struct{} {
	n.done = make(chan struct{})
	n.left.Store(k)
	return n.done
}
