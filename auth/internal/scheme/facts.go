package scheme

import (
	"slices"
	"strconv"
)

// Covered is Covers for a description: it reports whether the signatures of all
// alternatives cover the source with the text form given.
func Covered(alts []Alternative, source string) bool {
	src, err := ParseSource(source)
	if err != nil {
		return false
	}
	for i := range alts {
		t, err := parseTemplate(alts[i].Signed)
		if a := (alternative{signed: t}); err != nil || !a.covers(src) {
			return false
		}
	}
	return len(alts) > 0
}

// Covers reports whether every alternative's signature covers what src reads.
func (s *Scheme) Covers(src Source) bool {
	return !slices.ContainsFunc(s.alts, func(a alternative) bool { return !a.covers(src) })
}

func (a *alternative) covers(src Source) bool {
	switch src.kind {
	case fromJSON:
		if a.signed.has(atBody) || a.signed.has(atBodyHash) {
			return true
		}
	case fromForm:
		if a.signed.has(atBody) || a.signed.has(atBodyHash) || a.signed.has(atForm) || a.signed.has(atFormUniq) {
			return true
		}
	case fromHeader, fromQuery, fromSig, fromParam:
	}
	return slices.ContainsFunc(a.signed, func(seg segment) bool {
		return seg.atom == atSource && seg.from.String() == src.String()
	})
}

// CredentialHeaders are the headers that hold signatures or tokens.
func (s *Scheme) CredentialHeaders() []string {
	var all []string
	for i := range s.alts {
		for _, src := range s.alts[i].at {
			switch {
			case src.kind != fromHeader:
			case src.wild:
				for n := range maxValues {
					all = append(all, src.name+strconv.Itoa(n+1))
				}
			default:
				all = append(all, src.name)
			}
		}
	}
	return all
}

// CredentialParams are the query parameters that hold them.
func (s *Scheme) CredentialParams() []string {
	var all []string
	for i := range s.alts {
		for _, src := range s.alts[i].at {
			if src.kind == fromQuery {
				all = append(all, src.name)
			}
		}
	}
	return all
}
