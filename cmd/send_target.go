package cmd

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/presets"
	"github.com/hookd/hookd/internal/config"
	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/server"
	"github.com/hookd/hookd/server/captures"
	"github.com/hookd/hookd/server/plan"
)

// target is where a test event goes, and how it proves itself.
type target struct {
	url      *url.URL
	dataType config.DataType
	preset   *presets.Preset // nil: none
	proofs   []auth.Verifier // by cost: what covers the body comes last
	unsigned []string        // proofs that cannot be made here
}

// sendTarget finds what HOOK|URL stands for.
func (a *app) sendTarget(ctx context.Context, o *sendOptions) (*target, error) {
	if strings.Contains(o.target, "://") {
		return urlTarget(o, o.target)
	}
	s, _, err := a.settings(o.files.source())
	if err != nil {
		return nil, err
	}
	u := cmp.Or(o.to, dialable(s.Listen))
	if _, err := os.Stat(s.Webhooks); errors.Is(err, fs.ErrNotExist) && o.files.webhooks == "" {
		a.io.Errorf("hookd: note: there is no %s, so that %s may want more proofs than this one has\n", s.Webhooks, o.target)
		if o.provider == "" {
			if _, known := presets.Lookup(o.target); known && o.secret != "" {
				o.provider = o.target
			}
		}
		return urlTarget(o, hookURL(u, o.to, o.target))
	}
	cfg, problems, _, err := a.load(ctx, s, false)
	if err != nil {
		return nil, err
	}
	if problems.HasErrors() {
		a.tell(problems)
		return nil, errConfig
	}
	h, err := findHook(cfg, o.target)
	if err != nil {
		return nil, err
	}
	// What serve has captured here is signed with, too.
	env := auth.Env{Captures: captures.New(server.SecretsDir(s.DataDir), nil)}
	return hookTarget(h, o, hookURL(u, o.to, h.ID), env)
}

// hookURL is the hook below a base, or --to as it was given when it has a path
// of its own.
func hookURL(base, to, id string) string {
	if u, err := url.Parse(to); to != "" && err == nil && strings.Trim(u.Path, "/") != "" {
		return to
	}
	return strings.TrimRight(base, "/") + "/webhook/" + url.PathEscape(id)
}

// findHook looks for the id, then for the only hook of that provider.
func findHook(cfg *config.Config, name string) (*config.Hook, error) {
	var ids []string
	var provided []*config.Hook
	for i := range cfg.Hooks {
		h := &cfg.Hooks[i]
		if h.ID == name {
			return h, nil
		}
		if h.Provider == name {
			provided = append(provided, h)
		}
		ids = append(ids, h.ID)
	}
	switch {
	case len(provided) == 1:
		return provided[0], nil
	case len(provided) > 1:
		var of []string
		for _, h := range provided {
			of = append(of, h.ID)
		}
		return nil, usagef("several hooks have the provider %s: name one of %s", name, strings.Join(of, ", "))
	}
	text := hint(name, ids)
	if text == "" {
		text = "; there are " + strings.Join(ids, ", ")
	}
	return nil, usagef("there is no hook %q%s", name, text)
}

// hookTarget makes the proofs of a hook as serve does.
func hookTarget(h *config.Hook, o *sendOptions, u string, env auth.Env) (*target, error) {
	hook := *h
	if o.provider != "" {
		hook.Provider = o.provider
	}
	if o.secret != "" {
		if hook.Provider == "" {
			return nil, usagef("--secret is for providers; the hook %s has none, and its proofs are in the configuration", h.ID)
		}
		s, err := textOrFile(o.secret)
		if err != nil {
			return nil, err
		}
		hook.Secrets = []secret.String{secret.New(strings.TrimRight(s, "\r\n"))}
	}
	r, err := newRegistries(io.Discard)
	if err != nil {
		return nil, err
	}
	t := &target{dataType: hook.DataType}
	if t.url, err = parseTarget(u); err != nil {
		return nil, err
	}
	if hook.Provider != "" {
		p, ok := presets.Lookup(hook.Provider)
		if !ok {
			return nil, noProvider(hook.Provider)
		}
		t.preset = p
		if hook.PublicURL == "" {
			hook.PublicURL = u
		}
	}
	proofs, problems := plan.Proofs(&hook, r.auth, env)
	if len(problems) > 0 {
		return nil, errors.New(problems[0].Message)
	}
	names := make([]string, 0, len(proofs))
	if hook.Provider != "" {
		names = append(names, hook.Provider)
	}
	for _, p := range hook.Proofs {
		names = append(names, p.Method)
	}
	for i, p := range proofs {
		if _, ok := p.(auth.Signer); !ok {
			t.unsigned = append(t.unsigned, names[i])
		}
	}
	slices.SortStableFunc(proofs, func(a, b auth.Verifier) int { return cmp.Compare(a.Cost(), b.Cost()) })
	t.proofs = proofs
	return t, nil
}

// urlTarget is a receiver that the configuration does not know.
func urlTarget(o *sendOptions, u string) (*target, error) {
	h := &config.Hook{ID: o.target, DataType: config.JSON}
	if o.provider == "" && o.secret != "" {
		return nil, usagef("--secret needs --provider")
	}
	if _, ok := presets.Lookup(o.provider); o.provider != "" && !ok {
		return nil, noProvider(o.provider)
	}
	if o.provider != "" && o.secret == "" && takesSecret(o.provider) {
		return nil, usagef("--provider %s needs --secret", o.provider)
	}
	return hookTarget(h, o, u, auth.Env{})
}

func noProvider(name string) error {
	return usagef("there is no provider %q%s", name, hint(name, providerNames()))
}

func parseTarget(s string) (*url.URL, error) {
	if err := httpURL(s); err != nil {
		return nil, usagef("%s: %w", s, err)
	}
	return url.Parse(s)
}

// takesSecret reports whether a sender has a secret.
func takesSecret(provider string) bool {
	p, ok := presets.Lookup(provider)
	return ok && !p.Unsigned && !p.NoSecret
}
