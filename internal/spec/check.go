package spec

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// NotEmpty is a check of a text that must have more than white space in it.
func NotEmpty(s string) error {
	if strings.TrimSpace(s) == "" {
		return errors.New("is empty")
	}
	return nil
}

// Between is a check of a duration from lo to hi, both included: whole seconds or
// whole minutes.
func Between(lo, hi time.Duration) func(time.Duration) error {
	return func(d time.Duration) error {
		if d < lo || d > hi {
			return fmt.Errorf("is not between %s and %s", spelled(lo), spelled(hi))
		}
		return nil
	}
}

// spelled writes 1 second, 90 seconds, 2 minutes.
func spelled(d time.Duration) string {
	n, unit := int64(d/time.Second), "second"
	if d%time.Minute == 0 {
		n, unit = int64(d/time.Minute), "minute"
	}
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("%d %s", n, unit)
}
