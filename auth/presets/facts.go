package presets

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hookd/hookd/auth/internal/scheme"
)

// Fact is one line of a preset's reference page.
type Fact struct {
	Label string `json:"label"`
	Text  string `json:"text"`
}

// Facts describes how the sender works, for a person.
func (p *Preset) Facts() []Fact {
	var facts []Fact
	add := func(label, text string) {
		if text != "" {
			facts = append(facts, Fact{label, text})
		}
	}
	p.proofFacts(add)
	if p.NeedsURL() {
		add("public_url", "must be set: the signature covers the URL")
	}
	for _, q := range p.Params {
		add("setting "+q.Name, q.Doc+map[bool]string{true: " (required)"}[q.Required])
	}
	if len(p.ID) > 0 {
		add("delivery id", where(p.ID)+p.idNote())
		add("remembered for", span(p.Window))
	} else {
		add("delivery id", "none: repeats are told by the body")
	}
	add("event type", where(p.Type))
	add("headers", p.headerNames())
	if p.Handshake != nil {
		add("handshake", p.Handshake.Doc)
	}
	if p.Deadline > 0 {
		add("answer within", span(p.Deadline))
	}
	if r := p.Reply; r != nil {
		add("wants as its answer", strings.TrimRight(strconv.Itoa(cmp.Or(r.Status, 200))+" "+r.Body, " "))
	}
	add("redelivery", p.Retry)
	add("source", p.Source)
	return facts
}

func (p *Preset) proofFacts(add func(label, text string)) {
	add("signature", p.Signing)
	for i := range p.Verify {
		a := &p.Verify[i]
		label := "signature"
		if i > 0 {
			label = "or signature"
		}
		text := signatureAt(a) + ", " + form(a)
		if a.When[0] != "" {
			text += ", where " + where([]string{a.When[0]}) + " is " + a.When[1]
		}
		add(label, text)
		add("covers", a.Signed)
		for _, pair := range a.Require {
			add("must be equal", pair[0]+" and "+pair[1])
		}
		if t := a.Time; t != nil {
			tolerance := "no limit unless you set tolerance"
			if t.Tolerance > 0 {
				tolerance = "tolerance " + span(t.Tolerance)
			}
			add("clock", where([]string{t.At})+", "+tolerance)
		}
	}
	add("of the body it covers", p.Covers.String())
}

// String is how much of the body is covered.
func (c Coverage) String() string {
	return [...]string{"all", "some members", "nothing"}[c]
}

// Warning says what somebody must know who trusts the sender's proof; "" where
// it covers the whole body.
func (p *Preset) Warning() string {
	switch {
	case p.Unsigned:
		return "This sender proves nothing: whoever knows the URL can send. Give the hook another proof."
	case p.Covers == CoversPart:
		return "This sender's proof does not cover the body: only some of its members are signed, and the others can be changed by whoever captures a request."
	case p.Covers == CoversNone:
		return "This sender's proof does not cover the body: whoever learns the credential, from a log or a proxy, can send any event."
	}
	return ""
}

// NeedsURL reports whether a hook must set public_url.
func (p *Preset) NeedsURL() bool {
	return p.SignsURL || slices.ContainsFunc(p.Verify, func(a scheme.Alternative) bool {
		return strings.Contains(a.Signed, "{url")
	})
}

// CoversID reports whether the first source of the delivery id is enough to
// tell a repeat: the signature covers it, and no other request has it. Of a proof made by code, only what it says of the body is known.
func (p *Preset) CoversID() bool {
	switch {
	case len(p.ID) == 0 || p.IDShared:
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

func (p *Preset) idNote() string {
	switch {
	case p.IDShared:
		return " (other requests may have it, too: the body is compared as well)"
	case p.CoversID():
		return " (covered by the signature)"
	}
	return " (not covered by the signature: the body is compared too)"
}

// span is a length of time in words: "5 minutes".
func span(d time.Duration) string {
	for _, u := range []struct {
		name string
		d    time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}} {
		switch {
		case d == u.d:
			return "1 " + u.name
		case d >= u.d && d%u.d == 0:
			return strconv.Itoa(int(d/u.d)) + " " + u.name + "s"
		}
	}
	return d.String()
}

// headerNames are the sender's own headers.
func (p *Preset) headerNames() string {
	var names []string
	for _, h := range p.Headers {
		if h.Name != "Content-Type" && h.Name != "User-Agent" {
			names = append(names, h.Name)
		}
	}
	return strings.Join(names, ", ")
}

// where names sources as a reader knows them: "header X-GitHub-Event".
func where(sources []string) string {
	texts := make([]string, 0, len(sources))
	for _, s := range sources {
		kind, name, _ := strings.Cut(s, ":")
		switch kind {
		case "json":
			texts = append(texts, "JSON member "+name)
		case "form":
			texts = append(texts, "form field "+name)
		case "query":
			texts = append(texts, "query parameter "+name)
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
	behind := ""
	if a.Sig.Prefix != "" {
		behind = " behind " + strings.TrimRight(a.Sig.Prefix, " ")
	}
	switch a.Kind {
	case scheme.Token:
		return "the secret itself" + behind
	case scheme.Basic:
		return "Basic, the secret is user:password"
	case scheme.HMAC, scheme.Digest, scheme.Ed25519, scheme.ECDSA, scheme.RSA:
	}
	enc := map[scheme.Encoding]string{scheme.Hex: "hex", scheme.Base64: "base64", scheme.Base64URL: "base64url"}[a.Sig.Enc]
	text := algorithm(a) + " in " + enc
	if a.Sig.Pick != "" {
		text += " as " + a.Sig.Pick
	}
	return text + behind
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
