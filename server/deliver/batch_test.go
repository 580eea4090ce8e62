package deliver_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/server/deliver"
)

// batcher records its batches; judge gives each delivery its error.
type batcher struct {
	items, bytes int
	judge        func(d *event.Delivery) error
	panics       func(ds []*event.Delivery) bool
	short        bool

	mu      sync.Mutex
	batches [][]string
}

func (b *batcher) Send(context.Context, *event.Delivery) (event.Receipt, error) {
	panic("a batch destination is never sent to singly")
}

func (b *batcher) SendBatch(_ context.Context, ds []*event.Delivery) []modules.Result {
	var bodies []string
	rs := make([]modules.Result, len(ds))
	for i, d := range ds {
		bodies = append(bodies, string(d.Body))
		if b.judge != nil {
			rs[i].Err = b.judge(d)
		}
	}
	b.mu.Lock()
	b.batches = append(b.batches, bodies)
	b.mu.Unlock()
	if b.panics != nil && b.panics(ds) {
		panic("poison")
	}
	if b.short {
		return rs[1:]
	}
	return rs
}

func (b *batcher) BatchLimit() (items, bytes int) { return b.items, b.bytes }

// Once a destination is known to take batches, what is due goes in few of them,
// and none is larger than it may be.
func TestBatches(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, deliver.Options{})
		b := &batcher{items: 10, bytes: 25}
		r.run(r.lane("h/a", b))
		r.put("first", "h/a") // makes the destination
		synctest.Wait()
		if err := r.e.Pause("h/a"); err != nil {
			t.Fatal(err)
		}
		for range 100 {
			r.put("body", "h/a") // 4 bytes: 6 of them in 25
		}
		large := r.put("a body larger than any batch", "h/a")
		_ = r.e.Resume("h/a")
		synctest.Wait()
		r.want(large, "h/a", queue.StatusDelivered, 1, "")
		n := 0
		for _, ds := range b.batches {
			n += len(ds)
			size := 0
			for _, d := range ds {
				size += len(d)
			}
			if len(ds) > 10 || size > 25 && len(ds) > 1 {
				t.Errorf("a batch of %d with %d bytes", len(ds), size)
			}
		}
		if n != 102 || len(b.batches) > 24 {
			t.Errorf("%d deliveries in %d batches", n, len(b.batches))
		}
		r.stopped()
	})
}

// One bad delivery does not sink the rest, neither by its error nor by a panic.
func TestBatchIsJudgedOneByOne(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, deliver.Options{})
		b := &batcher{
			judge: func(d *event.Delivery) error {
				switch string(d.Body) {
				case "bad":
					return modules.Reject(modules.CodeRefused, errDown)
				case "later":
					return modules.Retry("http_500", errDown)
				}
				return nil
			},
			panics: func(ds []*event.Delivery) bool {
				for _, d := range ds {
					if string(d.Body) == "poison" {
						return true
					}
				}
				return false
			},
		}
		r.run(r.lane("h/a", b, func(l *deliver.Lane) { l.Policy.Initial, l.Policy.Max = time.Hour, time.Hour }))
		r.put("first", "h/a")
		synctest.Wait()
		_ = r.e.Pause("h/a")
		ids := map[string]event.ID{}
		for _, body := range []string{"good", "bad", "later", "poison", "fine"} {
			ids[body] = r.put(body, "h/a")
		}
		_ = r.e.Resume("h/a")
		synctest.Wait()
		r.want(ids["good"], "h/a", queue.StatusDelivered, 1, "")
		r.want(ids["fine"], "h/a", queue.StatusDelivered, 1, "")
		r.want(ids["bad"], "h/a", queue.StatusDead, 1, modules.CodeRefused)
		r.want(ids["later"], "h/a", queue.StatusDelayed, 1, "http_500")
		r.want(ids["poison"], "h/a", queue.StatusDelayed, 1, modules.CodePanic)
		r.stopped()
	})
}

func TestBatchWithoutAllResults(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, deliver.Options{})
		r.run(r.lane("h/a", &batcher{short: true}, func(l *deliver.Lane) { l.Policy = deliver.NoRetry() }))
		id := r.put("x", "h/a")
		synctest.Wait()
		r.want(id, "h/a", queue.StatusDead, 1, modules.CodeBadAnswer)
		r.stopped()
	})
}
