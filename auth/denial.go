package auth

import "errors"

// Denial explains a refusal to the log. The caller sees only its status and
// challenge, with one text for every reason.
type Denial struct {
	Method string // "hmac"
	Code   string // "signature_mismatch", "timestamp_too_old"; listed in codes.go
	// Forbidden answers 403 instead of 401: the address, or a missing scope.
	Forbidden bool
	// Unavailable answers 503: the service that decides cannot be reached.
	Unavailable bool
	Challenge   string // value of WWW-Authenticate; may be empty
	// Asked: nothing is wrong yet. The scheme begins with a request without a
	// credential, and goes on with the answer to its challenge.
	Asked bool
	Err   error // holds no secret
}

// Deny is a refusal without a cause worth telling.
func Deny(method, code string) *Denial { return &Denial{Method: method, Code: code} }

// Error is the method and the code, with the cause where there is one.
func (d *Denial) Error() string {
	if d.Err != nil {
		return d.Method + ": " + d.Code + ": " + d.Err.Error()
	}
	return d.Method + ": " + d.Code
}

// Unwrap is the cause.
func (d *Denial) Unwrap() error { return d.Err }

// DenialOf turns any refusal into a Denial.
func DenialOf(err error) *Denial {
	var d *Denial
	if errors.As(err, &d) {
		return d
	}
	return &Denial{Method: "auth", Code: CodeInternal, Err: err}
}
