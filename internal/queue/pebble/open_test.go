package pebble_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	engine "github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/internal/queue/pebble"
)

func refuses(t *testing.T, dir string, want ...string) {
	t.Helper()
	q, err := pebble.Open(t.Context(), pebble.Options{Dir: dir})
	if err == nil {
		closeQueue(t, q)
		t.Fatalf("Open of %s succeeds", dir)
	}
	for _, w := range append(want, dir) {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q; want it to say %q", err, w)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	t.Run("a folder of something else", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "thesis.doc"), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		refuses(t, dir, "thesis.doc", "folder of its own")
		names, _ := os.ReadDir(dir)
		if len(names) != 1 {
			t.Fatalf("the folder was touched: %v", names)
		}
	})
	for name, c := range map[string]struct{ key, value, want string }{
		"a foreign store": {"key", "value", "is not a hookd queue"},
		"a newer format":  {"!format", "hookd queue, format 2\n", "newer hookd"},
		"a broken format": {"!format", "hookd queue, format x\n", "is not a hookd queue"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			db, err := engine.Open(dir, &engine.Options{FormatMajorVersion: engine.FormatNewest})
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Set([]byte(c.key), []byte(c.value), engine.Sync); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			refuses(t, dir, c.want)
		})
	}
	t.Run("a folder in use", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		q := open(t, pebble.Options{Dir: dir})
		refuses(t, dir, "in use")
		closeQueue(t, q)
		open(t, pebble.Options{Dir: dir})
	})
}

func TestFilesArePrivate(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("no modes")
	}
	dir := filepath.Join(t.TempDir(), "data", "queue")
	q := open(t, pebble.Options{Dir: dir}.Small())
	for range 300 {
		if _, err := putOne(t.Context(), q, 4<<10); err != nil {
			t.Fatal(err)
		}
	}
	for i := 0; ; i++ {
		tables, _ := filepath.Glob(filepath.Join(dir, "*.sst"))
		if len(tables) > 0 || i > 1000 {
			break
		}
		<-time.After(5 * time.Millisecond)
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Fatalf("folder: %v, %v", info.Mode(), err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		var mode os.FileMode
		for range 100 { // a file is made, then made private, in a folder that is
			info, err := os.Stat(filepath.Join(dir, e.Name()))
			if err != nil { // gone
				mode = 0o600
				break
			}
			if mode = info.Mode().Perm(); mode == 0o600 {
				break
			}
			<-time.After(5 * time.Millisecond)
		}
		if mode != 0o600 {
			t.Errorf("%s: mode %v", e.Name(), mode)
		}
	}
}

// What cannot be read is set aside; the rest goes on.
func TestDamagedEvent(t *testing.T) {
	t.Parallel()
	q := open(t, pebble.Options{Dir: t.TempDir()}.Small())
	var ids []event.ID
	for range 6 {
		p, err := putOne(t.Context(), q, 500)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, p.ID)
	}
	q.Damage('e', ids[1])
	q.Damage('b', ids[3])
	q.Lose('b', ids[4])
	var got []event.ID
	for len(got) < 3 {
		cs, err := q.Claim(t.Context(), lane, 2, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cs {
			got = append(got, c.Event.ID)
			if err := q.Settle(t.Context(), queue.Verdict{Claim: c}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got[0] != ids[0] || got[1] != ids[2] || got[2] != ids[5] {
		t.Fatalf("claimed %v", got)
	}
	ctx, cancel := contextOf(t, 30*time.Millisecond)
	defer cancel()
	if cs, err := q.Claim(ctx, lane, 1, time.Minute); err == nil {
		t.Fatalf("claimed %v", cs)
	}
	d, err := q.Depth(t.Context())
	if err != nil || d[lane] != (queue.Depth{Dead: 3}) {
		t.Fatalf("depth %+v, %v", d, err)
	}
	// They can be seen, and thrown away, like any other; and so can the rest.
	q.Lose('e', ids[4])
	dead, err := q.Dead(t.Context(), queue.Filter{}, "", 10)
	if err != nil || len(dead.Records) != 3 {
		t.Fatalf("%d dead letters, %v", len(dead.Records), err)
	}
	for i, r := range dead.Records {
		if r.Event.ID != ids[4-[]int{0, 1, 3}[i]] || r.Event.Received.IsZero() || r.Deliveries[0].Code != "unreadable" {
			t.Errorf("dead letter %+v of %s", r.Deliveries, r.Event.ID)
		}
	}
	all, err := q.List(t.Context(), queue.Filter{}, "", 10)
	if err != nil || len(all.Records) != 5 { // ids[4] is not there any more
		t.Fatalf("%d events, %v", len(all.Records), err)
	}
	if n, err := q.Purge(t.Context(), queue.Filter{}); n != 3 || err != nil {
		t.Fatalf("purged %d, %v", n, err)
	}
}

// The reserve on the disk is kept, and its return is noticed.
func TestMinFree(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 40})
	o := pebble.Options{Dir: "q"}.Small().On(mem)
	o.MinFree = 100 << 20
	q := open(t, o)
	until := func(full bool) {
		t.Helper()
		for range 2000 {
			_, err := putOne(t.Context(), q, 10)
			if s := q.State(); s.Full == full && (err != nil) == full {
				return
			}
			<-time.After(5 * time.Millisecond)
		}
		t.Fatalf("full is not %v", full)
	}
	until(false)
	for range 3 {
		mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 99 << 20})
		until(true)
		mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 101 << 20})
		until(false)
	}
}

