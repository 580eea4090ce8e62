package admin

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/hookd/hookd/internal/record"
)

// Recorder is the part of *record.Recorder that the API reads.
type Recorder interface {
	Snapshot() record.Snapshot
	Recent(n int) []record.Fact
	Subscribe(ctx context.Context, buffer int, kinds ...record.Kind) (*record.Tail, error)
}

func (a *api) stats(c *gin.Context) {
	s := statsOf(a.Recorder.Snapshot())
	if a.EventLog != nil {
		log := a.EventLog()
		s.EventLog = &log
	}
	c.JSON(http.StatusOK, s)
}

func statsOf(s record.Snapshot) Stats {
	out := Stats{
		Started: s.Started, Now: s.Time, Tails: s.Tails, Missed: s.Missed,
		Hooks: make([]HookStats, 0, len(s.Hooks)), Lanes: make([]LaneStats, 0, len(s.Lanes)),
	}
	for name, h := range sorted(s.Hooks) {
		out.Hooks = append(out.Hooks, HookStats{
			Hook: name, Accepted: h.Accepted, Duplicates: h.Duplicates, Handshakes: h.Handshakes,
			Refused: total(h.Refused), RefusedBy: h.Refused, Bytes: h.Bytes, Last: h.Last,
			Windows: h.Windows, Accept: latency(h.Accept),
		})
	}
	for name, l := range sorted(s.Lanes) {
		out.Lanes = append(out.Lanes, LaneStats{
			Lane: name, Delivered: l.Delivered, Filtered: l.Filtered, Failed: l.Retried, Dead: l.Died,
			FailedBy: l.Failed, Bytes: l.Bytes, Last: l.Last, Delivery: latency(l.Delivery),
		})
	}
	return out
}

func latency(h record.Histogram) Latency {
	l := Latency{
		Count: h.Count, P50: h.Quantile(0.50).Seconds(), P95: h.Quantile(0.95).Seconds(), P99: h.Quantile(0.99).Seconds(),
	}
	if h.Count > 0 {
		l.Mean = (h.Sum / time.Duration(h.Count)).Seconds()
	}
	return l
}

func total(m map[string]int64) (n int64) {
	for _, v := range m {
		n += v
	}
	return n
}

// sorted yields a map in the order of its keys.
func sorted[K cmp.Ordered, V any](m map[K]V) func(yield func(K, V) bool) {
	return func(yield func(K, V) bool) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}
