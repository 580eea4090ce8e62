package spec

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/hookd/hookd/internal/diag"
)

// String is a text. A number is taken as its text.
func String[T ~string](p *T, name string) *Value[T] {
	return &Value[T]{
		p: p, info: Info{Name: name, Kind: KindString},
		dec: func(n *Node, at scope) (T, bool) {
			s, ok := text(n, at)
			return T(s), ok
		},
		flat: func(v T) any { return string(v) },
	}
}

func text(n *Node, at scope) (string, bool) {
	if n.Kind != NodeString && n.Kind != NodeNumber {
		at.wrongType(n, "a string")
		return "", false
	}
	return n.Text, true
}

// Enum is one of all, compared without regard to case; the canonical spelling
// is stored.
func Enum[T ~string](p *T, name string, all ...T) *Value[T] {
	v := String(p, name)
	for _, a := range all {
		v.info.Enum = append(v.info.Enum, string(a))
	}
	v.dec = func(n *Node, at scope) (T, bool) {
		s, ok := text(n, at)
		if !ok || n.Unresolved {
			return "", false
		}
		for _, a := range all {
			if strings.EqualFold(string(a), s) {
				return a, true
			}
		}
		hint := ""
		if !n.FromReference {
			hint = diag.Suggest(s, v.info.Enum)
		}
		at.bad(n, "bad_value", n.Quote()+" is not one of "+strings.Join(v.info.Enum, ", "), hint)
		return "", false
	}
	return v
}

// Int is a whole number.
func Int[T ~int | ~int64](p *T, name string) *Value[T] {
	return &Value[T]{
		p: p, info: Info{Name: name, Kind: KindInt},
		dec: func(n *Node, at scope) (T, bool) {
			i, ok := wholeNumber(n)
			if !ok || int64(T(i)) != i {
				at.wrongType(n, "a whole number")
				return 0, false
			}
			return T(i), true
		},
		flat: func(v T) any { return int64(v) },
		num:  func(v T) (float64, bool) { return float64(v), true },
	}
}

// wholeNumber reads 5, "5", 5.0 and 1e3.
func wholeNumber(n *Node) (int64, bool) {
	s, ok := numeral(n)
	if !ok {
		return 0, false
	}
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return i, true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}

var numeralText = regexp.MustCompile(`^[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

// numeral is the text of a number, or of a string that may hold one.
func numeral(n *Node) (string, bool) {
	switch n.Kind {
	case NodeNumber:
		return n.Text, true
	case NodeString:
		s := strings.TrimSpace(n.Text)
		return s, numeralText.MatchString(s)
	case NodeNull, NodeBool, NodeArray, NodeObject:
	}
	return "", false
}

// Float is a number.
func Float(p *float64, name string) *Value[float64] {
	return &Value[float64]{
		p: p, info: Info{Name: name, Kind: KindFloat},
		dec: func(n *Node, at scope) (float64, bool) {
			s, ok := numeral(n)
			f, err := strconv.ParseFloat(s, 64)
			if !ok || err != nil || math.IsInf(f, 0) {
				at.wrongType(n, "a number")
				return 0, false
			}
			return f, true
		},
		flat: func(v float64) any { return v },
		num:  func(v float64) (float64, bool) { return v, true },
	}
}

// Bool is true or false. The strings true, false, yes, no, on, off, 1 and 0, and
// the numbers 1 and 0, are taken too.
func Bool(p *bool, name string) *Value[bool] {
	return &Value[bool]{
		p: p, info: Info{Name: name, Kind: KindBool},
		dec: func(n *Node, at scope) (bool, bool) {
			if n.Kind == NodeBool || n.Kind == NodeString || n.Kind == NodeNumber {
				switch strings.ToLower(strings.TrimSpace(n.Text)) {
				case "true", "yes", "on", "1":
					return true, true
				case "false", "no", "off", "0":
					return false, true
				}
			}
			if n.Kind == NodeNumber {
				at.bad(n, "bad_type", fmt.Sprintf("must be true or false; %s is not", n.Quote()), "")
			} else {
				at.wrongType(n, "true or false")
			}
			return false, false
		},
		flat: func(v bool) any { return v },
	}
}
