package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
)

// Chain checks all proofs of a hook: every one must hold. It is immutable and
// safe for concurrent use.
//
// The answer to a refused request is the same whichever proof refused it: the
// Denial that Verify returns carries the challenges of all proofs, so that
// WWW-Authenticate tells what the hook wants and not what was wrong.
type Chain struct {
	early, rest []Verifier
	headers     []string
	params      []string
}

// NewChain orders the proofs by cost, and keeps the given order among equals.
func NewChain(vs ...Verifier) *Chain {
	c := &Chain{}
	for _, v := range vs {
		if v.Cost() == CostAddress {
			c.early = append(c.early, v)
		} else {
			c.rest = append(c.rest, v)
		}
		if s, ok := v.(Sourced); ok {
			c.headers = append(c.headers, s.CredentialHeaders()...)
			c.params = append(c.params, s.CredentialParams()...)
		}
	}
	slices.SortStableFunc(c.rest, func(a, b Verifier) int { return cmp.Compare(a.Cost(), b.Cost()) })
	slices.Sort(c.headers)
	slices.Sort(c.params)
	c.headers, c.params = slices.Compact(c.headers), slices.Compact(c.params)
	return c
}

// Empty reports whether there is no proof at all.
func (c *Chain) Empty() bool { return len(c.early)+len(c.rest) == 0 }

// Early checks the proofs that need the address only, before the body is read.
// A refusal is a *Denial.
func (c *Chain) Early(ctx context.Context, r *Request) error {
	for _, v := range c.early {
		if _, err := verifyContained(ctx, v, r); err != nil {
			return DenialOf(err)
		}
	}
	return nil
}

// Verify checks all other proofs, cheap before expensive, and stops at the
// first that refuses; a refusal is a *Denial. Where several proofs hold, the
// identity is that of the last and strongest, and its subject lists all.
func (c *Chain) Verify(ctx context.Context, r *Request) (Identity, error) {
	var all Identity
	for _, v := range c.rest {
		id, err := verifyContained(ctx, v, r)
		if err != nil {
			return Identity{}, c.challenged(v, r, err)
		}
		if len(all.Once)+len(all.held) > 0 {
			id.Once, id.held = append(all.Once, id.Once...), append(all.held, id.held...)
		}
		if all.Subject != "" && id.Subject != "" {
			id.Subject = all.Subject + "," + id.Subject
		} else if id.Subject == "" {
			id.Subject = all.Subject
		}
		all = id
	}
	return all, nil
}

// challenged puts the challenges of all proofs into the refusal by v. Only v
// may have one of its own: a digest with a fresh nonce, say.
func (c *Chain) challenged(v Verifier, r *Request, err error) *Denial {
	d := *DenialOf(err)
	if d.Forbidden || d.Unavailable {
		d.Challenge = ""
		return &d
	}
	var all []string
	for _, w := range c.rest {
		text := ""
		if w == v && d.Challenge != "" {
			text = d.Challenge
		} else if ch, ok := w.(Challenger); ok {
			text = ch.Challenge(r)
		}
		if text != "" && !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	d.Challenge = strings.Join(all, ", ")
	return &d
}

// Replayed is the refusal of a request whose Identity.Once was taken before.
func (c *Chain) Replayed(r *Request, id Identity) *Denial {
	return c.challenged(nil, r, Deny(id.Method, CodeReplayed))
}

// Mark asks the proofs for the sender's delivery id and event type; for each,
// the first that knows one wins. id is what Verify returned when it let r pass;
// of a group, only the alternative that held is asked.
func (c *Chain) Mark(r *Request, id Identity) Marks {
	var all Marks
	for _, v := range c.rest {
		var got Marks
		if g, ok := v.(*Group); ok {
			got = id.heldBy(g).Mark(r, id)
		} else if m, ok := v.(Marker); ok {
			got = markContained(m, r)
		}
		if all.DeliveryID == "" && got.DeliveryID != "" {
			all.DeliveryID, all.Covered = got.DeliveryID, got.Covered
		}
		all.Type = cmp.Or(all.Type, got.Type)
		all.Window = max(all.Window, got.Window)
	}
	return all
}

// CredentialHeaders are the headers that the proofs read credentials from:
// canonical, sorted, each once. The caller must not change the slice.
func (c *Chain) CredentialHeaders() []string { return c.headers }

// CredentialParams are the query parameters that they read, sorted, each once.
// The caller must not change the slice.
func (c *Chain) CredentialParams() []string { return c.params }

// verifyContained turns a panic of a proof into a refusal: a request that a
// method cannot bear must end neither the process nor in acceptance.
func verifyContained(ctx context.Context, v Verifier, r *Request) (id Identity, err error) {
	defer func() {
		if p := recover(); p != nil {
			id, err = Identity{}, &Denial{Method: "auth", Code: CodeInternal, Err: panicked(v, p)}
		}
	}()
	return v.Verify(ctx, r)
}

// markContained drops the marks of a proof that panics: the request has proved
// itself, it only cannot be told from a second one.
func markContained(m Marker, r *Request) (marks Marks) {
	defer func() {
		if recover() != nil {
			marks = Marks{}
		}
	}()
	return m.Mark(r)
}

// panicked describes a panic without its value, which may hold what the sender
// sent; only the runtime's own errors are known not to.
func panicked(v Verifier, p any) error {
	what := fmt.Sprintf("%T", p)
	if err, ok := p.(error); ok {
		if re := runtime.Error(nil); errors.As(err, &re) {
			what = re.Error()
		}
	}
	return fmt.Errorf("%T panicked at %s: %s", v, panicPlace(), what)
}

// panicPlace is the file:line that panicked.
func panicPlace() string {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for below := false; ; {
		f, more := frames.Next()
		inRuntime := strings.HasPrefix(f.Function, "runtime.")
		if below && !inRuntime {
			return fmt.Sprintf("%s:%d", f.File[strings.LastIndexByte(f.File, '/')+1:], f.Line)
		}
		below = below || f.Function == "runtime.gopanic"
		if !more {
			return "an unknown place"
		}
	}
}
