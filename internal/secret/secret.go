// Package secret holds values that must not be printed, logged or compared
// with ==.
package secret

import (
	"crypto/sha256"
	"crypto/subtle"
)

// Redacted stands where a secret would have been printed.
const Redacted = "[redacted]"

// String is a secret. The pointer keeps fmt from printing the text of a String
// that sits in an unexported field; the array of funcs makes == a compile
// error.
type String struct {
	_ [0]func()
	v *string
}

// New wraps s.
func New(s string) String { return String{v: &s} }

// Reveal returns the text. Every call is a place to look at in a review.
func (s String) Reveal() string {
	if s.v == nil {
		return ""
	}
	return *s.v
}

// IsZero reports whether the secret was never set or is empty.
func (s String) IsZero() bool { return s.v == nil || *s.v == "" }

// Equal compares in time that depends neither on the content nor on the length
// of the secret: both sides are hashed first.
func (s String) Equal(got string) bool {
	want, have := sha256.Sum256([]byte(s.Reveal())), sha256.Sum256([]byte(got))
	return subtle.ConstantTimeCompare(want[:], have[:]) == 1
}

// String hides the text.
func (s String) String() string { return Redacted }

// GoString hides the text from %#v.
func (s String) GoString() string { return Redacted }

// MarshalText hides the text from JSON and its like.
func (s String) MarshalText() ([]byte, error) { return []byte(Redacted), nil }
