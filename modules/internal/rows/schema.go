package rows

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hookd/hookd/internal/jq"
	"github.com/hookd/hookd/internal/spec"
)

// field is a declared field: where its value is, and the column that it gets.
type field struct {
	name   string
	at     []string // where in the option it is
	column Column
	path   []string    // below the field's own name first, see value
	expr   *jq.Program // instead of the path; nil for none
}

// schema reads both forms of the option.
type schema struct {
	fields  []field
	indexes []Index
	at      []string     // where in the option it is
	issues  []spec.Issue // what is wrong, and what was not understood and does no harm
}

func (s *schema) fail(format string, args ...any) { s.issue(false, format, args...) }
func (s *schema) drop(format string, args ...any) { s.issue(true, format, args...) }

func (s *schema) issue(warning bool, format string, args ...any) {
	s.issues = append(s.issues, spec.Issue{
		Field: "schema", Below: slices.Clone(s.at), Message: fmt.Errorf(format, args...).Error(), Warning: warning,
	})
}

// below calls f for each member of an object, in the order of the names.
func (s *schema) below(v any, f func(name string, v any)) {
	m, ok := v.(map[string]any)
	if !ok {
		s.fail("is %s, want an object", describe(v))
		return
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if spec.IsComment(name) || m[name] == nil {
			continue
		}
		s.at = append(s.at, name)
		f(name, m[name])
		s.at = s.at[:len(s.at)-1]
	}
}

// read takes {"column": "type"} and {"fields": {...}, "indexes": {...}}.
func (s *schema) read(v any) {
	if v == nil {
		return
	}
	m, _ := v.(map[string]any)
	_, nested := m["fields"].(map[string]any)
	_, indexed := m["indexes"].(map[string]any)
	if !nested && !indexed {
		s.below(v, s.field)
		return
	}
	s.below(v, func(name string, v any) {
		switch name {
		case "fields":
			s.below(v, s.field)
		case "indexes":
			s.below(v, s.index)
		default:
			s.fail("unknown key; fields and indexes are known")
		}
	})
}

// field reads a type by itself, or an object.
func (s *schema) field(name string, v any) {
	f := field{name: name, at: slices.Clone(s.at), path: strings.Split(name, ".")}
	f.column = Column{Name: strings.ReplaceAll(name, ".", "_"), Type: Type{Kind: Text, Known: true, Written: "text"}}
	if text, ok := v.(string); ok {
		s.declare(&f, text)
		s.fields = append(s.fields, f)
		return
	}
	var fallback any
	s.below(v, func(key string, v any) {
		text, isText := v.(string)
		switch key {
		case "column":
			if !isText {
				s.fail("is %s, want a name", describe(v))
				return
			}
			f.column.Name = text
		case "type":
			if !isText {
				s.fail("is %s, want the name of a type", describe(v))
				return
			}
			s.declare(&f, text)
		case "constraints":
			s.constraints(&f, v)
		case "default":
			fallback = v
		case "path":
			if f.path = strings.Split(text, "."); !isText || slices.Contains(f.path, "") {
				s.fail("want the names that lead to the value, with points between them")
			}
		case "jq":
			p, err := jq.Compile(text)
			if !isText {
				err = fmt.Errorf("is %s", describe(v))
			}
			if f.expr = p; err != nil {
				s.fail("want a jq program: %w", err)
			}
		default:
			s.fail("unknown key; column, type, constraints, default, path and jq are known")
		}
	})
	s.fallback(&f, fallback)
	s.fields = append(s.fields, f)
}

func (s *schema) declare(f *field, text string) {
	t, constraints, err := ParseType(text)
	if err != nil {
		s.fail("%w", err)
		return
	}
	if !t.Known {
		s.drop("the type %q is not known and means text", text)
	}
	f.column.Type = t
	for _, c := range constraints {
		f.column.constrain(c)
	}
}

func (s *schema) constraints(f *field, v any) {
	list, ok := v.([]any)
	if text, isText := v.(string); isText {
		list, ok = []any{text}, true
	}
	if !ok {
		s.fail("is %s, want a list", describe(v))
	}
	for _, item := range list {
		text, _ := item.(string)
		if !f.column.constrain(strings.ToUpper(strings.Join(strings.Fields(text), " "))) {
			s.drop("%q is not kept; NOT NULL, UNIQUE and PRIMARY KEY are", text)
		}
	}
}

func (c *Column) constrain(name string) (known bool) {
	switch name {
	case NotNull:
		c.NotNull = true
	case Unique:
		c.Unique = true
	case PrimaryKey: // the delivery's id is that: this one is as good
		c.NotNull, c.Unique = true, true
	default:
		return false
	}
	return true
}

// fallback sees to it that a default is a value of the column.
func (s *schema) fallback(f *field, v any) {
	if v == nil {
		return
	}
	f.column.HasDefault = true
	if text, ok := v.(string); ok && strings.EqualFold(strings.TrimSuffix(strings.TrimSpace(text), "()"), "CURRENT_TIMESTAMP") {
		f.column.DefaultNow = true
		switch f.column.Type.Kind {
		case Timestamp, Date, Clock, Text:
		default:
			s.failDefault("the time of receipt is no %s", f.column.Type)
		}
		return
	}
	var err error
	if f.column.Default, err = f.column.Type.Value(v); err != nil {
		s.failDefault("%w", err)
	}
}

func (s *schema) failDefault(format string, args ...any) {
	s.at = append(s.at, "default")
	s.fail(format, args...)
	s.at = s.at[:len(s.at)-1]
}

func (s *schema) index(name string, v any) {
	x := Index{Name: name, at: slices.Clone(s.at)}
	s.below(v, func(key string, v any) {
		switch key {
		case "columns":
			list, _ := v.([]any)
			for _, item := range list {
				if c, ok := item.(string); ok {
					x.Columns = append(x.Columns, c)
				}
			}
			if len(list) == 0 || len(list) != len(x.Columns) {
				s.fail("want a list of columns")
			}
		case "unique":
			x.Unique, _ = v.(bool)
		default:
			s.drop("is not known for an index and does nothing")
		}
	})
	if len(x.Columns) == 0 {
		s.fail("needs columns")
	}
	s.indexes = append(s.indexes, x)
}

// describe says what kind of JSON value there is, and never the value.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return fmt.Sprintf("a string of %d characters", len([]rune(v)))
	case bool:
		return "a boolean"
	case json.Number, float64, int:
		return "a number"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	}
	return fmt.Sprintf("a %T", v)
}
