package moduletest

import (
	"context"
	"strings"
	"testing"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
)

// Send delivers x, as a test does that stands outside the suite.
func Send(t *testing.T, d modules.Destination, x *event.Delivery) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, err := d.Send(ctx, x)
	return err
}

// Check asks the destination whether all is well, as hookd doctor does.
func Check(t *testing.T, d modules.Destination) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return d.(modules.Checker).Check(ctx)
}

// Want fails the test when err is not the failure that is described; what names
// the case.
func Want(t *testing.T, what string, err error, kind modules.FailureKind, code, text string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", what)
		return
	}
	if f := modules.FailureOf(err); f.Kind != kind || f.Code != code || !strings.Contains(err.Error(), text) {
		t.Errorf("%s: %s (%s): %v, want %s (%s) with %q", what, f.Kind, f.Code, err, kind, code, text)
	}
}
