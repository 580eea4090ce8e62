package scheme

import (
	"strconv"
	"time"

	"github.com/hookd/hookd/auth"
)

// clock is a compiled Time.
type clock struct {
	at           Source
	format       TimeFormat
	past, future time.Duration
}

// Check refuses a time as the clock of a description does, for senders that
// need code. The code is empty when the time is within the tolerance.
func (t Time) Check(now time.Time, text string) (code string) {
	c := clock{format: t.Format, past: t.Tolerance, future: t.Future}
	if c.future == 0 {
		c.future = c.past
	}
	return c.check(now, text)
}

// check refuses a time outside the tolerance; both ends are inside. Times of
// whole seconds are compared in whole seconds, as the senders' own libraries
// do.
func (c *clock) check(now time.Time, text string) (code string) {
	at, ok := c.format.parse(text)
	if !ok {
		return auth.CodeMalformed
	}
	if c.past == 0 {
		return ""
	}
	if c.format == Unix {
		now = now.Truncate(time.Second)
	}
	// Sub saturates, so that a time far off stays far off.
	switch age := now.Sub(at); {
	case age > c.past:
		return auth.CodeTimestampTooOld
	case age < -c.future:
		return auth.CodeTimestampInFuture
	}
	return ""
}

func (f TimeFormat) parse(text string) (time.Time, bool) {
	if f == RFC3339 {
		t, err := time.Parse(time.RFC3339, text)
		return t, err == nil
	}
	if len(text) == 0 || len(text) > 15 { // ends in the year 31,000,000 or 33,000
		return time.Time{}, false
	}
	n := int64(0)
	for i := range len(text) {
		c := text[i]
		if c < '0' || c > '9' {
			return time.Time{}, false
		}
		n = n*10 + int64(c-'0')
	}
	if f == UnixMilli {
		return time.UnixMilli(n), true
	}
	return time.Unix(n, 0), true
}

func (f TimeFormat) text(t time.Time) string {
	switch f {
	case Unix:
		return strconv.FormatInt(t.Unix(), 10)
	case UnixMilli:
		return strconv.FormatInt(t.UnixMilli(), 10)
	case RFC3339:
	}
	return t.UTC().Format(time.RFC3339Nano)
}
