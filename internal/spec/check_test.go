package spec_test

import (
	"testing"
	"time"

	"github.com/hookd/hookd/internal/spec"
)

func TestChecks(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{"": false, " \t\n": false, "a": true, " a ": true} {
		if err := spec.NotEmpty(text); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
	check := spec.Between(time.Second, 10*time.Minute)
	for d, ok := range map[time.Duration]bool{
		0: false, time.Second - 1: false, time.Second: true, 10 * time.Minute: true, 10*time.Minute + 1: false,
	} {
		if err := check(d); (err == nil) != ok || err != nil && err.Error() != "is not between 1 second and 10 minutes" {
			t.Errorf("%v: %v", d, err)
		}
	}
	if err := spec.Between(90*time.Second, time.Minute)(0); err == nil || err.Error() != "is not between 90 seconds and 1 minute" {
		t.Error(err)
	}
}
