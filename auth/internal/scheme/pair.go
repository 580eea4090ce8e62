package scheme

import (
	"crypto/subtle"
	"fmt"

	"github.com/hookd/hookd/auth"
)

// pair are two templates that must be equal.
type pair [2]template

func parsePairs(texts [][2]string) ([]pair, error) {
	var all []pair
	for _, two := range texts {
		var p pair
		for i, text := range two {
			var err error
			if p[i], err = parseTemplate(text); err != nil {
				return nil, fmt.Errorf("template %q: %w", text, err)
			}
		}
		all = append(all, p)
	}
	return all, nil
}

// required compares all pairs.
func (a *alternative) required(in *input) (code string) {
	for _, p := range a.require {
		left, code := p[0].render(in)
		if code != "" {
			return code
		}
		right, code := p[1].render(in)
		if code != "" {
			return code
		}
		if subtle.ConstantTimeCompare(left, right) != 1 {
			return auth.CodeSignatureMismatch
		}
	}
	return ""
}
