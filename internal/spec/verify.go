package spec

import (
	"errors"
	"fmt"
	"regexp"
)

var fieldName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]*$`)

// Verify lints a description: every field has a doc and names that are used
// once, bounds make sense, and defaults and examples pass the field's own
// rules. The suites of modules and proofs call it.
func Verify(d Described) error {
	if d == nil {
		return nil
	}
	var errs []error
	seen := map[string]bool{}
	for i, f := range d.Fields() {
		if isNil(f) {
			errs = append(errs, fmt.Errorf("field %d is nil", i))
			continue
		}
		info := f.Info()
		for _, name := range append([]string{info.Name}, info.Aliases...) {
			switch {
			case !fieldName.MatchString(name):
				errs = append(errs, fmt.Errorf("%q is not a fit name", name))
			case seen[name]:
				errs = append(errs, fmt.Errorf("the name %q is used twice", name))
			}
			seen[name] = true
		}
		if info.Doc == "" {
			errs = append(errs, fmt.Errorf("%s has no doc", info.Name))
		}
		if info.Required && info.Default != nil {
			errs = append(errs, fmt.Errorf("%s is required and has a default", info.Name))
		}
		errs = append(errs, f.verify()...)
	}
	if in, ok := d.(Inline); ok {
		if name := in.Inline().Info().Name; !seen[name] {
			errs = append(errs, fmt.Errorf("the inline field %q is not among the fields", name))
		}
	}
	return errors.Join(errs...)
}

func isNil(f Field) bool {
	g, isGroup := f.(*Group)
	return f == nil || isGroup && g == nil
}

func (v *Value[T]) verify() []error {
	var errs []error
	bad := func(what string) { errs = append(errs, fmt.Errorf("%s: %s", v.info.Name, what)) }
	if v.p == nil {
		bad("is bound to nothing")
	}
	if v.info.Min != nil && *v.info.Min > *v.info.Max {
		bad("the range is empty")
	}
	if v.info.Min != nil && v.num == nil {
		bad("a range needs a number")
	}
	if v.info.Secret && (v.def != nil || len(v.ex) > 0) {
		bad("a secret has no default and no example")
	}
	if v.def != nil {
		errs = append(errs, v.passes("default", *v.def)...)
	}
	for _, e := range v.ex {
		errs = append(errs, v.passes("example", e)...)
	}
	return errs
}

func (v *Value[T]) passes(what string, x T) []error {
	var errs []error
	if message := v.outOfRange(x); message != "" {
		errs = append(errs, fmt.Errorf("%s: the %s %v %s", v.info.Name, what, x, message))
	}
	if len(v.info.Enum) > 0 {
		found := false
		for _, e := range v.info.Enum {
			found = found || e == fmt.Sprint(x)
		}
		if !found && (what != "default" || fmt.Sprint(x) != "") {
			errs = append(errs, fmt.Errorf("%s: the %s %v is not one of its values", v.info.Name, what, x))
		}
	}
	for _, f := range v.chk {
		if err := f(x); err != nil {
			errs = append(errs, fmt.Errorf("%s: the %s is refused: %w", v.info.Name, what, err))
		}
	}
	return errs
}