// Retention removes what is settled around what is not.
func TestRetentionKeepsIslands(t *testing.T) {
	t.Parallel()
	c := &clock{}
	q := open(t, pebble.Options{Dir: t.TempDir(), Now: c.Now, HistoryAge: time.Hour}.Small())
	keep := map[event.ID]bool{}
	const events = 3000
	for range events {
		if _, err := putOne(t.Context(), q, 10); err != nil {
			t.Fatal(err)
		}
	}
	for n := 0; n < events; {
		cs, err := q.Claim(t.Context(), lane, 100, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		for _, cl := range cs {
			v := queue.Verdict{Claim: cl, Outcome: queue.Done}
			switch n++; {
			case n%500 == 0:
				v.Outcome = queue.Dead
			case n%501 == 0:
				v.Outcome, v.At = queue.Later, c.Now().Add(100*time.Hour)
			case n%502 == 0:
				v.Next = "another"
			}
			if v.Outcome != queue.Done || v.Next != "" {
				keep[cl.Event.ID] = true
			}
			if err := q.Settle(t.Context(), v); err != nil {
				t.Fatal(err)
			}
		}
	}
	c.Advance(2 * time.Hour)
	for range 2000 {
		left := 0
		for cursor, more := "", true; more; more = cursor != "" {
			p, err := q.List(t.Context(), queue.Filter{}, cursor, 500)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range p.Records {
				if left++; keep[r.Event.ID] {
					continue
				}
			}
			cursor = p.Next
		}
		if left == len(keep) {
			break
		}
		<-time.After(5 * time.Millisecond)
	}
	for id := range keep {
		if _, err := q.Get(t.Context(), id); err != nil {
			t.Fatalf("event %s: %v", id, err)
		}
	}
	p, err := q.List(t.Context(), queue.Filter{}, "", events)
	if err != nil || len(p.Records) != len(keep) {
		t.Fatalf("%d left, %v; want the %d that are not settled", len(p.Records), err, len(keep))
	}
}

// A disk that fails while the queue is opened is an error that says so; what
// is stored is there when the disk is well again.
func TestOpenOnFailingDisk(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	o := pebble.Options{Dir: "q"}.Small()
	q := open(t, o.On(mem))
	var l ledger
	for range 100 {
		p, err := putOne(t.Context(), q, 4<<10)
		if err != nil {
			t.Fatal(err)
		}
		l.add(p.ID)
	}
	closeQueue(t, q)
	for n := range 200 {
		in := &inject{err: &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}}
		in.left.Store(int64(n))
		q, err := pebble.Open(t.Context(), o.On(errorfs.Wrap(mem, in)))
		if err == nil { // it came through
			in.off.Store(true)
			closeQueue(t, q)
			if n == 0 {
				t.Fatal("Open succeeds on a disk that cannot be written")
			}
			break
		}
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "q") {
			t.Fatalf("write %d: %v", n, err)
		}
	}
	q = open(t, o.On(mem))
	mustHave(t, q, l.all(), "after all")
}

