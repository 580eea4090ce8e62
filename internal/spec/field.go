package spec

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hookd/hookd/internal/diag"
)

// Field is one described field. It is sealed: use the constructors.
type Field interface {
	Info() Info
	// decode reads the node into the field; a nil node is an absent key, which
	// gives the field its default.
	decode(n *Node, at scope)
	// plain is the field's present value for the derivations; see plainValue.
	plain() any
	// verify lints the description.
	verify() []error
}

// scope is where a decode is and where its problems go.
type scope struct {
	path string
	out  *diag.List
}

func (s scope) item(i int) scope     { return scope{itemPath(s.path, i), s.out} }
func (s scope) key(k string) scope   { return scope{JoinPath(s.path, k), s.out} }
func (s scope) add(p diag.Problem)   { s.out.Add(p) }
func (s scope) errors() (errors int) { return countErrors(*s.out) }

func (s scope) bad(n *Node, code, message, hint string) {
	s.add(n.problem(s.path, code, message, hint))
}

// wrongType says what was wanted and what is there.
func (s scope) wrongType(n *Node, want string) {
	got := n.Kind.String()
	if n.FromReference || n.Kind == NodeString || n.Kind == NodeNumber && strings.Contains(want, "number") {
		s.bad(n, "bad_type", fmt.Sprintf("must be %s; %s is not", want, n.Quote()), "")
		return
	}
	s.bad(n, "bad_type", fmt.Sprintf("must be %s, not %s", want, got), "")
}

func countErrors(l diag.List) (n int) {
	for _, p := range l {
		if p.Severity == diag.Error {
			n++
		}
	}
	return n
}

// Value is a field that holds one T.
type Value[T any] struct {
	p    *T
	info Info
	def  *T
	ex   []T
	set  *bool
	dec  func(*Node, scope) (T, bool) // reports its own problems
	flat func(T) any                  // T as one of plainValue's types
	num  func(T) (float64, bool)      // for Range
	chk  []func(T) error
}

// Doc says what the field does, in a sentence or two of Markdown.
func (v *Value[T]) Doc(s string) *Value[T] { v.info.Doc = s; return v }

// Default is what an absent field becomes.
func (v *Value[T]) Default(d T) *Value[T] { v.info.Default, v.def = d, &d; return v }

// Required refuses an absent field.
func (v *Value[T]) Required() *Value[T] { v.info.Required = true; return v }

// Alias adds other names for the field.
func (v *Value[T]) Alias(names ...string) *Value[T] {
	v.info.Aliases = append(v.info.Aliases, names...)
	return v
}

// Advanced moves the field to the end of its page.
func (v *Value[T]) Advanced() *Value[T] { v.info.Advanced = true; return v }

// Example adds a value for the reference page.
func (v *Value[T]) Example(e T) *Value[T] {
	v.info.Examples, v.ex = append(v.info.Examples, e), append(v.ex, e)
	return v
}

// Check adds a rule. Its error is shown to the user behind the field's name and
// must not hold a secret. A check of a value that came from a reference sees
// the resolved value and must not repeat it.
func (v *Value[T]) Check(f func(T) error) *Value[T] { v.chk = append(v.chk, f); return v }

// Range bounds a number, both ends included: a Duration in seconds, a Size in
// bytes.
func (v *Value[T]) Range(lo, hi float64) *Value[T] { v.info.Min, v.info.Max = &lo, &hi; return v }

// Deprecated warns, and says what to use.
func (v *Value[T]) Deprecated(use string) *Value[T] { v.info.Deprecated = use; return v }

// Set tells p whether the field was written.
func (v *Value[T]) Set(p *bool) *Value[T] { v.set = p; return v }

// Info is the description.
func (v *Value[T]) Info() Info { return v.info }

func (v *Value[T]) decode(n *Node, at scope) {
	if v.set != nil {
		*v.set = n != nil
	}
	if n == nil {
		if v.def != nil {
			*v.p = *v.def
		}
		return
	}
	n.known = n.known || v.flat != nil // Raw and Ignored say nothing of what is inside
	if n.Unresolved && v.info.Kind != KindString && v.info.Kind != KindSecret && v.info.Kind != KindAny && len(n.Items)+len(n.Members) == 0 {
		n.Secret = v.info.Secret
		return
	}
	got, ok := v.dec(n, at)
	if !ok {
		return
	}
	if !n.unresolved() && !v.check(got, n, at) {
		return
	}
	*v.p = got
}

func (v *Value[T]) check(got T, n *Node, at scope) bool {
	ok := true
	if message := v.outOfRange(got); message != "" {
		at.bad(n, "out_of_range", n.Quote()+" "+message, "")
		ok = false
	}
	for _, f := range v.chk {
		if err := f(got); err != nil {
			at.bad(n, "bad_value", err.Error(), "")
			ok = false
		}
	}
	return ok
}

func (v *Value[T]) outOfRange(got T) string {
	if v.num == nil || v.info.Min == nil {
		return ""
	}
	x, _ := v.num(got)
	if x >= *v.info.Min && x <= *v.info.Max {
		return ""
	}
	return fmt.Sprintf("is out of range: %s to %s", v.bound(*v.info.Min), v.bound(*v.info.Max))
}

func (v *Value[T]) bound(x float64) string {
	switch v.info.Kind {
	case KindDuration:
		return formatDuration(seconds(x))
	case KindSize:
		return formatSize(int64(x))
	default:
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
}

func (v *Value[T]) plain() any {
	if v.p == nil || v.flat == nil {
		return nil
	}
	return v.flat(*v.p)
}
