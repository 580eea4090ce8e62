package moduletest

import (
	"context"
	"os"
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

// Table reads cases from a file: one a line, three columns with tabs between
// them; # begins a comment.
func Table(t *testing.T, file string) (cases [][3]string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSuffix(line, "\n"); line == "" || line[0] == '#' {
			continue
		}
		c := strings.Split(line, "\t")
		if len(c) != 3 {
			t.Fatalf("%s: %d columns: %s", file, len(c), line)
		}
		cases = append(cases, [3]string(c))
	}
	return cases
}
