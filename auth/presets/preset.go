// Package presets knows how the well-known senders of webhooks prove, name and
// repeat their requests. A sender is one Preset: data from which verifying,
// signing, the delivery id and the reference page are all derived.
package presets

import (
	"fmt"
	"slices"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/scheme"
	"github.com/hookd/hookd/internal/secret"
)

// Preset describes a sender.
type Preset struct {
	Name    string // the value of "provider" in a hook: "github"
	Title   string
	Summary string // one sentence
	Doc     string // Markdown: where the secret is found, what to know
	Source  string // where the facts below are published

	// Verify lists the ways in which requests are proved, strongest first.
	Verify []scheme.Alternative
	// ID and Type are where the delivery id and the event type are; the first
	// source that has a value wins.
	ID, Type []string
	// Window is how long an id is remembered: at least as long as the sender
	// may repeat it.
	Window time.Duration

	// Deadline is how soon the sender wants an answer; 0 is not published.
	Deadline time.Duration
	Retry    string // what the sender does without a 2xx, in a sentence

	// Headers are what the sender sets besides its signature; {event} and
	// {delivery} stand for the event's name and the delivery id.
	Headers []Header
	// DefaultEvent is what a test sends where no event is named.
	DefaultEvent string
	// Sample is a small body for tests, with {event}, {delivery} and {unix}.
	Sample string
}

// Header is a header with its template.
type Header struct{ Name, Value string }

// Options are what a hook sets for its sender.
type Options struct {
	Secrets   []secret.String // at least one; any of them is accepted
	PublicURL string          // the hook as the sender sees it; needed by some
	Tolerance time.Duration   // of the sender's clock; 0 is the sender's usual
	Params    map[string]string
}

// All returns the presets in the order of their names.
func All() []*Preset {
	all := []*Preset{github(), stripe()}
	slices.SortFunc(all, func(a, b *Preset) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return all
}

// Lookup finds a preset by its name.
func Lookup(name string) (*Preset, bool) {
	for _, p := range All() {
		if p.Name == name {
			return p, true
		}
	}
	return nil, false
}

// New makes the proof of a hook. The error says what the hook lacks and never
// holds a secret.
func (p *Preset) New(_ auth.Env, o Options) (*Verifier, error) {
	v, err := p.compile(o)
	if err != nil {
		return nil, fmt.Errorf("provider %s: %w", p.Name, err)
	}
	return v, nil
}

func (p *Preset) compile(o Options) (*Verifier, error) {
	s, err := scheme.Compile(p.Verify, scheme.Options{
		Name: p.Name, Secrets: o.Secrets, URL: o.PublicURL, Tolerance: o.Tolerance, Params: o.Params,
	})
	if err != nil {
		return nil, err
	}
	ids, err := scheme.ParseSources(p.ID)
	if err != nil {
		return nil, fmt.Errorf("delivery id: %w", err)
	}
	types, err := scheme.ParseSources(p.Type)
	if err != nil {
		return nil, fmt.Errorf("event type: %w", err)
	}
	rd, err := scheme.NewReader(ids, types)
	if err != nil {
		return nil, err
	}
	return &Verifier{preset: p, scheme: s, reader: rd}, nil
}
