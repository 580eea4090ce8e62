package plan

import (
	"errors"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/presets"
	"github.com/hookd/hookd/internal/config"
	"github.com/hookd/hookd/internal/diag"
)

// Proofs makes the verifiers of a hook: its provider's first, then its own in
// the order of the file, then its groups. `hookd test-send` signs with the same
// ones.
func Proofs(h *config.Hook, reg *auth.Registry, env auth.Env) ([]auth.Verifier, diag.List) {
	env.Hook = h.ID
	m := maker{reg: reg, env: env, rate: perMinute(h.RateLimit)}
	all := m.set(&h.ProofSet)
	return all, m.problems
}

// maker makes verifiers and collects what is wrong.
type maker struct {
	reg      *auth.Registry
	env      auth.Env
	rate     int
	problems diag.List
}

func (m *maker) set(s *config.ProofSet) []auth.Verifier {
	var all []auth.Verifier
	add := func(v auth.Verifier, err error, pos diag.Pos, key string) {
		if err != nil {
			m.problems.Add(problem(pos, s.Root+"."+key, err))
		} else if v != nil {
			all = append(all, v)
		}
	}
	if s.Provider != "" {
		v, err := m.provider(s)
		add(v, err, s.ProviderPos, "provider")
	}
	for _, p := range s.Proofs {
		v, err := m.method(p)
		add(v, err, p.Pos, p.Method)
	}
	for i := range s.AllOf {
		all = append(all, m.set(&s.AllOf[i])...)
	}
	if len(s.AnyOf) > 0 {
		var alternatives []*auth.Chain
		for i := range s.AnyOf {
			alternatives = append(alternatives, auth.NewChain(m.set(&s.AnyOf[i])...))
		}
		all = append(all, auth.AnyOf(alternatives...))
	}
	return all
}

func (m *maker) provider(s *config.ProofSet) (auth.Verifier, error) {
	p, ok := presets.Lookup(s.Provider)
	if !ok {
		return nil, errors.New("no such provider")
	}
	v, err := p.New(m.env, presets.Options{
		Secrets: s.Secrets, PublicURL: s.PublicURL, Tolerance: s.Tolerance, Params: s.Params, Rate: m.rate,
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

func (m *maker) method(p config.Proof) (auth.Verifier, error) {
	method, ok := m.reg.Lookup(p.Method)
	if !ok {
		return nil, errors.New("no such method")
	}
	return method.New(m.env, p.Options)
}

// perMinute is how many requests a hook takes in a minute, for senders that
// ask; 0 is any number.
func perMinute(r *config.RateLimit) int {
	if r == nil || !r.Enabled || r.Window <= 0 {
		return 0
	}
	return max(1, int(float64(r.Max)*float64(time.Minute)/float64(r.Window)))
}

func problem(pos diag.Pos, path string, err error) diag.Problem {
	return diag.Problem{Pos: pos, Path: path, Code: "bad_value", Message: err.Error()}
}
