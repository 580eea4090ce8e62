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
	add("signature", p.Signing)
	for i := range p.Verify {
		a := &p.Verify[i]
		add("signature", signatureAt(a)+", "+form(a))
		add("covers", a.Signed)
		for _, p := range a.Require {
			add("must be equal", p[0]+" and "+p[1])
		}
		if t := a.Time; t != nil {
			add("clock", where([]string{t.At})+", tolerance "+t.Tolerance.String())
		}
	}
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
// delivery id. Of a proof made by code, only what it says of the body is known.
func (p *Preset) CoversID() bool {
	switch {
	case len(p.ID) == 0:
		return false
	case p.Code != nil:
		return p.Covers == CoversBody && (strings.HasPrefix(p.ID[0], "json:") || strings.HasPrefix(p.ID[0], "form:"))
	}
	return scheme.Covered(p.Verify, p.ID[0])
}

// signatureAt is where the signature is.
func signatureAt(a *scheme.Alternative) string {
	if a.Kind == scheme.Basic {
		return "header Authorization"
	}
	text := where(a.Sig.At)
	if a.ForEach != "" {
		text += " of " + where([]string{a.ForEach})
	}
	return text
}

// where names sources as a reader knows them: "header X-GitHub-Event".
func where(sources []string) string {
	texts := make([]string, 0, len(sources))
	for _, s := range sources {
		kind, name, _ := strings.Cut(s, ":")
		switch kind {
		case "json":
			texts = append(texts, "JSON member "+name)
		case "item":
			texts = append(texts, "member "+name+" of every item")
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
	switch a.Kind {
	case scheme.Token:
		return "the secret itself"
	case scheme.Basic:
		return "Basic, the secret is user:password"
	case scheme.HMAC, scheme.Digest, scheme.Ed25519, scheme.ECDSA, scheme.RSA:
	}
	enc := map[scheme.Encoding]string{scheme.Hex: "hex", scheme.Base64: "base64", scheme.Base64URL: "base64url"}[a.Sig.Enc]
	text := algorithm(a) + " in " + enc
	if a.Sig.Pick != "" {
		text += " as " + a.Sig.Pick
	}
	if a.Sig.Prefix != "" {
		text += " behind " + a.Sig.Prefix
	}
	return text
}

// algorithm names the signature as its readers know it: "RSA-SHA256".
func algorithm(a *scheme.Alternative) string {
	hash := strings.ToUpper(a.Hash.Name())
	switch a.Kind {
	case scheme.HMAC:
		return "HMAC-" + hash
	case scheme.ECDSA:
		return "ECDSA-" + hash
	case scheme.RSA:
		return "RSA-" + hash
	case scheme.Ed25519:
		return "Ed25519"
	case scheme.Digest, scheme.Token, scheme.Basic:
	}
	return hash
}