// One Claim brings no more than a share of the memory to hold, however many it
// may take; what is left comes with the next, in order.
func TestClaimIsBounded(t *testing.T) {
	t.Parallel()
	const size, total = 1 << 20, 96
	q := open(t, pebble.Options{Dir: t.TempDir()}.Small())
	var want []event.ID
	for range total {
		p, err := putOne(t.Context(), q, size)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, p.ID)
	}
	var got []event.ID
	for len(got) < total {
		ctx, cancel := contextOf(t, time.Minute)
		cs, err := q.Claim(ctx, lane, 10_000, time.Minute)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		if len(cs) > 33 {
			t.Fatalf("a claim of %d MiB", len(cs))
		}
		for _, c := range cs {
			got = append(got, c.Event.ID)
		}
	}
	if !slices.Equal(got, want) {
		t.Error("not in order, or not all")
	}
	d, err := q.Depth(t.Context())
	if err != nil || d[lane].Leased != total || d[lane].Ready != 0 {
		t.Errorf("%+v, %v", d[lane], err)
	}
}

// A dead letter is kept for its own time, not for that of another lane's.
func TestOldDeadLetters(t *testing.T) {
	t.Parallel()
	c := &clock{}
	q := open(t, pebble.Options{Dir: t.TempDir(), Now: c.Now, DeadAge: 30 * 24 * time.Hour, HistoryAge: time.Hour}.Small())
	kill := func(lane string) {
		t.Helper()
		cs, err := q.Claim(t.Context(), lane, 1, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if err := q.Settle(t.Context(), queue.Verdict{Claim: cs[0], Outcome: queue.Dead}); err != nil {
			t.Fatal(err)
		}
	}
	p, err := q.Put(t.Context(), queue.Item{Event: &event.Event{Hook: "h", Received: c.Now()}, Lanes: []string{"h/a", "h/b"}})
	if err != nil {
		t.Fatal(err)
	}
	kill("h/a")
	kill("h/b")
	c.Advance(29 * 24 * time.Hour)
	if n, err := q.Replay(t.Context(), p.ID, "h/b"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	kill("h/b")
	c.Advance(2 * 24 * time.Hour)
	for left, tries := 2, 0; left > 1; tries++ {
		r, err := q.Dead(t.Context(), queue.Filter{}, "", 10)
		if err != nil || len(r.Records) == 0 || tries > 2000 {
			t.Fatalf("%d left after %d looks, %v", len(r.Records), tries, err)
		}
		left = len(r.Records[0].Deliveries)
		if left == 1 && r.Records[0].Deliveries[0].Lane != "h/b" {
			t.Error("the wrong one is gone")
		}
		<-time.After(5 * time.Millisecond)
	}
}

// What cannot be read of one event keeps no other from being settled.
func TestSettleBesideDamage(t *testing.T) {
	t.Parallel()
	q := open(t, pebble.Options{Dir: t.TempDir()}.Small())
	var ids []event.ID
	for range 2 {
		p, err := putOne(t.Context(), q, 500)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, p.ID)
	}
	cs, err := q.Claim(t.Context(), lane, 2, time.Minute)
	if err != nil || len(cs) != 2 {
		t.Fatalf("%d claims, %v", len(cs), err)
	}
	q.Lose('e', ids[0])
	if err := q.Settle(t.Context(), queue.Verdict{Claim: cs[0], Next: "hook/dest-2"}, queue.Verdict{Claim: cs[1], Next: "hook/dest-2"}); err != nil {
		t.Fatal(err)
	}
	next, err := q.Claim(t.Context(), "hook/dest-2", 2, time.Minute)
	if err != nil || len(next) != 1 || next[0].Event.ID != ids[1] {
		t.Fatalf("%d claims, %v", len(next), err)
	}
	d, err := q.Depth(t.Context())
	if err != nil || d[lane] != (queue.Depth{}) || d["hook/dest-2"].Dead != 1 {
		t.Errorf("%+v, %v", d, err)
	}
}
