package link

import (
	"strconv"
	"testing"
	"time"
)

func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"", "0", "120", "-1", "1.5", "99999999999999999999", "Fri, 31 Dec 1999 23:59:59 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Wed, 01 Jan 9999 00:00:00 GMT", " 7 "} {
		f.Add(s)
	}
	now := time.Date(1999, 12, 31, 23, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		after, asked := RetryAfter(s, now)
		if after < 0 || after > maxRetryAfter || asked != (after > 0) {
			t.Errorf("%q: %v, %v", s, after, asked)
		}
		if n, err := strconv.ParseUint(s, 10, 32); err == nil && after != min(time.Duration(n)*time.Second, maxRetryAfter) {
			t.Errorf("%q: %v", s, after)
		}
	})
}

func TestRetryAfterForms(t *testing.T) {
	t.Parallel()
	now := time.Date(1994, 11, 6, 8, 49, 0, 0, time.UTC)
	for _, c := range []struct {
		text  string
		after time.Duration
	}{
		{"", 0},
		{"0", 0},
		{"37", 37 * time.Second},
		{" 37 ", 37 * time.Second},
		{"-37", 0},
		{"+37", 0},
		{"3.7", 0},
		{"86401", 24 * time.Hour},
		{"Sun, 06 Nov 1994 08:49:37 GMT", 37 * time.Second},  // IMF-fixdate
		{"Sunday, 06-Nov-94 08:49:37 GMT", 37 * time.Second}, // RFC 850
		{"Sun Nov  6 08:49:37 1994", 37 * time.Second},       // asctime
		{"Sun, 06 Nov 1994 08:48:37 GMT", 0},
		{"Sun, 06 Nov 2094 08:48:37 GMT", 24 * time.Hour},
		{"tomorrow", 0},
	} {
		if after, asked := RetryAfter(c.text, now); after != c.after || asked != (c.after > 0) {
			t.Errorf("%q: %v, %v", c.text, after, asked)
		}
	}
}
