// Package mistakes looks for the mistake behind a signature that does not
// match: each is undone in turn, and two at once, and the engine that serves
// requests is asked again. It tells which mistake it was, never what the
// signature would have to be.
package mistakes

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/scheme"
)

// Bounds of one search.
const (
	maxBody    = 1 << 20   // bytes; a longer body is not searched
	maxTries   = 4000      // of one alternative
	maxHashed  = 256 << 20 // bytes that all tries hash
	maxMatches = 5
)

// Explain explains the refusal of r by what is described by alts and o.
func Explain(ctx context.Context, alts []scheme.Alternative, o scheme.Options, r *auth.Request) auth.Explanation {
	var x auth.Explanation
	for i := range alts {
		x.Signed = append(x.Signed, scheme.Preview(&alts[i], o, r))
	}
	x.Notes = notes(alts, r)
	if len(r.Body) > maxBody {
		x.Notes = append(x.Notes, fmt.Sprintf("The body has %d bytes: mistakes are looked for in bodies of up to 1 MiB.", len(r.Body)))
		x.Cut = true
		return x
	}
	if holds(alts, o, r) {
		return x // refused for another reason than its signature
	}
	s := search{ctx: ctx, x: &x}
	for i := range alts {
		if holds(alts[i:i+1], o, r) {
			x.Notes = append(x.Notes, fmt.Sprintf("The signature in %s is right, but a stronger one is there too, which decides and is not.", x.Signed[i].Where))
			continue
		}
		s.alternative(&trial{alt: alts[i], opts: o, r: r})
	}
	slices.SortStableFunc(x.Matches, func(a, b auth.Match) int { return cmp.Compare(len(a.Mistakes), len(b.Mistakes)) })
	if len(x.Matches) > maxMatches {
		x.Matches = x.Matches[:maxMatches]
	}
	return x
}

// trial is a description and a request, with mistakes undone.
type trial struct {
	alt  scheme.Alternative
	opts scheme.Options
	r    *auth.Request
}

// mistake is one hypothesis. undo works on a copy; it reports false where
// there is nothing to undo.
type mistake struct {
	auth.Mistake
	undo func(t *trial) bool
}

type search struct {
	ctx    context.Context
	x      *auth.Explanation
	tries  int
	hashed int
}

// alternative tries each mistake of one way to sign alone, and pairs where no
// single one explains it.
func (s *search) alternative(t *trial) {
	s.tries = 0
	all := hypotheses(t)
	found := len(s.x.Matches)
	for i := range all {
		s.try(t, &all[i])
	}
	if len(s.x.Matches) > found {
		return
	}
	for i := range all {
		for j := i + 1; j < len(all); j++ {
			if all[i].Kind == all[j].Kind {
				continue
			}
			if !s.try(t, &all[i], &all[j]) || len(s.x.Matches)-found >= maxMatches {
				return
			}
		}
	}
}

// try reports false when the search is at its bounds.
func (s *search) try(base *trial, ms ...*mistake) bool {
	if s.tries >= maxTries || s.hashed >= maxHashed || s.ctx.Err() != nil {
		s.x.Cut = true
		return false
	}
	t := *base
	t.opts.Secrets = slices.Clone(base.opts.Secrets)
	for _, m := range ms {
		if !m.undo(&t) {
			return true
		}
	}
	s.tries++
	s.x.Tried++
	s.hashed += (len(t.r.Body) + 256) * max(1, len(t.opts.Secrets))
	c, err := scheme.Compile([]scheme.Alternative{t.alt}, t.opts)
	if err != nil {
		return true //nolint:nilerr // the secret is no base64, say: not the mistake
	}
	id, err := c.Verify(t.r)
	if err != nil {
		return true //nolint:nilerr // not the mistake
	}
	match := auth.Match{Secret: secretOf(id.Subject), Secrets: len(t.opts.Secrets)}
	for _, m := range ms {
		match.Mistakes = append(match.Mistakes, m.Mistake)
	}
	if !s.known(match) {
		s.x.Matches = append(s.x.Matches, match)
	}
	return true
}

func holds(alts []scheme.Alternative, o scheme.Options, r *auth.Request) bool {
	c, err := scheme.Compile(alts, o)
	if err != nil {
		return false
	}
	_, err = c.Verify(r)
	return err == nil
}

// known reports whether the same words stand there already: two alternatives
// may differ in what does not matter here.
func (s *search) known(m auth.Match) bool {
	return slices.ContainsFunc(s.x.Matches, func(k auth.Match) bool {
		return k.Secret == m.Secret && slices.Equal(k.Mistakes, m.Mistakes)
	})
}

// secretOf is the number of the secret in "github:0", from 1.
func secretOf(subject string) int {
	n, err := strconv.Atoi(subject[strings.LastIndexByte(subject, ':')+1:])
	if err != nil {
		return 0
	}
	return n + 1
}

// hypotheses lists the mistakes that are possible here, the usual ones first.
func hypotheses(t *trial) []mistake {
	var all []mistake
	all = append(all, clocks(t)...)
	all = append(all, secrets(t)...)
	all = append(all, forms(t)...)
	all = append(all, places(t)...)
	all = append(all, bodies(t)...)
	all = append(all, urls(t)...)
	return append(all, templates(t)...)
}

// with is a copy of the request whose headers can be changed.
func with(r *auth.Request) *auth.Request {
	c := *r
	c.Header = r.Header.Clone()
	return &c
}
