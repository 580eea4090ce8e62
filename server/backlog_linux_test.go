package server_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestBacklog fills the queue with deliveries to a dead destination beside a
// live one, and measures memory, the rate of acceptance, the live lane and the
// restart. It runs with HOOKD_BACKLOG=N events.
func TestBacklog(t *testing.T) {
	total, err := strconv.Atoi(os.Getenv("HOOKD_BACKLOG"))
	if err != nil {
		t.Skip("set HOOKD_BACKLOG to the number of events")
	}
	live := newSink(t)
	dead := "http://" + freeAddr(t) + "/" // nothing listens there
	cfg := newDaemonConfig(t, t.TempDir(), live.url, dead)
	d := cfg.start(t)

	book := newLedger()
	send := newSender("http://"+cfg.listen, book)
	probe := total / 20
	var sent atomic.Int64
	load := func(n int) (rate float64) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		goal := sent.Load() + int64(n)
		next := send.next
		send.next = func() int {
			if sent.Add(1) >= goal {
				cancel()
			}
			return next()
		}
		defer func() { send.next = next }()
		start := time.Now()
		send.run(ctx, 64)
		return float64(n) / time.Since(start).Seconds()
	}

	empty := load(probe)
	t.Logf("empty queue: %.0f accepted/s, RSS %d MiB", empty, rss(t, d)>>20)
	peak := int64(0)
	var last float64
	for done := probe; done < total; done += probe {
		last = load(probe)
		peak = max(peak, rss(t, d))
		t.Logf("%8d events: %.0f accepted/s, RSS %d MiB", done+probe, last, rss(t, d)>>20)
	}
	book.mu.Lock()
	accepted := len(book.accepted)
	t.Logf("accepted %d, refused %v, broken %d", accepted, book.refused, book.broken)
	book.mu.Unlock()

	caughtUp := poll(2*time.Minute, func() bool {
		live.mu.Lock()
		defer live.mu.Unlock()
		return len(live.times) >= accepted
	})
	if !caughtUp {
		t.Errorf("the live lane has %d of %d events", len(live.times), accepted)
	}
	pending, err := cfg.pending(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("backlog of the dead lane: %d", pending)

	d.kill()
	start := time.Now()
	d = cfg.start(t)
	ready := time.Since(start)
	after := load(probe)
	peak = max(peak, rss(t, d))
	t.Logf("restart to ready %s; then %.0f accepted/s; peak RSS %d MiB; accept rate with the backlog %.2f of the empty queue's",
		ready.Round(time.Millisecond), after, peak>>20, last/empty)
	if peak > 256<<20 {
		t.Errorf("RSS reached %d MiB, more than 256", peak>>20)
	}
	d.stop(t)
}

// rss is the resident memory of the daemon in bytes.
func rss(t *testing.T, d *daemon) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseInt(strings.Fields(v)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kb << 10
		}
	}
	t.Fatal("no VmRSS")
	return 0
}
