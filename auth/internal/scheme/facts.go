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
		if a, err := parse(&alts[i]); err != nil || !a.covers(src) {
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
	return a.coversBodyOf(src) || a.names(src) || a.coversItem(src) || src.kind == fromQuery && a.coversQuery()
}

// coversBodyOf reports whether what src reads is covered as a part of the body.
// A CRC covers nothing: whoever wants another body with the same one makes it.
func (a *alternative) coversBodyOf(src Source) bool {
	if src.kind != fromJSON && src.kind != fromForm {
		return false
	}
	return a.signed.has(atBody) || a.signed.has(atBodyHash) || a.requiresBodyHash() ||
		src.kind == fromForm && (a.signed.has(atForm) || a.signed.has(atFormUniq) || a.signed.has(atFormPHP) && src.name != a.ownField())
}

// ownField is the field of the form that holds the signature; "" where it is
// elsewhere.
func (a *alternative) ownField() string {
	if len(a.at) > 0 && a.at[0].kind == fromForm {
		return a.at[0].name
	}
	return ""
}

// names reports whether the template names src.
func (a *alternative) names(src Source) bool {
	return slices.ContainsFunc(a.signed, func(seg segment) bool {
		return seg.atom == atSource && seg.from.String() == src.String()
	})
}

// requiresBodyHash: the body must have the hash that is in something covered.
func (a *alternative) requiresBodyHash() bool {
	return slices.ContainsFunc(a.require, func(p pair) bool {
		for i, t := range p {
			src, ok := p[1-i].single()
			if len(t) == 1 && t[0].atom == atBodyHash && ok && (a.names(src) || src.kind == fromQuery && a.coversQuery()) {
				return true
			}
		}
		return false
	})
}

func (a *alternative) coversQuery() bool {
	return a.signed.has(atURLQuery) || a.signed.has(atURLDecoded)
}

// coversItem: "json:list.0.a" is covered where each item's signature covers
// "item:a".
func (a *alternative) coversItem(src Source) bool {
	if a.items == nil || src.kind != fromJSON {
		return false
	}
	n := len(a.items.path)
	if len(src.path) <= n+1 || !slices.Equal(src.path[:n], a.items.path) || src.path[n].index < 0 {
		return false
	}
	return slices.ContainsFunc(a.signed, func(seg segment) bool {
		return seg.atom == atSource && seg.from.kind == fromItem && slices.Equal(seg.from.path, src.path[n+1:])
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

// CredentialFields are the sources in the body that hold signatures or tokens:
// "json:signature.signature", "form:bt_signature". Of a list of items it is the
// first.
func (s *Scheme) CredentialFields() []string {
	var all []string
	for i := range s.alts {
		for _, src := range s.alts[i].at {
			switch src.kind {
			case fromJSON, fromForm:
				all = append(all, src.String())
			case fromItem:
				all = append(all, s.alts[i].items.String()+".0."+src.name)
			case fromHeader, fromQuery, fromSig, fromParam:
			}
		}
	}
	return all
}
