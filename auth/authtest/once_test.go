package authtest_test

import (
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
)

func TestMarks(t *testing.T) {
	t.Parallel()
	var m authtest.Marks
	at := authtest.Now
	mark := func(key string, after time.Duration) auth.Once { return auth.Once{Key: key, Until: at.Add(after)} }
	for i, c := range []struct {
		now   time.Duration
		marks []auth.Once
		want  bool
	}{
		{0, nil, true},
		{0, []auth.Once{mark("a", time.Minute)}, true},
		{0, []auth.Once{mark("a", time.Hour)}, false},
		{0, []auth.Once{mark("b", time.Hour), mark("a", time.Minute)}, false}, // takes none
		{0, []auth.Once{mark("b", time.Hour)}, true},
		{time.Minute, []auth.Once{mark("a", time.Hour)}, false},
		{time.Minute + 1, []auth.Once{mark("a", time.Hour)}, true}, // forgotten
		{time.Minute + 1, []auth.Once{mark("a", time.Hour)}, false},
	} {
		if got := m.Take(at.Add(c.now), c.marks); got != c.want {
			t.Errorf("%d: %v, want %v", i, got, c.want)
		}
	}
}
