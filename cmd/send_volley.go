package cmd

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// tally sums up many shots.
type tally struct {
	mu         sync.Mutex
	sent       int
	statuses   map[int]int
	duplicates int
	failures   int
	failure    error // the first
	latencies  []time.Duration
}

func (t *tally) add(got shot, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sent++
	if err != nil {
		t.failures++
		if t.failure == nil {
			t.failure = err
		}
		return
	}
	t.statuses[got.Status]++
	t.latencies = append(t.latencies, got.latency)
	if got.Duplicate {
		t.duplicates++
	}
}

// volley sends --repeat events, at most --concurrency at once and --rate per
// second, and sums up.
func (s *shooter) volley(ctx context.Context) error {
	t := &tally{statuses: make(map[int]int)}
	start := time.Now()
	places := make(chan struct{})
	var workers sync.WaitGroup
	for range min(s.o.concurrency, s.o.repeat) {
		workers.Go(func() {
			for range places {
				got, err := s.shoot(ctx)
				if ctx.Err() == nil {
					t.add(got, err)
				}
			}
		})
	}
	s.pace(ctx, start, places, t)
	close(places)
	workers.Wait()
	sum := t.sum(time.Since(start))
	if s.o.json {
		if err := s.a.io.JSON(sum); err != nil {
			return err
		}
	} else {
		s.report(sum)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case t.failure != nil:
		return fmt.Errorf("%s: %w", count(t.failures, "request was not answered", "requests were not answered"), t.failure)
	case sum.Accepted < t.sent:
		return errRefused
	}
	return s.o.believed()
}

// pace hands out places, with progress on a terminal.
func (s *shooter) pace(ctx context.Context, start time.Time, places chan<- struct{}, t *tally) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	shown := start
	for i := range s.o.repeat {
		if s.o.rate > 0 {
			timer.Reset(time.Until(start.Add(time.Duration(float64(i) / s.o.rate * float64(time.Second)))))
			select {
			case <-timer.C:
			case <-ctx.Done():
				return
			}
		}
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			return
		}
		if s.a.io.ErrTTY && time.Since(shown) > 200*time.Millisecond {
			shown = time.Now()
			t.mu.Lock()
			s.a.io.Errorf("\r%d of %d", t.sent, s.o.repeat)
			t.mu.Unlock()
		}
	}
	if s.a.io.ErrTTY && shown != start {
		s.a.io.Errorf("\r\x1b[K")
	}
}

// volleySum is what --json prints.
type volleySum struct {
	Sent       int            `json:"sent"`
	Accepted   int            `json:"accepted"`
	Duplicates int            `json:"duplicates"`
	Unanswered int            `json:"unanswered"`
	Statuses   map[string]int `json:"statuses"`
	Seconds    float64        `json:"seconds"`
	PerSecond  float64        `json:"per_second"`
	P50        float64        `json:"p50_ms"`
	P90        float64        `json:"p90_ms"`
	P99        float64        `json:"p99_ms"`
	Max        float64        `json:"max_ms"`
}

func (t *tally) sum(took time.Duration) volleySum {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := volleySum{Sent: t.sent, Duplicates: t.duplicates, Unanswered: t.failures, Statuses: make(map[string]int), Seconds: took.Seconds()}
	for status, n := range t.statuses {
		out.Statuses[strconv.Itoa(status)] = n
		if status/100 == 2 {
			out.Accepted += n
		}
	}
	out.PerSecond = float64(t.sent) / max(took.Seconds(), 1e-9)
	slices.Sort(t.latencies)
	out.P50, out.P90, out.P99, out.Max = quantile(t.latencies, 0.5), quantile(t.latencies, 0.9), quantile(t.latencies, 0.99), quantile(t.latencies, 1)
	return out
}

// quantile is the nearest rank of sorted durations, in milliseconds.
func quantile(sorted []time.Duration, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	i := int(q*float64(len(sorted))+0.9999999) - 1
	return float64(sorted[min(max(i, 0), len(sorted)-1)].Microseconds()) / 1000
}

func (s *shooter) report(sum volleySum) {
	var parts []string
	for _, status := range slices.Sorted(maps.Keys(sum.Statuses)) {
		code, err := strconv.Atoi(status)
		if err != nil {
			continue
		}
		parts = append(parts, fmt.Sprintf("%d × %s %s", sum.Statuses[status], status, http.StatusText(code)))
	}
	if sum.Unanswered > 0 {
		parts = append(parts, fmt.Sprintf("%d × no answer", sum.Unanswered))
	}
	s.a.io.Printf("sent      %d in %.2f s, %.0f per second\n", sum.Sent, sum.Seconds, sum.PerSecond)
	s.a.io.Printf("answers   %s\n", orDash(strings.Join(parts, ", ")))
	if sum.Duplicates > 0 {
		s.a.io.Printf("of these  %d duplicates\n", sum.Duplicates)
	}
	s.a.io.Printf("latency   p50 %.1f ms, p90 %.1f ms, p99 %.1f ms, max %.1f ms\n", sum.P50, sum.P90, sum.P99, sum.Max)
}
