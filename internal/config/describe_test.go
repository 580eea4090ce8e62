package config

import (
	"testing"

	"github.com/hookd/hookd/internal/spec"
)

// TestDescriptions lints what hookd says of its own keys.
func TestDescriptions(t *testing.T) {
	t.Parallel()
	for _, d := range []spec.Described{&entry{}, &step{}, &Retry{}, &RateLimit{}, &cleanup{}, &Dedupe{}, &Response{}, &chainConfig{}} {
		if err := spec.Verify(d); err != nil {
			t.Errorf("%T: %v", d, err)
		}
	}
}

func TestHookIDs(t *testing.T) {
	t.Parallel()
	for id, ok := range map[string]bool{
		"a": true, "A-1_b": true, "default": true, "health2": true, "administrator": true,
		"HEALTH": false, "openapi.json": false, "_a": false, "a_": true, "é": false, "a.b": false, "Internal_x": false, "x_SYSTEM": false, "a__b": false,
	} {
		if message, _ := badHookID(id); (message == "") != ok {
			t.Errorf("%s: %s", id, message)
		}
	}
}
