package pebble_test

import (
	"bufio"
	"context"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/internal/queue/pebble"
)

func seeded(n int) *rand.Rand { return rand.New(rand.NewPCG(uint64(n), 1)) } // #nosec G404 -- a test

const childEnv = "HOOKD_QUEUE_TEST_CHILD"

// childMain makes the test binary a victim: it works on the queue in the named
// folder and says on its output what was acknowledged, until it is killed.
func childMain() {
	dir := os.Getenv(childEnv)
	if dir == "" {
		return
	}
	q, err := pebble.Open(context.Background(), pebble.Options{Dir: dir}.Small())
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	for range 8 {
		go func() {
			for {
				p, err := putOne(context.Background(), q, rand.IntN(8<<10))
				if err != nil {
					fmt.Println("error", err)
					os.Exit(1)
				}
				fmt.Println("acked", hex.EncodeToString(p.ID[:])) // one write, or none
			}
		}()
	}
	for {
		cs, err := q.Claim(context.Background(), lane, 4, time.Minute)
		if err != nil {
			os.Exit(1)
		}
		for _, c := range cs {
			_ = q.Settle(context.Background(), queue.Verdict{Claim: c, Outcome: queue.Outcome(rand.IntN(4)), Code: "x"})
		}
	}
}

// kill -9 at random points loses no acknowledged event.
func TestKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var l ledger
	for round := range long(12, 200) {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		left := 1 + rand.IntN(400)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			line, ok := strings.CutPrefix(lines.Text(), "acked ")
			if !ok {
				t.Fatalf("round %d: the victim says: %s", round, lines.Text())
			}
			raw, err := hex.DecodeString(line)
			if err != nil || len(raw) != 16 {
				break // torn by the kill
			}
			l.add(event.ID(raw))
			if left--; left == 0 {
				_ = cmd.Process.Kill()
			}
		}
		_ = cmd.Wait()
	}
	q := open(t, pebble.Options{Dir: dir}.Small())
	acked := l.all()
	mustHave(t, q, acked, "after the kills")
	if len(acked) == 0 {
		t.Fatal("the victims acknowledged nothing")
	}
}

// A log that was cut short, or whose end is garbage, opens; what is whole in
// it is there.
func TestTornTail(t *testing.T) {
	t.Parallel()
	for n := range long(10, 200) {
		dir, torn := t.TempDir(), t.TempDir()
		q, err := pebble.Open(t.Context(), pebble.Options{Dir: dir}.Small().NoSync())
		if err != nil {
			t.Fatal(err)
		}
		var ids []event.ID
		for range 20 {
			p, err := putOne(t.Context(), q, 500)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, p.ID)
		}
		if err := os.CopyFS(torn, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		closeQueue(t, q)
		logs, err := filepath.Glob(filepath.Join(torn, "*.log"))
		if err != nil || len(logs) == 0 {
			t.Fatalf("no log: %v", err)
		}
		tear(t, logs[len(logs)-1], n)
		q, err = pebble.Open(t.Context(), pebble.Options{Dir: torn}.Small())
		if err != nil {
			t.Fatalf("torn log %d: %v", n, err)
		}
		whole := true
		for _, id := range ids {
			_, err := q.Get(t.Context(), id)
			if err == nil && !whole {
				t.Fatalf("torn log %d: an event behind a lost one is there", n)
			}
			whole = err == nil
		}
		if _, err := putOne(t.Context(), q, 10); err != nil {
			t.Fatalf("torn log %d: %v", n, err)
		}
		closeQueue(t, q)
	}
}

// tear cuts the used part of the log at a random place.
func tear(t *testing.T, name string, n int) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	end := len(b)
	for end > 0 && b[end-1] == 0 {
		end--
	}
	cut := end - rand.IntN(min(end, 3000))
	if n%2 == 0 {
		b = b[:cut]
	} else {
		clear(b[cut:]) // the tail never reached the disk
	}
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
