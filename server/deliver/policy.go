package deliver

import (
	"math"
	"math/rand/v2"
	"time"
)

// Policy is when to try again. The delay before attempt n+1 is drawn evenly
// from zero to min(Initial × Multiplier^(n-1), Max): full jitter, so that what
// failed together does not come back together.
type Policy struct {
	Attempts   int // in all; 1 is no retry
	Initial    time.Duration
	Max        time.Duration
	Multiplier float64
}

// MaxAfter caps the time that a far end may ask for.
const MaxAfter = 24 * time.Hour

// DefaultPolicy is that of a hook without a retry block: 16 attempts. The
// ceilings of its delays add up to 26 h 44 min, so that with full jitter the last
// attempt comes about 13 h after the first, and never later than 26 h 44 min.
// While a breaker is open, or a connection is not, attempts wait without being
// used up: an outage takes longer than that to fill the dead letters.
func DefaultPolicy() Policy {
	return Policy{Attempts: 16, Initial: time.Second, Max: 4 * time.Hour, Multiplier: 3}
}

// NoRetry is one attempt.
func NoRetry() Policy { return Policy{Attempts: 1} }

// Clamped brings the figures into their ranges: attempts 1 to 1000, delays up to
// 24 h, the longest no shorter than the first, the multiplier 0.1 to 10. The
// narrower ranges of the original service's files are applied where those are
// read.
func (p Policy) Clamped() Policy {
	p.Attempts = min(max(p.Attempts, 1), 1000)
	p.Initial = min(max(p.Initial, 0), MaxAfter)
	p.Max = min(max(p.Max, p.Initial), MaxAfter)
	if !(p.Multiplier >= 0.1) { // also NaN
		p.Multiplier = 0.1
	}
	p.Multiplier = min(p.Multiplier, 10)
	return p
}

// Ceiling is the longest delay after attempt n (1 for the first).
func (p Policy) Ceiling(n int) time.Duration {
	if p.Initial <= 0 {
		return 0 // also where the power is beyond all numbers
	}
	d := float64(p.Initial) * math.Pow(p.Multiplier, float64(max(n, 1)-1))
	if d >= float64(p.Max) {
		return p.Max
	}
	return time.Duration(d)
}

// delay draws the delay after attempt n; a far end's wish is honoured up to
// MaxAfter.
func (p Policy) delay(n int, after time.Duration) time.Duration {
	d := p.Ceiling(n)
	if d > 0 {
		d = time.Duration(rand.Int64N(int64(d) + 1)) //nolint:gosec // spreads load; nothing to guess
	}
	return max(d, min(after, MaxAfter))
}
