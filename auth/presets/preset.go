// Package presets knows how the well-known senders of webhooks prove, name and
// repeat their requests. A sender is one Preset: data from which verifying,
// signing, the delivery id and the reference page are all derived.
package presets

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
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
	// Code makes the proof where data cannot describe it; Verify is empty then,
	// and Signing says in a sentence what is signed and where.
	Code    func(env auth.Env, o Options) (Checker, error)
	Signing string
	// Fresh makes a secret for trying out; nil: one that Verify takes, or a random
	// text.
	Fresh func() (string, error)
	// Unsigned: the sender proves nothing. Verify and Code are empty, no secret is
	// taken, and the hook needs another proof.
	Unsigned bool
	// NoSecret: the proof needs no secret, and takes none: it is made with keys
	// that the sender publishes.
	NoSecret bool
	// IDSigned: Code covers the delivery id, although not the whole body.
	IDSigned bool
	// SignsURL: Code covers the URL as the sender sees it. Where data describes
	// the proof, NeedsURL finds that out by itself.
	SignsURL bool
	// Covers says how much of a request the proof covers.
	Covers Coverage
	// Params are the settings that a hook gives under "params".
	Params []Param
	// Handshake is how the sender makes sure of the hook; nil: it does not.
	Handshake *Handshake
	// Reply is what the sender wants to be told on acceptance, where that is
	// not any 2xx; nil: the usual answer.
	Reply *Reply
	// ID and Type are where the delivery id and the event type are; the first
	// source that has a value wins.
	ID, Type []string
	// IDShared: different requests may have the same id, such as batches that
	// begin with the same event. The body is compared, too, covered or not.
	IDShared bool
	// Window is how long an id is remembered: at least as long as the sender
	// may repeat it. 0 becomes a week.
	Window time.Duration

	// Deadline is how soon the sender wants an answer; 0 is not published.
	Deadline time.Duration
	Retry    string // what the sender does without a 2xx, in a sentence

	// Headers are what the sender sets besides its signature; {event}, {delivery}
	// and {unix} stand for the event's name, the delivery id and the time.
	Headers []Header
	// DefaultEvent is what a test sends where no event is named.
	DefaultEvent string
	// Sample is a small body for tests; see Body for what it may hold.
	Sample string
}

// Header is a header with its template.
type Header struct{ Name, Value string }

// Coverage is how much of a request a proof covers.
type Coverage uint8

// The coverages. What is not covered can be changed by whoever captures a
// request, or knows the token.
const (
	CoversBody Coverage = iota
	CoversPart          // some members of the body
	CoversNone
)

// Param is a setting of a preset.
type Param struct {
	Name, Doc string
	Required  bool
	Example   string // a value of the right form; "" is any text
}

// Reply is an answer: to accepted requests, or to a handshake.
type Reply struct {
	Status      int // 0 is 200
	Body        string
	ContentType string // "" is text/plain
	Headers     []Header
}

// Checker is the part of a proof that differs between senders.
type Checker interface {
	Verify(ctx context.Context, r *auth.Request) (auth.Identity, error)
	Sign(ctx context.Context, r *auth.Request) error
	// Covers reports whether the proof covers what the source reads.
	Covers(src scheme.Source) bool
	CredentialHeaders() []string
	CredentialParams() []string
}

// described is a Checker made of data.
type described struct {
	*scheme.Scheme
	given []scheme.Alternative // what Scheme was compiled from
	with  scheme.Options
}

func (d described) Verify(_ context.Context, r *auth.Request) (auth.Identity, error) {
	return d.Scheme.Verify(r)
}

func (d described) Sign(_ context.Context, r *auth.Request) error { return d.Scheme.Sign(r) }

// unsigned is the Checker of a sender that proves nothing. The identity is
// empty, so that it never stands for a proof beside others.
type unsigned struct{}

func (unsigned) Verify(context.Context, *auth.Request) (auth.Identity, error) {
	return auth.Identity{}, nil
}
func (unsigned) Sign(context.Context, *auth.Request) error { return nil }
func (unsigned) Covers(scheme.Source) bool                 { return false }
func (unsigned) CredentialHeaders() []string               { return nil }
func (unsigned) CredentialParams() []string                { return nil }

