package server_test

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// TestCrash kills hookd at random moments under load, again and again, and
// accounts for every event: accepted = delivered + pending, and none lost. kill
// -9 says nothing about fsync (the page cache survives it): TestPowerCut does.
func TestCrash(t *testing.T) {
	rounds := 3
	if n, err := strconv.Atoi(os.Getenv("HOOKD_CRASH_ROUNDS")); err == nil {
		rounds = n
	}
	seed := uint64(time.Now().UnixNano())
	if n, err := strconv.ParseUint(os.Getenv("HOOKD_CRASH_SEED"), 10, 64); err == nil {
		seed = n
	}
	t.Logf("%d rounds, HOOKD_CRASH_SEED=%d", rounds, seed)
	rng := rand.New(rand.NewPCG(seed, 1))

	out := newSink(t)
	cfg := newDaemonConfig(t, t.TempDir(), out.url)
	book := newLedger()
	send := newSender("http://"+cfg.listen, book)
	for range rounds {
		d := cfg.start(t)
		ctx, cancel := context.WithCancel(t.Context())
		loaded := make(chan struct{})
		go func() { defer close(loaded); send.run(ctx, 16) }()
		<-time.After(time.Duration(50+rng.IntN(700)) * time.Millisecond)
		d.kill() // while the senders are in the middle of it
		cancel()
		<-loaded
	}

	d := cfg.start(t)
	drain(t, cfg, d)
	d.stop(t)
	account(t, book, out, rounds)
}

// drain waits until nothing is pending.
func drain(t *testing.T, cfg daemonConfig, d *daemon) {
	t.Helper()
	last := -1
	done := poll(5*time.Minute, func() bool {
		n, err := cfg.pending(t.Context())
		last = n
		return err == nil && n == 0
	})
	if !done {
		t.Fatalf("%d deliveries are still pending\n%s", last, tail(d.log.String()))
	}
}

// account compares the sender's ledger with what arrived.
func account(t *testing.T, book *ledger, out *sink, rounds int) {
	t.Helper()
	book.mu.Lock()
	defer book.mu.Unlock()
	out.mu.Lock()
	defer out.mu.Unlock()
	lost, wrong, duplicates, ghosts := 0, 0, 0, 0
	for id, n := range book.accepted {
		switch {
		case out.times[id] == 0:
			lost++
		case out.body[id] != n:
			wrong++
		}
	}
	for id, times := range out.times {
		duplicates += times - 1
		if _, known := book.accepted[id]; !known {
			ghosts++ // stored, but killed before the answer was out
		}
	}
	t.Logf("rounds %d, accepted %d, delivered %d, lost %d, duplicates %d, delivered without an answer %d, requests without an answer %d, refused %v",
		rounds, len(book.accepted), len(out.times), lost, duplicates, ghosts, book.broken, book.refused)
	if len(book.accepted) == 0 {
		t.Error("nothing was accepted: the test proves nothing")
	}
	if lost > 0 {
		t.Errorf("%d accepted events are lost", lost)
	}
	if wrong > 0 {
		t.Errorf("%d events arrived with another's body", wrong)
	}
	if ghosts > book.broken {
		t.Errorf("%d events were delivered that nobody sent", ghosts-book.broken)
	}
}
