package presets

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/scheme"
	"github.com/hookd/hookd/internal/secret"
)

// capturing is the proof of an armed hook: with the secrets of the
// configuration and the captured one, from the moment in which it is there.
type capturing struct {
	name    string
	env     auth.Env
	make    func(more ...secret.String) (Checker, error)
	fixed   Checker // with the configured secrets; nil: there are none
	shape   Checker // tells where credentials travel; its secret is nobody's
	current atomic.Pointer[captured]
}

// captured is the proof with one captured secret.
type captured struct {
	secret secret.String
	check  Checker
}

func newCapturing(p *Preset, env auth.Env, o Options) (*capturing, error) {
	if len(o.Secrets) >= scheme.MaxSecrets {
		return nil, fmt.Errorf("%d secrets at once leave no room for the captured one: at most %d", len(o.Secrets), scheme.MaxSecrets-1)
	}
	c := &capturing{name: p.Name, env: env}
	c.make = func(more ...secret.String) (Checker, error) {
		with := o
		with.Secrets = slices.Concat(o.Secrets, more)
		return p.fixed(env, with)
	}
	var err error
	if len(o.Secrets) > 0 {
		c.fixed, err = c.make()
		c.shape = c.fixed
	} else {
		c.shape, err = c.make(secret.New(rand.Text()))
	}
	return c, err
}

var errNotCaptured = errors.New("the sender's handshake, which hands over the secret, is still to come")

// proof is the one to use now.
func (c *capturing) proof() (Checker, error) {
	var s secret.String
	there := false
	if c.env.Captures != nil {
		s, there = c.env.Captures.Get(c.env.Hook)
	}
	if !there {
		if c.fixed == nil {
			return nil, &auth.Denial{Method: c.name, Code: auth.CodeNotCaptured, Err: errNotCaptured}
		}
		return c.fixed, nil
	}
	if now := c.current.Load(); now != nil && now.secret.Equal(s.Reveal()) {
		return now.check, nil
	}
	check, err := c.make(s)
	if err != nil {
		return nil, &auth.Denial{Method: c.name, Code: auth.CodeInternal, Err: fmt.Errorf("captured secret: %w", err)}
	}
	c.current.Store(&captured{s, check})
	return check, nil
}

func (c *capturing) Verify(ctx context.Context, r *auth.Request) (auth.Identity, error) {
	check, err := c.proof()
	if err != nil {
		return auth.Identity{}, err
	}
	return check.Verify(ctx, r)
}

func (c *capturing) Sign(ctx context.Context, r *auth.Request) error {
	check, err := c.proof()
	if err != nil {
		return err
	}
	return check.Sign(ctx, r)
}

func (c *capturing) Covers(src scheme.Source) bool { return c.shape.Covers(src) }

func (c *capturing) CredentialHeaders() []string { return c.shape.CredentialHeaders() }

func (c *capturing) CredentialParams() []string { return c.shape.CredentialParams() }
