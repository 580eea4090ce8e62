package secret

import (
	"slices"
	"strings"
)

// Texts are secrets that what others say must not repeat.
type Texts struct{ all []string }

// NewTexts makes them of secrets in any order; none may be empty. The longest
// goes first: one that is a part of another would leave the rest of it.
func NewTexts(all []string) Texts {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return Texts{all}
}

// Hide is s with Redacted in the place of each.
func (t Texts) Hide(s string) string {
	for _, text := range t.all {
		s = strings.ReplaceAll(s, text, Redacted)
	}
	return s
}
