package pebble_test

import (
	"context"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hookd/hookd/internal/queue/pebble"
)

func TestTmp(t *testing.T) {
	end := time.Now().Add(150 * time.Second)
	n := 0
	for ; time.Now().Before(end); n++ {
		mem := vfs.NewCrashableMem()
		q, err := pebble.Open(t.Context(), pebble.Options{Dir: "q"}.Small().On(mem))
		if err != nil {
			t.Fatal(err)
		}
		var l ledger
		ctx, cancel := context.WithCancel(t.Context())
		wg := traffic(ctx, q, &l, 1<<30, func(err error) {})
		last, at := 0, time.Now()
		for last < 5000 {
			<-time.After(time.Millisecond)
			if k := len(l.all()); k != last {
				last, at = k, time.Now()
			} else if time.Since(at) > 4*time.Second {
				println(n, last, q.Metrics())
				panic("stuck")
			}
		}
		cancel()
		wg.Wait()
		closeQueue(t, q)
	}
	t.Log(n)
}