// Options are what a hook sets for its sender.
type Options struct {
	Secrets   []secret.String // at least one, but for Unsigned and NoSecret; any of them is accepted
	PublicURL string          // the hook as the sender sees it; needed by some
	Tolerance time.Duration   // of the sender's clock; 0 is the sender's usual
	Params    map[string]string
	Rate      int // requests per minute that the hook takes; 0 is any number
}

// All returns the presets in the order of their names. They are shared: nobody
// may change them.
func All() []*Preset { return slices.Clone(known()) }

var known = sync.OnceValue(func() []*Preset {
	all := slices.Concat(
		codeHosts(), gitHosts(), builders(), hosters(), payments(), billers(), shops(), publishers(), chats(), networks(), mailers(),
		trackers(), drawers(), sellers(), hirers(), watchers(), directories(), standards(),
		codePresets(), tokenPresets(), snsPresets(),
	)
	shakes := handshakes()
	for _, p := range all {
		p.attach(shakes[p.Name])
		if p.Window == 0 {
			p.Window = week
		}
	}
	slices.SortFunc(all, func(a, b *Preset) int { return strings.Compare(a.Name, b.Name) })
	return all
})

// Lookup finds a preset by its name.
func Lookup(name string) (*Preset, bool) {
	i, ok := slices.BinarySearchFunc(known(), name, func(p *Preset, name string) int { return strings.Compare(p.Name, name) })
	if !ok {
		return nil, false
	}
	return known()[i], true
}

// New makes the proof of a hook. The error says what the hook lacks and never
// holds a secret.
func (p *Preset) New(env auth.Env, o Options) (*Verifier, error) {
	v, err := p.compile(env, o)
	if err != nil {
		return nil, fmt.Errorf("provider %s: %w", p.Name, err)
	}
	return v, nil
}

func (p *Preset) compile(env auth.Env, o Options) (*Verifier, error) {
	if err := p.settings(o.Params); err != nil {
		return nil, err
	}
	if p.NoSecret && len(o.Secrets) > 0 {
		return nil, errors.New("has no secret; take it out")
	}
	check, err := p.checker(env, o)
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
	v := &Verifier{preset: p, check: check, reader: rd}
	if v.shake, err = p.handshake(env, o, check); err != nil {
		return nil, fmt.Errorf("handshake: %w", err)
	}
	return v, nil
}

func (p *Preset) checker(env auth.Env, o Options) (Checker, error) {
	on, err := p.captures(o)
	if err != nil {
		return nil, err
	}
	if on {
		return newCapturing(p, env, o)
	}
	return p.fixed(env, o)
}

// fixed is the proof with the secrets of the options.
func (p *Preset) fixed(env auth.Env, o Options) (Checker, error) {
	switch {
	case p.Code != nil:
		return p.Code(env, o)
	case p.Unsigned && len(o.Secrets) > 0:
		return nil, errors.New("the sender proves nothing, so that a secret would not be checked: remove it, and add a proof such as query_auth")
	case p.Unsigned:
		return unsigned{}, nil
	}
	with := scheme.Options{
		Name: p.Name, Secrets: o.Secrets, URL: o.PublicURL, Tolerance: o.Tolerance, Params: o.Params,
	}
	s, err := scheme.Compile(p.Verify, with)
	return described{s, p.Verify, with}, err
}

// settings refuses params that the sender does not have, and wants those that
// it needs.
func (p *Preset) settings(params map[string]string) error {
	for name := range params {
		if !slices.ContainsFunc(p.Params, func(q Param) bool { return q.Name == name }) {
			return fmt.Errorf("has no setting %q under \"params\"", name)
		}
	}
	for _, q := range p.Params {
		if q.Required && params[q.Name] == "" {
			return fmt.Errorf("needs the setting %q under \"params\": %s", q.Name, q.Doc)
		}
	}
	return nil
}
