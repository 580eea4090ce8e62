package scheme

import (
	"strings"

	"github.com/hookd/hookd/auth"
)

// next takes the first element off a list: a bare value, or key and value. more
// is false at the end.
func (s *Sig) next(list string) (k, v, rest string, more, ok bool) {
	elem := list
	switch s.Split {
	case "":
		more = list != ""
	case " ":
		list = strings.TrimLeft(list, " \t")
		i := strings.IndexAny(list, " \t")
		more = list != ""
		if elem = list; i >= 0 {
			elem, rest = list[:i], list[i+1:]
		}
	default:
		var cut bool
		elem, rest, cut = strings.Cut(list, s.Split)
		more = list != ""
		if cut && rest == "" {
			return "", "", "", true, false // a separator at the end
		}
		elem = strings.Trim(elem, " ")
	}
	if !more {
		return "", "", "", false, true
	}
	if s.KV == "" {
		return "", elem, rest, true, true
	}
	k, v, ok = strings.Cut(elem, s.KV)
	return k, v, rest, true, ok
}

// value reads the element with the key name, which must be there once.
func (s *Sig) value(list, name string) (value, code string) {
	found := false
	for {
		k, v, rest, more, ok := s.next(list)
		switch {
		case !ok:
			return "", auth.CodeMalformed
		case !more && !found:
			return "", auth.CodeMissing
		case !more:
			return present(value)
		case k == name && found:
			return "", auth.CodeDoubled
		case k == name:
			found, value = true, v
		}
		list = rest
	}
}

// strip takes the prefixes off a value.
func (s *Sig) strip(v string, h Hash) (string, bool) {
	if s.HashPrefix {
		name := h.Name()
		if len(v) > len(name) && v[len(name)] == '=' && strings.EqualFold(v[:len(name)], name) {
			return v[len(name)+1:], true
		}
		return v, true
	}
	return strings.CutPrefix(v, s.Prefix)
}
