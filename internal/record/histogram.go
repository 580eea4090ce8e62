package record

import (
	"sync/atomic"
	"time"
)

// Bounds are the upper bounds of the buckets of every latency histogram. One
// more bucket holds what took longer.
var Bounds = [...]time.Duration{
	500 * time.Microsecond, time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond,
	25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second, 30 * time.Second,
}

// Histogram is a read-out: Counts[i] took at most Bounds[i], and more than
// Bounds[i-1]. The counts are not cumulative.
type Histogram struct {
	Counts [len(Bounds) + 1]int64 `json:"counts"`
	Count  int64                  `json:"count"`
	Sum    time.Duration          `json:"sum_ns"`
}

type histogram struct {
	counts [len(Bounds) + 1]atomic.Int64
	sum    atomic.Int64
}

func (h *histogram) add(d time.Duration) {
	i := 0
	for i < len(Bounds) && d > Bounds[i] {
		i++
	}
	h.counts[i].Add(1)
	h.sum.Add(int64(d))
}

func (h *histogram) read() Histogram {
	out := Histogram{Sum: time.Duration(h.sum.Load())}
	for i := range h.counts {
		out.Counts[i] = h.counts[i].Load()
		out.Count += out.Counts[i]
	}
	return out
}

// Quantile estimates the q-quantile (0 to 1) by its bucket's upper bound; the
// last bucket's is the last bound. It is 0 when nothing was counted.
func (h Histogram) Quantile(q float64) time.Duration {
	rank := int64(q*float64(h.Count-1)) + 1
	for i, n := range h.Counts {
		if rank -= n; rank <= 0 && h.Count > 0 {
			return Bounds[min(i, len(Bounds)-1)]
		}
	}
	return 0
}
