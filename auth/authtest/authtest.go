// Package authtest is the suite that every method and every preset passes: what
// is signed verifies, what is changed does not, and no secret is ever told.
package authtest

import (
	"net/http"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
)

// Subject is what the suite needs to know of a proof.
type Subject struct {
	// New makes the proof with the secrets that it accepts; it signs with the
	// first.
	New func(secrets ...string) (auth.Verifier, error)
	// Secrets are three valid ones, no two alike.
	Secrets [3]string
	// Header (canonical) or Param is where the credential travels.
	Header, Param string
	// CoversBody tells that a changed body must be refused.
	CoversBody bool
	// ReadsBody tells that the proof costs as much as one that covers the body,
	// although it does not.
	ReadsBody bool
	// Repeats tells that the credential may come several times, and any counts.
	Repeats bool
	// Tolerance of the clock, to both sides; 0 is no clock.
	Tolerance time.Duration
	// Clock is for proofs whose time has other edges: how much later a request
	// is verified than signed, and the code of the refusal, "" where it passes.
	Clock map[time.Duration]string
	// Same reports whether a changed credential means the same, such as hex in
	// the other case; nil is never.
	Same func(a, b string) bool
	// SameSecret is Same for secrets.
	SameSecret func(a, b string) bool
}

// Now is when the requests of the suite are made.
var Now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// Body is the body of the requests of the suite.
const Body = `{"id":"evt_1","type":"thing.made","n":[1,2,{"id":"inner"}]}`

// Request is a fresh request without a proof.
func Request() *auth.Request {
	peer := netip.MustParseAddr("192.0.2.1")
	return &auth.Request{
		Method: http.MethodPost,
		URL:    &url.URL{Path: "/webhook/test", RawQuery: "a=1"},
		Host:   "hooks.example.com",
		Header: http.Header{"Content-Type": {"application/json"}},
		Peer:   peer,
		Remote: peer,
		Body:   []byte(Body),
		Now:    Now,
	}
}

// Run runs the suite.
func Run(t *testing.T, s Subject) {
	t.Helper()
	if s.Same == nil {
		s.Same = func(a, b string) bool { return a == b }
	}
	if s.SameSecret == nil {
		s.SameSecret = func(a, b string) bool { return a == b }
	}
	for name, test := range map[string]func(*suite, *testing.T){
		"sign then verify":        (*suite).signed,
		"credential changed":      (*suite).credentialChanged,
		"credential missing":      (*suite).credentialMissing,
		"credential doubled":      (*suite).credentialDoubled,
		"credential over-long":    (*suite).credentialLong,
		"credential with junk":    (*suite).credentialJunk,
		"body changed":            (*suite).bodyChanged,
		"secret changed":          (*suite).secretChanged,
		"secrets rotated":         (*suite).rotated,
		"clock":                   (*suite).clock,
		"concurrent":              (*suite).concurrent,
		"nothing kept or changed": (*suite).untouched,
		"secret not printed":      (*suite).notPrinted,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(&suite{Subject: s}, t)
		})
	}
}

type suite struct{ Subject }
