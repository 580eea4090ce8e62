package auth

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// Group is a proof that holds when any one of its alternatives does. An
// alternative is a chain: all of its proofs must hold. It is immutable and safe
// for concurrent use.
type Group struct {
	alts    []*Chain
	cost    Cost
	headers []string
	params  []string
}

var (
	_ Verifier   = (*Group)(nil)
	_ Signer     = (*Group)(nil)
	_ Preparer   = (*Group)(nil)
	_ Challenger = (*Group)(nil)
	_ Sourced    = (*Group)(nil)
)

// held is the alternative of a group that let a request pass.
type held struct {
	group *Group
	chain *Chain
}

// heldBy is the alternative of g that held; without proofs where none did.
func (id Identity) heldBy(g *Group) *Chain {
	for _, h := range id.held {
		if h.group == g {
			return h.chain
		}
	}
	return &Chain{}
}

// AnyOf makes a group. Cheap alternatives are asked first; a tie keeps the
// given order.
func AnyOf(alts ...*Chain) *Group {
	g := &Group{alts: slices.Clone(alts)}
	slices.SortStableFunc(g.alts, func(a, b *Chain) int { return int(a.cost()) - int(b.cost()) })
	for _, c := range g.alts {
		g.cost = max(g.cost, c.cost())
		g.headers = append(g.headers, c.headers...)
		g.params = append(g.params, c.params...)
	}
	return g
}

// cost is that of the most expensive proof.
func (c *Chain) cost() Cost {
	cost := CostAddress
	for _, v := range c.rest {
		cost = max(cost, v.Cost())
	}
	return cost
}

// Cost is that of the most expensive alternative.
func (g *Group) Cost() Cost { return g.cost }

// Verify asks the alternatives until one holds. The refusal tells of the first
// alternative that found something to refuse, and its cause of all.
func (g *Group) Verify(ctx context.Context, r *Request) (Identity, error) {
	var refusals []*Denial
	for _, c := range g.alts {
		id, err := c.holds(ctx, r)
		if err == nil {
			id.held = append(id.held, held{g, c})
			return id, nil
		}
		refusals = append(refusals, DenialOf(err))
	}
	return Identity{}, g.refusal(r, refusals)
}

func (c *Chain) holds(ctx context.Context, r *Request) (Identity, error) {
	if err := c.Early(ctx, r); err != nil {
		return Identity{}, err
	}
	id, err := c.Verify(ctx, r)
	if err == nil && id.Method == "" { // addresses only
		id.Method = "any_of"
	}
	return id, err
}

// refusal is 503 where an alternative could not be asked, and 403 only where
// every alternative forbids.
func (g *Group) refusal(r *Request, refusals []*Denial) *Denial {
	out := &Denial{Method: "any_of", Code: CodeMissing, Forbidden: true, Challenge: g.challenge(r, refusals)}
	causes := make([]error, 0, len(refusals))
	for _, d := range refusals {
		causes = append(causes, d)
		if out.Code == CodeMissing {
			out.Code = d.Code
		}
		out.Forbidden = out.Forbidden && d.Forbidden
		out.Unavailable = out.Unavailable || d.Unavailable
		out.Asked = out.Asked || d.Asked
	}
	if out.Unavailable || out.Forbidden {
		out.Challenge = ""
	}
	out.Asked = out.Asked && out.Code == CodeMissing && !out.Unavailable
	out.Err = errors.Join(causes...)
	return out
}

// Challenge is that of all alternatives.
func (g *Group) Challenge(r *Request) string { return g.challenge(r, nil) }

func (g *Group) challenge(r *Request, refusals []*Denial) string {
	var all []string
	for i, c := range g.alts {
		text := ""
		if i < len(refusals) {
			text = refusals[i].Challenge
		}
		if text == "" {
			text = c.challenged(nil, r, Deny("any_of", CodeMissing)).Challenge
		}
		if text != "" && !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return strings.Join(all, ", ")
}

// signable is the first alternative whose proofs can all be made; an address
// needs no making.
func (g *Group) signable() *Chain {
	for _, c := range g.alts {
		if len(c.rest) > 0 && !slices.ContainsFunc(c.rest, func(v Verifier) bool { _, ok := v.(Signer); return !ok }) {
			return c
		}
	}
	return nil
}

// Sign makes the proofs of one alternative.
func (g *Group) Sign(ctx context.Context, r *Request) error {
	c := g.signable()
	if c == nil {
		return errors.New("any_of: no alternative can be signed for")
	}
	for _, v := range c.rest {
		if err := v.(Signer).Sign(ctx, r); err != nil { //nolint:errcheck // signable has looked
			return err
		}
	}
	return nil
}

// AsChallenged finds what of v answers challenges: v itself, or a proof of the
// alternative of a group that Sign makes. ok is false where nothing does.
func AsChallenged(v Verifier) (c Challenged, ok bool) {
	g, isGroup := v.(*Group)
	if !isGroup {
		c, ok = v.(Challenged)
		return c, ok
	}
	if alt := g.signable(); alt != nil {
		for _, v := range alt.rest {
			if c, ok := AsChallenged(v); ok {
				return c, true
			}
		}
	}
	return nil, false
}

// Prepare prepares for the alternative that Sign makes.
func (g *Group) Prepare(r *Request, event, deliveryID string) {
	if c := g.signable(); c != nil {
		for _, v := range c.rest {
			if p, ok := v.(Preparer); ok {
				p.Prepare(r, event, deliveryID)
			}
		}
	}
}

// CredentialHeaders are those of all alternatives.
func (g *Group) CredentialHeaders() []string { return g.headers }

// CredentialParams are those of all alternatives.
func (g *Group) CredentialParams() []string { return g.params }

// Handshake is that of the chain's proofs; nil where none has one.
func (c *Chain) Handshake() Handshake {
	var all handshakes
	for _, v := range c.rest {
		switch v := v.(type) {
		case *Group:
			for _, alt := range v.alts {
				if h := alt.Handshake(); h != nil {
					all = append(all, alternative{alt, h})
				}
			}
		case Shaker:
			if h := v.Handshake(); h != nil {
				all = append(all, h)
			}
		}
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return all
}

// handshakes answers as the first that has an answer.
type handshakes []Handshake

func (hs handshakes) Answer(ctx context.Context, r *Request, verified bool) *Answer {
	for _, h := range hs {
		if a := h.Answer(ctx, r, verified); a != nil {
			return a
		}
	}
	return nil
}

// alternative is the handshake of one alternative of a group: that the request
// is verified may be the merit of another one.
type alternative struct {
	chain *Chain
	h     Handshake
}

func (a alternative) Answer(ctx context.Context, r *Request, verified bool) *Answer {
	if verified {
		if _, err := a.chain.holds(ctx, r); err != nil {
			return nil
		}
	}
	return a.h.Answer(ctx, r, verified)
}
