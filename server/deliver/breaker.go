package deliver

import "time"

// BreakerState is how a lane's breaker stands.
type BreakerState string

// The states of a breaker.
const (
	BreakerClosed   BreakerState = "closed"    // deliveries flow
	BreakerOpen     BreakerState = "open"      // nothing is claimed
	BreakerHalfOpen BreakerState = "half_open" // one delivery probes
)

// The bounds of a breaker.
const (
	breakerFailures = 5 // in a row
	breakerMin      = time.Second
	breakerMax      = time.Minute
)

// breaker stops a lane whose far end does not work: five failures in a row open
// it, after a wait one delivery probes, a success closes it. A refusal of one
// delivery is a success here, for the far end answered. Its runner's lock
// guards it.
type breaker struct {
	state    BreakerState // "" is closed
	failures int          // in a row
	wait     time.Duration
	until    time.Time // open until then
	probing  bool      // half open, and the probe is under way
}

func (b *breaker) current() BreakerState {
	if b.state == "" {
		return BreakerClosed
	}
	return b.state
}

// allow says how many may be claimed: -1 is any number. With 0, wait is how
// long until that may change; 0 is until something is reported.
func (b *breaker) allow(now time.Time) (n int, wait time.Duration) {
	switch b.current() {
	case BreakerOpen:
		if wait = b.until.Sub(now); wait > 0 {
			return 0, wait
		}
		b.state = BreakerHalfOpen
		return 1, 0
	case BreakerHalfOpen:
		if b.probing {
			return 0, 0
		}
		return 1, 0
	default:
		return -1, 0
	}
}

func (b *breaker) success() {
	*b = breaker{}
}

// failure counts a failure. One that comes while it is not closed, and is not
// the probe's, belongs to a send that began before, and changes nothing.
func (b *breaker) failure(now time.Time, after time.Duration, probe bool) {
	b.failures++
	switch {
	case b.current() == BreakerClosed && b.failures >= breakerFailures:
		b.wait = breakerMin
	case b.current() == BreakerHalfOpen && probe:
		b.wait = min(2*b.wait, breakerMax)
	default:
		return
	}
	b.state, b.probing = BreakerOpen, false
	b.until = now.Add(max(b.wait, min(after, breakerMax)))
}
