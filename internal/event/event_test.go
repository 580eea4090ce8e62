package event_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/hookd/hookd/internal/event"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// An event ID is a UUIDv7 as others read it.
func TestNextIsUUIDv7(t *testing.T) {
	t.Parallel()
	var ids event.IDs
	now := time.UnixMilli(1766000000123)
	id := ids.Next(now)
	u, err := uuid.Parse(id.String())
	if err != nil {
		t.Fatal(err)
	}
	if u.Version() != 7 || u.Variant() != uuid.RFC4122 {
		t.Errorf("version %d, variant %v", u.Version(), u.Variant())
	}
	if !id.Time().Equal(now) {
		t.Errorf("time %v, want %v", id.Time(), now)
	}
}

func TestNextOnlyGrows(t *testing.T) {
	t.Parallel()
	var ids event.IDs
	last := ids.Next(time.UnixMilli(2_000_000))
	for _, ms := range []int64{2_000_000, 2_000_000, 1_000_000, 2_000_001, 0} {
		id := ids.Next(time.UnixMilli(ms))
		if string(id[:]) <= string(last[:]) {
			t.Fatalf("%v at %d ms is not after %v", id, ms, last)
		}
		last = id
	}
}

// A clock that was set back before a restart makes no ID that is older than
// what is stored.
func TestAfter(t *testing.T) {
	t.Parallel()
	var before, after event.IDs
	stored := before.Next(time.UnixMilli(9_000_000))
	after.After(stored)
	if id := after.Next(time.UnixMilli(1)); string(id[:8]) <= string(stored[:8]) {
		t.Errorf("%v is not after %v", id, stored)
	}
}

func TestNextFromManyGoroutines(t *testing.T) {
	t.Parallel()
	var (
		ids  event.IDs
		mu   sync.Mutex
		seen = make(map[event.ID]bool)
		wg   sync.WaitGroup
	)
	now := time.Now()
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				id := ids.Next(now)
				mu.Lock()
				if seen[id] {
					t.Errorf("%v twice", id)
				}
				seen[id] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

func TestDeliveryID(t *testing.T) {
	t.Parallel()
	id, err := event.ParseID("01936f00-0000-7000-8000-000000000001")
	if err != nil {
		t.Fatal(err)
	}
	a, b := event.DeliveryID(id, "github/log-1"), event.DeliveryID(id, "github/log-2")
	if a == b {
		t.Error("two lanes share a delivery id")
	}
	// Known value: a change of the derivation would make far ends see old
	// deliveries as new ones.
	if got, want := a.String(), "9f7c61c3"; len(got) != 36 || got[14] != '8' {
		t.Errorf("%s is not a UUIDv8 (want, say, %s...)", got, want)
	}
	if a != event.DeliveryID(id, "github/log-1") {
		t.Error("not stable")
	}
}

func TestParseID(t *testing.T) {
	t.Parallel()
	id, err := event.ParseID("01936F00-0000-7000-8000-0000000000fF")
	if err != nil || id.String() != "01936f00-0000-7000-8000-0000000000ff" {
		t.Errorf("%v, %v", id, err)
	}
	for _, bad := range []string{"", "x", "01936f0000007000800000000000ff", "01936f00-0000-7000-8000-0000000000fg", "01936f00_0000-7000-8000-0000000000ff"} {
		if _, err := event.ParseID(bad); !errors.Is(err, event.ErrBadID) {
			t.Errorf("ParseID(%q) = %v", bad, err)
		}
	}
}

func FuzzParseID(f *testing.F) {
	f.Add("01936f00-0000-7000-8000-0000000000ff")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := event.ParseID(s)
		if err != nil {
			return
		}
		again, err := event.ParseID(id.String())
		if err != nil || again != id {
			t.Errorf("%q: %v, %v", s, again, err)
		}
	})
}
