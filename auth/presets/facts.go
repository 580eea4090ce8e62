package presets

import (
	"strings"

	"github.com/hookd/hookd/auth/internal/scheme"
)

// Fact is one line of a preset's reference page.
type Fact struct{ Label, Text string }

// Facts describes how the sender works, for a person.
func (p *Preset) Facts() []Fact {
	var facts []Fact
	add := func(label, text string) {
		if text != "" {
			facts = append(facts, Fact{label, text})
		}
	}
	for i := range p.Verify {
		a := &p.Verify[i]
		add("signature", where(a.Sig.At)+", "+form(a))
		add("covers", a.Signed)
		if t := a.Time; t != nil {
			add("clock", where([]string{t.At})+", tolerance "+t.Tolerance.String())
		}
	}
	add("signature", p.Signing)
	covered := " (not covered by the signature: the body is compared too)"
	if p.CoversID() {
		covered = " (covered by the signature)"
	}
	if len(p.ID) > 0 {
		add("delivery id", where(p.ID)+covered)
		add("remembered for", p.Window.String())
	}
	add("event type", where(p.Type))
	if p.Deadline > 0 {
		add("answer within", p.Deadline.String())
	}
	add("redelivery", p.Retry)
	add("source", p.Source)
	return facts
}

// CoversID reports whether the signature covers the first source of the
// delivery id.
func (p *Preset) CoversID() bool {
	switch {
	case len(p.ID) == 0:
		return false
	case p.Code != nil:
		return p.Covers == CoversBody && strings.HasPrefix(p.ID[0], "json:")
	}
	return scheme.Covered(p.Verify, p.ID[0])
}

// where names sources as a reader knows them: "header X-GitHub-Event".
func where(sources []string) string {
	texts := make([]string, 0, len(sources))
	for _, s := range sources {
		kind, name, _ := strings.Cut(s, ":")
		switch kind {
		case "json":
			texts = append(texts, "JSON member "+name)
		case "sig":
			texts = append(texts, name+" of the signature header")
		case "param":
			texts = append(texts, "setting "+name)
		default:
			texts = append(texts, kind+" "+name)
		}
	}
	return strings.Join(texts, ", else ")
}

func form(a *scheme.Alternative) string {
	if a.Kind == scheme.Token {
		return "the secret itself"
	}
	kind := map[scheme.Kind]string{scheme.HMAC: "HMAC-", scheme.Digest: ""}[a.Kind]
	enc := map[scheme.Encoding]string{scheme.Hex: "hex", scheme.Base64: "base64", scheme.Base64URL: "base64url"}[a.Sig.Enc]
	text := kind + strings.ToUpper(a.Hash.Name()) + " in " + enc
	if a.Sig.Pick != "" {
		text += " as " + a.Sig.Pick
	}
	if a.Sig.Prefix != "" {
		text += " behind " + a.Sig.Prefix
	}
	return text
}
