package moduletest

import (
	"net/http"
	"testing"

	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules"
)

// Harness is what the suite must know of a module.
type Harness struct {
	Module modules.Module
	// Start brings up a far end of its own for one test and ends it with
	// t.Cleanup.
	Start func(t *testing.T) *Far
	// Carries says which bodies arrive byte for byte; nil is all.
	Carries func(body []byte) bool
	// MaxBody is the size of the largest body, in bytes, that the far end takes;
	// 0 is no limit. A larger one must be rejected as too large.
	MaxBody int
	// Bad are configurations that must be refused when they are loaded.
	Bad []Bad
}

// Bad is a configuration with a mistake.
type Bad struct {
	Options    string // JSON
	Connection string // JSON, instead of Options
	Want       string // part of the problem
	Path       string // of the problem, below "options" or "connection"; "" is any
}

// Far is a running far end and the configuration that leads to it. The
// functions are called from the test's goroutine unless said otherwise; those
// that are nil name what this far end cannot do.
type Far struct {
	Connection string // JSON; "" for a module that needs none
	Options    string // JSON
	// Received lists what arrived so far. It is safe for concurrent use.
	Received func() []Message
	// Cut ends the far end's reachability, open connections included; Restore
	// brings the same address back.
	Cut, Restore func()
	// Refuse makes the far end say no to deliveries, for good.
	Refuse func()
	// Deny takes hookd's right to deliver away; allow gives it back.
	Deny func() (allow func())
	// Stall makes the far end take requests and not answer. release ends it.
	Stall func() (entered <-chan struct{}, release func())
	// Mute lets the far end do what it is asked and holds its answers back.
	// entered is closed when the first one is held.
	Mute func() (entered <-chan struct{}, release func())
	// Restart ends the far end and brings it back, at the same address and with
	// what it had taken.
	Restart func()
	// Break takes away what the destination needs at a far end that runs on: its
	// queue, its table, its rights.
	Break func()
	// Accepted counts connections at the far end.
	Accepted func() int
	// Poison is a body that the far end refuses for good while it takes others;
	// nil when it takes all.
	Poison []byte
	// Secrets are texts of the configuration that must never be shown.
	Secrets []string
	// Harmless, after hostile names were delivered, fails t when something
	// happened that should not.
	Harmless func(t *testing.T)
}

// Through makes the network between the module and the far end fail: Connection
// or Options lead to the proxy.
func (f *Far) Through(p *testinfra.Proxy) {
	f.Cut, f.Restore, f.Stall, f.Mute, f.Accepted = p.Cut, p.Restore, p.Freeze, p.Mute, p.Accepted
}

// Message is one delivery as the far end has it.
type Message struct {
	ID     string // the delivery's, from where the module places it
	Body   []byte
	Header http.Header // nil when the far end has neither headers nor attributes
}

// Run runs the suite. It is not parallel: it counts goroutines.
func Run(t *testing.T, h Harness) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(*testing.T, Harness)
	}{
		{"description", description},
		{"unknown key", unknownKey},
		{"missing key", missingKey},
		{"bad options", badOptions},
		{"bytes", bytesArrive},
		{"headers", headersArrive},
		{"delivery id", deliveryID},
		{"concurrent", concurrent},
		{"batch", batch},
		{"poison", poison},
		{"unchanged", unchanged},
		{"cancelled", cancelled},
		{"stalled", stalled},
		{"stalled batch", stalledBatch},
		{"cut", cut},
		{"cut batch", cutBatch},
		{"cut under load", cutUnderLoad},
		{"answer lost", answerLost},
		{"restart", restart},
		{"broken", broken},
		{"refused", refused},
		{"denied", denied},
		{"check", check},
		{"dials", dials},
		{"hostile names", hostileNames},
		{"secrets", secrets},
		{"close", closes},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, h) })
	}
}
