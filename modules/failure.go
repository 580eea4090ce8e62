package modules

import (
	"errors"
	"time"
)

// FailureKind says what to do after a failed attempt.
type FailureKind uint8

// The kinds of failure. The zero value is Retryable: when in doubt, nothing is
// lost.
const (
	Retryable FailureKind = iota // try again
	Rejected                     // this delivery can never succeed: dead letter
	Throttled                    // the far end asked for time
	Lost                         // the connection is gone: reopen, then try again
)

// String is the word used in logs and metrics.
func (k FailureKind) String() string {
	return [...]string{"retryable", "rejected", "throttled", "lost"}[k]
}

// Failure is an error that says what to do next.
type Failure struct {
	Kind  FailureKind
	Code  string        // stable slug, listed in codes.go: "http_404", "timeout"
	After time.Duration // do not try again before this long; 0 is no wish
	Err   error         // holds no secret and no payload
}

// Error is the text of the cause.
func (f *Failure) Error() string { return f.Err.Error() }

// Unwrap is the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Retry is a failure that another attempt may cure.
func Retry(code string, err error) error {
	return &Failure{Kind: Retryable, Code: code, Err: err}
}

// Reject is a failure that no attempt can cure.
func Reject(code string, err error) error {
	return &Failure{Kind: Rejected, Code: code, Err: err}
}

// Throttle is a failure after which the far end wants to be left alone for a
// while.
func Throttle(code string, after time.Duration, err error) error {
	return &Failure{Kind: Throttled, Code: code, After: after, Err: err}
}

// Disconnect is a failure of the connection: the host closes and reopens it
// before the next attempt. Clients that heal by themselves never return it.
func Disconnect(err error) error {
	return &Failure{Kind: Lost, Code: CodeConnectionLost, Err: err}
}

// FailureOf classifies any error. One that says nothing is retryable with
// CodeUnknown.
func FailureOf(err error) Failure {
	var f *Failure
	if errors.As(err, &f) {
		return *f
	}
	return Failure{Kind: Retryable, Code: CodeUnknown, Err: err}
}
