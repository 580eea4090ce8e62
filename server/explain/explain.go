package explain

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/presets"
)

// Input is a request and what is asked about it.
type Input struct {
	ID      string
	Hook    string
	Chain   *auth.Chain
	Request *auth.Request // as it was received; Now is when
	Refused string        // the reason of that time; "" is not known
	// Unread: the body is not known. Nowhere: the client's address is not known.
	Unread, Nowhere bool
	// Hidden are headers and parameters whose values are not known, because the
	// request is a shown one.
	Hidden []string
	// Others are the other hooks: the request may be one of theirs.
	Others []Hook
}

// Hook is another hook.
type Hook struct {
	ID    string
	Chain *auth.Chain
}

// Bounds of one report.
const (
	maxTime   = 20 * time.Second
	maxOthers = 1000
)

// Run makes the report. It asks no other service.
func Run(ctx context.Context, in Input) Report {
	ctx, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()
	out := Report{ID: in.ID, Hook: in.Hook, Refused: in.Refused, Proofs: []Proof{}, Notes: []string{}, Advised: []string{}}
	if in.Chain.Empty() {
		out.Holds = true
		out.Notes = append(out.Notes, "The hook has no proof: nothing is refused by one.")
		return out
	}
	if in.Unread {
		out.Notes = append(out.Notes, "The body is not known: it was too large to keep, or was not read. What a signature covers cannot be told.")
	}
	opinions, holds := in.Chain.Explain(ctx, in.Request)
	out.Holds = holds
	for i := range opinions {
		p := in.proof(&opinions[i])
		out.Holds = out.Holds && (p.Verdict == Holds || opinions[i].Remote || opinions[i].Alternative > 0)
		out.Proofs = append(out.Proofs, p)
	}
	out.Notes = append(out.Notes, in.senders()...)
	if !holds && !in.Unread && len(in.Hidden) == 0 {
		out.Notes = append(out.Notes, in.others(ctx)...)
	}
	out.advise(&in)
	return out
}

// proof puts what one proof says into words.
func (in *Input) proof(o *auth.Opinion) Proof {
	p := Proof{Method: o.Method, Alternative: o.Alternative, Subject: o.Subject}
	unknown := in.unknown(o)
	switch {
	case unknown != "":
		p.Verdict, p.Meaning = NotAsked, unknown
	case o.Holds:
		p.Verdict = Holds
		return p
	case o.Remote:
		p.Verdict, p.Meaning = NotAsked, "This proof asks another service, which is not done for an explanation."
	default:
		p.Verdict, p.Code, p.Meaning = Refused, o.Denial.Code, Meaning(o.Denial.Code)
		if o.Denial.Err != nil {
			p.Detail = o.Denial.Err.Error()
		}
	}
	if x := o.Explanation; x != nil && !in.Unread {
		for i := range x.Signed {
			p.Signed = append(p.Signed, signed(&x.Signed[i], unknown != ""))
		}
		if unknown == "" {
			p.Notes, p.Tried, p.Cut = x.Notes, x.Tried, x.Cut
			for i := range x.Matches {
				p.Matches = append(p.Matches, match(&x.Matches[i]))
			}
		}
	}
	return p
}

// unknown says why a proof cannot be judged: it reads what is not there.
func (in *Input) unknown(o *auth.Opinion) string {
	switch {
	case in.Unread && o.Cost >= auth.CostBody:
		return "The body is not known, so that this proof cannot be judged."
	case in.Nowhere && o.Cost == auth.CostAddress:
		return "The client's address is not known, so that this proof cannot be judged."
	}
	for _, name := range slices.Concat(o.Headers, o.Params) {
		if slices.ContainsFunc(in.Hidden, func(h string) bool { return strings.EqualFold(h, name) }) {
			return "The value of " + name + " is not in this file, so that it cannot be judged: ask for the request by its id."
		}
	}
	return ""
}

func signed(s *auth.Signed, hidden bool) Signed {
	out := Signed{
		Template: s.Template, Where: s.Where, Form: s.Form, Received: s.Received,
		Code: s.Code, Length: s.Length, SHA256: s.SHA256,
	}
	if hidden {
		out.Received = "not in this file"
	}
	if s.Code == "" && s.Template != "" {
		out.Head = strconv.Quote(string(s.Head))
		if len(s.Tail) > 0 {
			out.Tail = strconv.Quote(string(s.Tail))
		}
	}
	return out
}

func match(m *auth.Match) Match {
	var out Match
	var when []string
	for _, k := range m.Mistakes {
		when = append(when, k.Text)
		if !slices.Contains(out.Kinds, k.Kind) {
			out.Kinds = append(out.Kinds, k.Kind)
		}
		if !slices.Contains(out.Advice, k.Advice) {
			out.Advice = append(out.Advice, k.Advice)
		}
	}
	out.When = strings.Join(when, ", and ")
	if m.Secrets > 1 && m.Secret > 0 {
		out.Secret = fmt.Sprintf("%d of %d", m.Secret, m.Secrets)
	}
	return out
}

// senders are well-known ones whose signature the request has and the hook does
// not read.
func (in *Input) senders() []string {
	headers := in.Request.Header.Clone()
	for _, name := range in.Chain.CredentialHeaders() {
		delete(headers, name)
	}
	found := presets.Recognize(headers)
	if len(found) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("The request has the signature of another sender, which no proof of this hook reads: try `\"provider\": %q`.",
		strings.Join(found[:min(len(found), 5)], "\" or \""))}
}

// others are the hooks whose secret the request is signed with.
func (in *Input) others(ctx context.Context) []string {
	var all []string
	for i, h := range in.Others {
		if h.ID == in.Hook || h.Chain == nil {
			continue
		}
		if i >= maxOthers || ctx.Err() != nil || len(all) == 5 {
			break
		}
		if id, ok := h.Chain.Knows(ctx, in.Request); ok {
			all = append(all, fmt.Sprintf(
				"The request matches with the secret of the hook %q (%s): it was sent to the wrong URL, or the two secrets are mixed up.", h.ID, id.Subject))
		}
	}
	return all
}

// advise says what to do next.
func (r *Report) advise(in *Input) {
	if r.Holds {
		what := "Every proof holds now: `hookd quarantine retry " + in.ID + "` accepts it."
		if slices.ContainsFunc(r.Proofs, func(p Proof) bool { return p.Verdict == NotAsked }) {
			what = "Every proof that was asked holds now: `hookd quarantine retry " + in.ID + "` asks the others, and accepts it where they hold."
		}
		if in.ID != "" {
			r.Advised = append(r.Advised, what)
		}
		return
	}
	for i := range r.Proofs {
		for _, m := range r.Proofs[i].Matches {
			for _, a := range m.Advice {
				if !slices.Contains(r.Advised, a) {
					r.Advised = append(r.Advised, a)
				}
			}
		}
	}
}
