package auth

import (
	"context"
	"slices"
)

// Explainer is a Verifier that can say more of a request than a code: what its
// signature covers, and which of the usual mistakes would explain the refusal.
type Explainer interface {
	// Explain changes nothing of r, and its work is bounded. What it returns
	// holds no secret, no credential, and no signature that would be right.
	Explain(ctx context.Context, r *Request) Explanation
	// Local reports whether Verify asks nobody, so that it may be asked of any
	// request as often as one likes.
	Local() bool
}

// Explanation is what an Explainer found.
type Explanation struct {
	Signed  []Signed
	Notes   []string // sentences about the request
	Matches []Match  // the simplest first; empty: no mistake that was tried explains it
	Tried   int      // mistakes and pairs of them
	Cut     bool     // the search ended at its bounds
}

// Signed is what a signature covers in a request.
type Signed struct {
	Template string // "{time}.{body}"
	Where    string // "header X-Hub-Signature-256"
	Form     string // "hex of HMAC-SHA256, behind \"sha256=\""
	Received string // the form of what is there, never the text
	Code     string // why the covered bytes cannot be put together; "" when they can

	Length     int
	SHA256     string // hex; of the covered bytes, without any secret
	Head, Tail []byte // the first and the last 64 bytes; Tail is empty when Head has it all
}

// Match is a mistake, or two at once, without which the request would pass.
type Match struct {
	Mistakes []Mistake
	Secret   int // which of the configured secrets, from 1; 0 where that is not known
	Secrets  int // how many there are
}

// Mistake is one thing that senders, proxies and operators get wrong.
type Mistake struct {
	Kind   string // body, secret, form, place, time, signed, url
	Text   string // completes "matches when ..."
	Advice string
}

// Opinion is what one proof says of a request.
type Opinion struct {
	Alternative int    // of a group, from 1; 0 outside of groups
	Method      string // "hmac"; "" where it was not asked
	Cost        Cost   // what it looks at
	Holds       bool
	Remote      bool // asks another service, and was therefore not asked
	Subject     string
	Denial      *Denial // nil when it holds, or was not asked
	Headers     []string
	Params      []string
	Explanation *Explanation // nil for a proof that is no Explainer, or holds
}

// Explain asks every proof, also behind one that refuses, and reports whether
// the request would pass. Proofs that ask another service are not asked: they
// are left out of that.
func (c *Chain) Explain(ctx context.Context, r *Request) (all []Opinion, holds bool) {
	return c.explain(ctx, r, 0)
}

func (c *Chain) explain(ctx context.Context, r *Request, alternative int) (all []Opinion, holds bool) {
	holds = true
	for _, v := range slices.Concat(c.early, c.rest) {
		if g, ok := v.(*Group); ok {
			one := false
			for i, alt := range g.alts {
				of, ok := alt.explain(ctx, r, i+1)
				all, one = append(all, of...), one || ok
			}
			holds = holds && one
			continue
		}
		o := opinion(ctx, v, r)
		o.Alternative = alternative
		all, holds = append(all, o), holds && (o.Holds || o.Remote)
	}
	return all, holds
}

func opinion(ctx context.Context, v Verifier, r *Request) Opinion {
	o := Opinion{Cost: v.Cost()}
	if s, ok := v.(Sourced); ok {
		o.Headers, o.Params = s.CredentialHeaders(), s.CredentialParams()
	}
	e, explains := v.(Explainer)
	if o.Cost == CostRemote || explains && !e.Local() {
		o.Remote = true
	} else {
		id, err := verifyContained(ctx, v, r)
		if err == nil {
			o.Method, o.Subject, o.Holds = id.Method, id.Subject, true
			return o
		}
		o.Denial = DenialOf(err)
		o.Method = o.Denial.Method
	}
	if explains {
		o.Explanation = explainContained(ctx, e, r)
	}
	return o
}

// explainContained drops an explanation that panics: it is a convenience.
func explainContained(ctx context.Context, e Explainer, r *Request) (got *Explanation) {
	defer func() {
		if recover() != nil {
			got = nil
		}
	}()
	x := e.Explain(ctx, r)
	return &x
}

// Knows reports whether a signature of the request was made for one of the
// chain's proofs, whatever the others say; only proofs that ask nobody are
// asked.
func (c *Chain) Knows(ctx context.Context, r *Request) (Identity, bool) {
	for _, v := range c.rest {
		if g, ok := v.(*Group); ok {
			for _, alt := range g.alts {
				if id, ok := alt.Knows(ctx, r); ok {
					return id, true
				}
			}
			continue
		}
		e, explains := v.(Explainer)
		s, sourced := v.(Sourced)
		if !explains || !e.Local() || !sourced || len(s.CredentialHeaders())+len(s.CredentialParams()) == 0 {
			continue // a proof that wants nothing holds for everything
		}
		if id, err := verifyContained(ctx, v, r); err == nil {
			return id, true
		}
	}
	return Identity{}, false
}
