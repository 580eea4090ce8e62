package record

import (
	"sync/atomic"
	"time"
)

// Windows are counts of accepted events, in the terms of the original service:
// whole clock minutes, hours (UTC) and days (UTC) up to and including the
// current one. "minute" is the current clock minute, "hour" 60 minutes, "day" 24
// hours, "week" 7 days and "month" 30 days.
type Windows struct {
	Total     int64 `json:"total"`
	Minute    int64 `json:"minute"`
	Minutes5  int64 `json:"5_minutes"`
	Minutes15 int64 `json:"15_minutes"`
	Minutes30 int64 `json:"30_minutes"`
	Hour      int64 `json:"hour"`
	Day       int64 `json:"day"`
	Week      int64 `json:"week"`
	Month     int64 `json:"month"`
}

type windows struct {
	total   atomic.Int64
	minutes [64]bucket
	hours   [32]bucket
	days    [32]bucket
}

const (
	minute = 60
	hour   = 60 * minute
	day    = 24 * hour
)

func (w *windows) add(now time.Time) {
	s := now.Unix()
	w.total.Add(1)
	w.minutes[s/minute%64].add(s / minute)
	w.hours[s/hour%32].add(s / hour)
	w.days[s/day%32].add(s / day)
}

func (w *windows) read(now time.Time) Windows {
	s := now.Unix()
	return Windows{
		Total:     w.total.Load(),
		Minute:    sum(w.minutes[:], s/minute, 1),
		Minutes5:  sum(w.minutes[:], s/minute, 5),
		Minutes15: sum(w.minutes[:], s/minute, 15),
		Minutes30: sum(w.minutes[:], s/minute, 30),
		Hour:      sum(w.minutes[:], s/minute, 60),
		Day:       sum(w.hours[:], s/hour, 24),
		Week:      sum(w.days[:], s/day, 7),
		Month:     sum(w.days[:], s/day, 30),
	}
}

// bucket counts one span of time: the upper 24 bits are the span's number, cut,
// the lower 40 the count. One word, so that a new span starts at nothing without
// a lock.
type bucket struct{ word atomic.Uint64 }

const countBits = 40

func stamp(span int64) uint64 { return uint64(span) & (1<<24 - 1) }

func (b *bucket) add(span int64) {
	for {
		old := b.word.Load()
		next := old + 1
		if old>>countBits != stamp(span) {
			next = stamp(span)<<countBits | 1
		}
		if b.word.CompareAndSwap(old, next) {
			return
		}
	}
}

// sum adds the last n spans up to now.
func sum(bs []bucket, now int64, n int64) int64 {
	var total int64
	for span := now - n + 1; span <= now; span++ {
		if w := bs[span%int64(len(bs))].word.Load(); w>>countBits == stamp(span) {
			total += int64(w & (1<<countBits - 1))
		}
	}
	return total
}
