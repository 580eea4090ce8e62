package presets

import (
	"context"

	"github.com/hookd/hookd/auth"
)

// Handshake describes the request with which a sender makes sure of a hook.
type Handshake struct {
	Doc string // a sentence for the reference page
}

func (h *Handshake) compile(_ auth.Env, _ *Preset, _ Options, _ Checker) (auth.Handshake, error) {
	return shake{}, nil
}

type shake struct{}

func (shake) Answer(context.Context, *auth.Request, bool) *auth.Answer { return nil }
