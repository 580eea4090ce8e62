package presets

import (
	"slices"
	"strings"

	"github.com/hookd/hookd/auth/internal/scheme"
)

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

func (p *Preset) idNote() string {
	switch {
	case p.IDShared:
		return " (other requests may have it, too: the body is compared as well)"
	case p.CoversID():
		return " (covered by the signature)"
	}
	return " (not covered by the signature: the body is compared too)"
}
