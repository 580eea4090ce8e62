package cmd

import (
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookd/hookd/server/admin"
)

// filterOptions narrow a list of events.
type filterOptions struct {
	hook, lane, status, typ, since, until string
}

// statuses are those of a delivery.
var statuses = []string{"pending", "delayed", "delivered", "filtered", "dead"}

func (o *filterOptions) bind(c *cobra.Command, status bool) {
	f := c.Flags()
	f.StringVar(&o.hook, "hook", "", "only of this `hook`")
	f.StringVar(&o.lane, "lane", "", "only of this `lane` (HOOK/DESTINATION)")
	f.StringVar(&o.typ, "type", "", "only of this event `type`")
	f.StringVar(&o.since, "since", "", "accepted since: a `time`, or an age such as 2h")
	f.StringVar(&o.until, "until", "", "accepted before: a `time`, or an age")
	if status {
		f.StringVar(&o.status, "status", "", "only with a delivery that is "+strings.Join(statuses, ", "))
		_ = c.RegisterFlagCompletionFunc("status", completeFlag(func() []string { return statuses }))
	}
}

func (o *filterOptions) empty() bool { return *o == filterOptions{} }

// filter checks the options.
func (o *filterOptions) filter(now time.Time) (admin.Filter, error) {
	f := admin.Filter{Hook: o.hook, Lane: o.lane, Status: o.status, Type: o.typ}
	var err error
	if f.Since, err = moment("--since", o.since, now); err != nil {
		return f, err
	}
	if f.Until, err = moment("--until", o.until, now); err != nil {
		return f, err
	}
	if !f.Since.IsZero() && !f.Until.IsZero() && !f.Since.Before(f.Until) {
		return f, usagef("--since is not before --until")
	}
	return f, oneOf("--status", o.status, statuses)
}

// oneOf checks the value of a flag; a flag that is not set is fine.
func oneOf(name, value string, known []string) error {
	if value == "" {
		return nil
	}
	for _, k := range known {
		if k == value {
			return nil
		}
	}
	return usagef("%s %q is not one of %s%s", name, value, strings.Join(known, ", "), hint(value, known))
}

// moment reads a time (RFC 3339, or a date and time without a zone: local), or
// how long ago it was: 90s, 2h, 7d.
func moment(name, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, ok := age(text); ok {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usagef("%s %q is no time such as 2026-01-31T12:00:00Z and no age such as 2h", name, text)
}

func age(text string) (time.Duration, bool) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 15); err == nil {
			return time.Duration(n) * 24 * time.Hour, true
		}
	}
	d, err := time.ParseDuration(text)
	return d, err == nil && d >= 0
}
