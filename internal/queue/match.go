package queue

import "unicode/utf8"

// MaxNote is how many bytes of a Verdict's Note are kept.
const MaxNote = 2 << 10

// ClipNote cuts a note to MaxNote bytes, never inside a character.
func ClipNote(s string) string {
	if len(s) <= MaxNote {
		return s
	}
	cut := MaxNote
	for cut > MaxNote-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut]
}

// MatchEvent reports whether the event's own fields pass the filter. It does
// not look at deliveries, so that a backend can skip reading them.
func (f Filter) MatchEvent(r Record) bool {
	e := r.Event
	switch {
	case f.Hook != "" && f.Hook != e.Hook,
		f.Type != "" && f.Type != e.Type,
		!f.Since.IsZero() && e.Received.Before(f.Since),
		!f.Until.IsZero() && !e.Received.Before(f.Until):
		return false
	}
	return true
}

// MatchDelivery reports whether one delivery passes the filter's Lane and
// Status.
func (f Filter) MatchDelivery(d DeliveryState) bool {
	return (f.Lane == "" || f.Lane == d.Lane) && (f.Status == "" || f.Status == d.Status)
}

// Match reports whether the whole record passes the filter.
func (f Filter) Match(r Record) bool {
	if !f.MatchEvent(r) {
		return false
	}
	if f.Lane == "" && f.Status == "" {
		return true
	}
	for _, d := range r.Deliveries {
		if f.MatchDelivery(d) {
			return true
		}
	}
	return false
}
