package moduletest_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/modules/moduletest"
)

func TestMain(m *testing.M) {
	if fault != "" {
		os.Exit(m.Run()) //nolint:forbidigo // a process of its own, run by TestFaultsAreFound
	}
	goleak.VerifyTestMain(m)
}

// TestMemory: a module that does it right passes, batches and lost connections
// included.
func TestMemory(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module: memory(),
		Start:  far,
		Bad:    []moduletest.Bad{{Connection: `{"addr": "x", "key": ""}`, Want: "empty", Path: "key"}},
	})
}

// TestFaultsAreFound: the same module with one fault fails the test that looks
// for it. Each runs in a process of its own, as a test cannot expect to fail.
func TestFaultsAreFound(t *testing.T) {
	t.Parallel()
	if fault != "" {
		t.Skip("inside a faulty run")
	}
	for fault, test := range map[string]string{
		"drops bytes":       "bytes",
		"own id":            "delivery_id",
		"loses headers":     "headers",
		"mutates":           "unchanged",
		"dials around":      "dials",
		"rejects on cut":    "cut",
		"strange code":      "cut",
		"acks early":        "refused",
		"retries a refusal": "refused",
		"batch sinks":       "poison",

		"gives up without rights": "denied",

		"shows the secret":  "secrets",
		"checks nothing":    "check",
		"check sends":       "check",
		"leaks a goroutine": "close",

		"late":                    "stalled",
		"late for nothing":        "cancelled",
		"an id for each send":     "answer_lost",
		"takes silence for yes":   "cut_under_load",
		"gives up on a batch":     "cut_batch",
		"checks the network only": "broken",
	} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestMemory$/^"+test+"$", "-test.v")
		cmd.Env = append(os.Environ(), "MODULETEST_FAULT="+fault)
		out, err := cmd.CombinedOutput()
		failed := regexp.MustCompile(`--- FAIL: TestMemory/(\w+)`).FindStringSubmatch(string(out))
		if err == nil || failed == nil || failed[1] != test || strings.Contains(string(out), "panic:") {
			t.Errorf("%s: want %s to fail: %v\n%s", fault, test, err, out)
		}
	}
}
