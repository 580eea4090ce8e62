package presets

import (
	"cmp"
	"strconv"
	"strings"
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
