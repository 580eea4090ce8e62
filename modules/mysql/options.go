package mysql

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules/internal/rows"
)

// Options describe one destination.
type Options struct{ rows.Options }

// Fields lists the options.
func (o *Options) Fields() spec.Fields { return o.Options.Fields() }

// Validate looks at the options together.
func (o *Options) Validate() []spec.Issue {
	issues := o.Options.Validate(&dialect)
	t, err := o.Compile(&dialect)
	if err != nil {
		return issues // they say why
	}
	for _, c := range t.Columns {
		fail := func(format string, args ...any) {
			issues = append(issues, t.Issue(c.Name, fmt.Sprintf(format, args...)))
		}
		switch {
		case c.Type.Kind == rows.Decimal && (c.Type.Size > maxDigits || c.Type.Scale > maxScale):
			fail("the column %q is %s; MySQL has %d digits, %d of them behind the point", c.Name, c.Type, maxDigits, maxScale)
		case c.Unique && c.Type.Kind == rows.JSON:
			fail("the column %q is %s, which MySQL cannot keep unique", c.Name, c.Type)
		case c.Unique && c.Type.Kind == rows.Text && c.Type.Size > maxKeyed:
			fail("the column %q is %s; MySQL keeps texts of up to %d characters unique", c.Name, c.Type, maxKeyed)
		}
	}
	for i, x := range t.Indexes {
		if strings.EqualFold(x.Name, "primary") || slices.ContainsFunc(t.Indexes[:i], func(y rows.Index) bool { return strings.EqualFold(x.Name, y.Name) }) {
			issues = append(issues, x.Issue(fmt.Sprintf("the index %q has a name that is taken: MySQL knows no case in them, and PRIMARY is its own", x.Name)))
		}
		for _, name := range x.Columns {
			if c, _ := t.Column(name); c.Type.Kind == rows.JSON {
				issues = append(issues, x.Issue(fmt.Sprintf("the index %q is on %q, which is %s: MySQL has no index on that", x.Name, name, c.Type)))
			}
		}
	}
	return issues
}
