package authtest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
)

// Marks keeps marks as the gate does: each counts once, and all of a request or
// none. The zero value is empty. It is safe for concurrent use.
type Marks struct {
	mu   sync.Mutex
	seen map[string]time.Time
}

// Take reports whether none of the marks was taken before, and takes them then.
// A mark is forgotten after its time.
func (m *Marks) Take(now time.Time, marks []auth.Once) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, o := range marks {
		if until, ok := m.seen[o.Key]; ok && !now.After(until) {
			return false
		}
	}
	if m.seen == nil {
		m.seen = make(map[string]time.Time)
	}
	for _, o := range marks {
		m.seen[o.Key] = o.Until
	}
	return true
}

// PassesOnce verifies the same request 200 times at once: each time it holds,
// and its marks let exactly one through, now and for as long as it would hold.
func PassesOnce(t *testing.T, v auth.Verifier, r *auth.Request) {
	t.Helper()
	const n = 200
	var marks Marks
	var wg sync.WaitGroup
	passed := make(chan auth.Identity, n)
	for range n {
		wg.Go(func() {
			id, err := v.Verify(context.Background(), r)
			switch {
			case err != nil:
				t.Errorf("refused: %v", err)
			case len(id.Once) == 0:
				t.Error("no mark")
			case marks.Take(r.Now, id.Once):
				passed <- id
			}
		})
	}
	wg.Wait()
	if len(passed) != 1 {
		t.Fatalf("%d of %d passed, want 1", len(passed), n)
	}
	for _, o := range (<-passed).Once {
		if o.Key == "" || len(o.Key) > 128 || o.Until.Before(r.Now) {
			t.Errorf("mark of %d bytes until %s", len(o.Key), o.Until)
		}
		late := *r
		late.Now = o.Until.Add(time.Second)
		if _, err := v.Verify(context.Background(), &late); err == nil {
			t.Error("holds for longer than its mark")
		}
	}
}
