package cmd

import (
	"fmt"
	"strings"

	why "github.com/hookd/hookd/server/explain"
)

// showReport writes a report for a person.
func (a *app) showReport(r why.Report) {
	p := a.io.style()
	head := func(name, value string) {
		if value != "" {
			a.io.Printf("%s %s\n", p.bold.Render(fmt.Sprintf("%-8s", name)), printable(value))
		}
	}
	head("request", r.ID)
	head("hook", r.Hook)
	head("refused", r.Refused)
	verdict := "refused"
	if r.Holds {
		verdict = "every proof holds"
	}
	head("now", verdict)
	for i := range r.Proofs {
		a.showProof(p, &r.Proofs[i])
	}
	a.sentences("", r.Notes)
	if len(r.Advised) > 0 {
		a.io.Printf("\n%s\n", p.bold.Render("What to do"))
		for _, text := range r.Advised {
			a.sentences("  ", []string{text})
		}
	}
}

func (a *app) showProof(p palette, x *why.Proof) {
	name := x.Method
	if name == "" {
		name = "proof"
	}
	if x.Alternative > 0 {
		name += fmt.Sprintf(" (alternative %d)", x.Alternative)
	}
	switch x.Verdict {
	case why.Holds:
		a.io.Printf("\n%s: %s as %s\n", p.bold.Render(name), p.good.Render("holds"), printable(orDash(x.Subject)))
		return
	case why.Refused:
		a.io.Printf("\n%s: %s, %s\n", p.bold.Render(name), p.bad.Render("refused"), x.Code)
	default:
		a.io.Printf("\n%s: not asked\n", p.bold.Render(name))
	}
	a.sentences("  ", []string{x.Meaning, x.Detail})
	for i := range x.Signed {
		a.showSigned(&x.Signed[i])
	}
	a.sentences("  ", x.Notes)
	for _, m := range x.Matches {
		secret := ""
		if m.Secret != "" {
			secret = " (secret " + m.Secret + ")"
		}
		a.io.Printf("  %s when %s%s\n", p.good.Render("matches"), printable(m.When), secret)
	}
	switch {
	case x.Tried > 0 && len(x.Matches) == 0 && x.Cut:
		a.io.Printf("  None of the %d mistakes and pairs of mistakes that were tried explains it; there are more.\n", x.Tried)
	case x.Tried > 0 && len(x.Matches) == 0:
		a.io.Printf("  None of the %d mistakes and pairs of mistakes that were tried explains it: the secret is another one.\n", x.Tried)
	}
}

func (a *app) showSigned(s *why.Signed) {
	line := func(name, value string) {
		if value != "" {
			a.io.Printf("  %-9s %s\n", name, printable(value))
		}
	}
	line("wanted", s.Where+": "+s.Form)
	line("received", s.Received)
	if s.Template == "" {
		return
	}
	if s.Code != "" {
		line("signed", s.Template+" (cannot be put together: "+s.Code+")")
		return
	}
	line("signed", fmt.Sprintf("%s: %s, SHA-256 %s", s.Template, count(s.Length, "byte", "bytes"), s.SHA256))
	line("starts", s.Head)
	line("ends", s.Tail)
}

// sentences writes each text that is not empty, in lines that fit.
func (a *app) sentences(margin string, texts []string) {
	for _, text := range texts {
		line := margin
		for word := range strings.FieldsSeq(text) {
			word = printable(word)
			if len(line)+len(word) > max(a.io.Width, 40) && strings.TrimSpace(line) != "" {
				a.io.Printf("%s\n", strings.TrimRight(line, " "))
				line = margin
			}
			line += word + " "
		}
		if strings.TrimSpace(line) != "" {
			a.io.Printf("%s\n", strings.TrimRight(line, " "))
		}
	}
}
