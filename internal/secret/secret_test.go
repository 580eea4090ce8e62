package secret_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/internal/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type holder struct {
	Open   secret.String
	hidden secret.String
}

func TestNeverPrinted(t *testing.T) {
	t.Parallel()
	const text = "hunter2"
	h := holder{secret.New(text), secret.New(text)}
	j, err := json.Marshal(map[string]any{"a": h.Open, "b": h})
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "s", h.Open, "h", h)
	for _, out := range []string{
		fmt.Sprint(h.Open), fmt.Sprintf("%v %+v %#v %s %q", h, h, h, h.Open, h.Open), fmt.Sprintf("%+v", &h), string(j), log.String(),
	} {
		if strings.Contains(out, text) || strings.Contains(out, "68756e74657232") {
			t.Errorf("secret printed: %s", out)
		}
	}
}

func TestEqual(t *testing.T) {
	t.Parallel()
	s := secret.New("hunter2")
	if !s.Equal("hunter2") || s.Equal("hunter") || s.Equal("") || s.Equal("hunter2 ") {
		t.Error("Equal is wrong")
	}
	if !(secret.String{}).IsZero() || s.IsZero() || s.Reveal() != "hunter2" {
		t.Error("IsZero or Reveal is wrong")
	}
}

// A secret inside another leaves nothing of that one, in whatever order they are
// named.
func TestHide(t *testing.T) {
	t.Parallel()
	for _, all := range [][]string{{"abcd", "abcd-and-more", "more"}, {"more", "abcd-and-more", "abcd"}} {
		if got := secret.NewTexts(all).Hide("x abcd-and-more y abcd"); got != "x [redacted] y [redacted]" {
			t.Errorf("%q: %q", all, got)
		}
	}
}
