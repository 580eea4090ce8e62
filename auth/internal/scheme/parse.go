package scheme

import (
	"fmt"
)

// parse reads the text forms of a description.
func parse(d *Alternative) (a alternative, err error) {
	a = alternative{kind: d.Kind, hash: d.Hash, sig: d.Sig, cascade: d.Fallthrough, least: d.MinSigned}
	if a.at, err = ParseSources(d.Sig.At); err != nil {
		return a, err
	}
	if d.Kind == Basic && len(a.at) == 0 {
		a.at = []Source{authorization}
	}
	if a.signed, err = parseTemplate(d.Signed); err != nil {
		return a, fmt.Errorf("signed template %q: %w", d.Signed, err)
	}
	if a.require, err = parsePairs(d.Require); err != nil {
		return a, err
	}
	if a.items, err = parseOptional(d.ForEach); err != nil {
		return a, err
	}
	if a.when, err = parseOptional(d.When[0]); err != nil {
		return a, err
	}
	a.literal = d.When[1]
	if d.Time != nil {
		a.clock, err = compileClock(d.Time)
	}
	return a, err
}

// parseOptional reads a source; "" is none.
func parseOptional(text string) (*Source, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // none is no error
	}
	src, err := ParseSource(text)
	return &src, err
}

func compileClock(d *Time) (*clock, error) {
	at, err := ParseSource(d.At)
	if err != nil {
		return nil, err
	}
	c := &clock{at: at, format: d.Format, past: d.Tolerance, future: d.Future}
	if c.future == 0 {
		c.future = c.past
	}
	return c, nil
}
