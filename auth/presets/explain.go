package presets

import (
	"context"
	"net/http"
	"slices"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/mistakes"
	"github.com/hookd/hookd/auth/internal/scheme"
)

var _ auth.Explainer = (*Verifier)(nil)

// Explain says what is signed, and looks for the usual mistakes where the
// proof is made of data; of any other it repeats how the sender signs.
func (v *Verifier) Explain(ctx context.Context, r *auth.Request) auth.Explanation {
	if d, ok := v.check.(described); ok {
		return mistakes.Explain(ctx, d.given, d.with, r)
	}
	if v.preset.Signing == "" {
		return auth.Explanation{}
	}
	return auth.Explanation{Notes: []string{v.preset.Signing}}
}

// Local reports whether the proof is made of data: code may ask the sender's
// servers.
func (v *Verifier) Local() bool {
	_, ok := v.check.(described)
	return ok
}

// Recognize lists the senders, but for those with one of the names given, whose
// signature is in the headers by name, in the order of their names.
func Recognize(h http.Header, but ...string) []string {
	var all []string
	for _, p := range All() {
		signed := slices.ContainsFunc(p.Verify, func(a scheme.Alternative) bool { return signs(&a, h) })
		if signed && !slices.Contains(but, p.Name) {
			all = append(all, p.Name)
		}
	}
	return all
}

// signs reports whether a header that only a sender's signature is in is there.
func signs(a *scheme.Alternative, h http.Header) bool {
	for _, at := range a.Sig.At {
		src, err := scheme.ParseSource(at)
		if err == nil && src.Header() != "" && src.Header() != "Authorization" && len(h[src.Header()]) > 0 {
			return true
		}
	}
	return false
}
