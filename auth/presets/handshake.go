package presets

import (
	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/scheme"
)

// Handshake describes the requests with which a sender makes sure of a hook.
type Handshake struct {
	Doc string // a sentence for the reference page
	// Steps are the requests and their answers; the first that fits answers.
	Steps []Step
	// Code makes the handshake where data cannot describe it; Steps is empty
	// then. check is what the preset's own Code made.
	Code func(env auth.Env, o Options, check Checker) (auth.Handshake, error)
}

// Step is one request of a handshake and its answer.
type Step struct {
	Methods []string // none is POST
	When    []Cond   // all must hold
	// Verified steps are answered where all proofs of the hook hold; the others
	// are answered to anybody.
	Verified bool
	// Token is a source and the setting that it must be equal to; anything else
	// is refused with 403. Where the setting is not given, nothing is answered.
	Token [2]string
	// Listed is a source and the setting that lists, with commas, what it may
	// be; anything else is refused with 405. No setting allows everything.
	Listed [2]string
	// Capture is the source of the secret that the sender hands over. The step
	// is there only where the hook is armed.
	Capture string
	// Hash and Key are those of the {hmac-…} atoms.
	Hash scheme.Hash
	Key  scheme.Key
	// Reply has templates in Body and Headers; see parseReply.
	Reply Reply
}

// Cond is what a request must have at a source.
type Cond struct {
	At   string
	Is   string                  // the value; "" is any
	Fits func(value string) bool // nil: any does
	None bool                    // there must be nothing
}

// handshake compiles the sender's handshake; nil where it has none, or none
// that this hook answers.
func (p *Preset) handshake(env auth.Env, o Options, check Checker) (auth.Handshake, error) {
	h := p.Handshake
	if h == nil {
		return nil, nil
	}
	if h.Code != nil {
		return h.Code(env, o, check)
	}
	armed, err := p.captures(o)
	if err != nil {
		return nil, err
	}
	out := &shake{name: p.Name, env: env, params: o.Params}
	for i := range h.Steps {
		if h.Steps[i].Capture != "" && !armed {
			continue
		}
		s, err := compileStep(&h.Steps[i], o)
		if err != nil {
			return nil, err
		}
		out.steps = append(out.steps, s)
	}
	if len(out.steps) == 0 {
		return nil, nil
	}
	return out, nil
}
