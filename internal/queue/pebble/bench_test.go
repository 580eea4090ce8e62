package pebble_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/internal/queue/pebble"
)

// webhook is a body of 5 KB that compresses as JSON does.
func webhook() []byte {
	var b bytes.Buffer
	b.WriteString(`{"ref":"refs/heads/main","commits":[`)
	for i := 0; b.Len() < 5000; i++ {
		fmt.Fprintf(&b, `{"id":"%x","message":"fix the thing number %d","author":{"name":"someone","email":"s%d@example.com"},"url":"https://example.com/c/%x"},`,
			i*7919*104729, i, i*31, i*15485863)
	}
	return append(b.Bytes(), "null]}"...)
}

var header = http.Header{
	"User-Agent": {"GitHub-Hookshot/044aadd"}, "Content-Type": {"application/json"}, "Accept": {"*/*"},
	"X-Github-Event": {"push"}, "X-Github-Delivery": {"72d3162e-cc78-11e3-81ab-4c9367dc0958"}, "X-Github-Hook-Id": {"292430182"},
}

var sequence atomic.Int64

func webhookItem(body []byte, now time.Time) queue.Item {
	return queue.Item{
		Event:     &event.Event{Hook: "github", Type: "push", Received: now, Header: header, Body: body},
		Lanes:     []string{"github/kafka-1"},
		DedupeKey: "github/" + strconv.FormatInt(sequence.Add(1), 10), DedupeWindow: 24 * time.Hour,
	}
}

func benchQueue(b *testing.B, dir string) *pebble.Queue {
	b.Helper()
	return open(b, pebble.Options{Dir: dir, MaxDisk: 60 << 30, HistoryBytes: 50 << 30})
}

func benchPut(b *testing.B, q *pebble.Queue, parallel int) {
	b.Helper()
	body := webhook()
	b.ReportAllocs()
	b.ResetTimer()
	var n atomic.Int64
	var wg sync.WaitGroup
	for range parallel {
		wg.Go(func() {
			for n.Add(1) <= int64(b.N) {
				if _, err := q.Put(b.Context(), webhookItem(body, time.Now())); err != nil {
					b.Errorf("Put: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "puts/s")
}

func BenchmarkPut(b *testing.B) {
	for _, parallel := range []int{1, 16, 64, 256} {
		b.Run(strconv.Itoa(parallel), func(b *testing.B) {
			benchPut(b, benchQueue(b, b.TempDir()), parallel)
		})
	}
}

func BenchmarkClaimSettle(b *testing.B) {
	for _, batch := range []int{1, 16} {
		b.Run(strconv.Itoa(batch), func(b *testing.B) {
			q := benchQueue(b, b.TempDir())
			fill(b, q, b.N)
			b.ReportAllocs()
			b.ResetTimer()
			var n atomic.Int64
			var wg sync.WaitGroup
			for range 16 {
				wg.Go(func() {
					for n.Load() < int64(b.N) {
						ctx, cancel := contextOf(b, 50*time.Millisecond)
						cs, err := q.Claim(ctx, "github/kafka-1", batch, time.Minute)
						cancel()
						if err != nil {
							return
						}
						vs := make([]queue.Verdict, len(cs))
						for i, c := range cs {
							vs[i] = queue.Verdict{Claim: c, Outcome: queue.Done, Code: "ok", Note: "204 No Content"}
						}
						if err := q.Settle(b.Context(), vs...); err != nil {
							b.Errorf("Settle: %v", err)
						}
						n.Add(int64(len(cs)))
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
		})
	}
}

// fill puts n events with 256 writers.
func fill(b *testing.B, q *pebble.Queue, n int) {
	b.Helper()
	body := webhook()
	var left atomic.Int64
	left.Store(int64(n))
	var wg sync.WaitGroup
	for range 256 {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if _, err := q.Put(b.Context(), webhookItem(body, time.Now())); err != nil {
					b.Errorf("Put: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// backlog is how many events the benchmarks with a backlog queue up before.
func backlog() int {
	if n, err := strconv.Atoi(os.Getenv("HOOKD_BENCH_BACKLOG")); err == nil {
		return n
	}
	return 100_000
}

func BenchmarkPutWithBacklog(b *testing.B) {
	q := benchQueue(b, b.TempDir())
	fill(b, q, backlog())
	for _, parallel := range []int{64} {
		b.Run(strconv.Itoa(parallel), func(b *testing.B) { benchPut(b, q, parallel) })
	}
	b.Logf("backlog %d, resident memory %s", backlog(), rss())
}

func BenchmarkOpenBacklog(b *testing.B) {
	dir := b.TempDir()
	q := benchQueue(b, dir)
	fill(b, q, backlog())
	closeQueue(b, q)
	b.ResetTimer()
	var ready, counted time.Duration
	for range b.N {
		start := time.Now()
		q, err := pebble.Open(b.Context(), pebble.Options{Dir: dir, MaxDisk: 60 << 30, HistoryBytes: 50 << 30})
		if err != nil {
			b.Fatal(err)
		}
		cs, err := q.Claim(b.Context(), "github/kafka-1", 1, time.Minute)
		if err != nil || len(cs) != 1 {
			b.Fatalf("Claim: %v", err)
		}
		ready += time.Since(start)
		d, err := q.Depth(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		counted += time.Since(start)
		if got := d["github/kafka-1"]; got.Ready+got.Leased != backlog() {
			b.Fatalf("depth %+v; want %d", got, backlog())
		}
		closeQueue(b, q)
	}
	b.ReportMetric(ready.Seconds()/float64(b.N), "s/first-claim")
	b.ReportMetric(counted.Seconds()/float64(b.N), "s/depth")
	b.Logf("backlog %d, resident memory %s", backlog(), rss())
}

// rss is the resident memory of the process, where the system tells.
func rss() string {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if v, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			return strings.TrimSpace(v)
		}
	}
	return "unknown"
}
