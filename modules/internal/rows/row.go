package rows

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/jq"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

// source is a delivery, read as far as a row asks for it.
type source struct {
	t    *Table
	d    *event.Delivery
	doc  string // the body as JSON, once text was asked for
	read bool
}

// Row is the values of a delivery for the columns of the table; nil is NULL. A
// delivery that the schema does not take is rejected, with the column and the
// reason, and never with the value. Beyond that, only the end of ctx is an error.
func (t *Table) Row(ctx context.Context, d *event.Delivery) ([]any, error) {
	if ctx.Err() != nil {
		return nil, link.Ended(ctx, fmt.Errorf("%s: the row was not made", t.Dialect.Module))
	}
	s := &source{t: t, d: d}
	row := make([]any, 0, len(t.Columns))
	for i, value := range t.system {
		v, err := value(s)
		if err != nil {
			return nil, t.reject(t.Columns[i], err)
		}
		row = append(row, v)
	}
	if len(t.fields) == 0 {
		return row, nil
	}
	doc, err := s.text()
	if err != nil {
		return nil, t.reject(Column{}, err)
	}
	body, err := jq.Decode([]byte(doc))
	if err != nil {
		return nil, t.reject(Column{}, err)
	}
	found := 0
	for _, f := range t.fields {
		v, there, err := f.find(ctx, body, d)
		switch {
		case err != nil && ctx.Err() != nil:
			return nil, link.Ended(ctx, fmt.Errorf("%s: the row was not made", t.Dialect.Module))
		case err != nil:
			return nil, modules.Reject(modules.CodeTransformError, fmt.Errorf("%s: table %s, column %s: jq: %w", t.Dialect.Module, t, f.column.Name, err))
		}
		if there {
			found++
		}
		if v, err = t.fill(f, v, there, d); err != nil {
			return nil, t.reject(f.column, err)
		}
		row = append(row, v)
	}
	if found == 0 && t.Mode == RelationalMode {
		return nil, t.reject(Column{}, fmt.Errorf("the body, %s, has none of the fields of the schema: nothing of it would be kept", describe(body)))
	}
	return row, nil
}

func (t *Table) reject(c Column, err error) error {
	where := ""
	if c.Name != "" {
		where = fmt.Sprintf(", column %s (%s)", c.Name, c.Type)
	}
	return modules.Reject(t.Dialect.CodeValue(), fmt.Errorf("%s: table %s%s: %w", t.Dialect.Module, t, where, err))
}

// find looks for the field's value. A key that is the field's whole name comes
// before a path of the same letters.
func (f *field) find(ctx context.Context, body any, d *event.Delivery) (v any, there bool, err error) {
	if f.expr != nil {
		out, err := f.expr.Transform(ctx, body, jq.Event(d.Event))
		if errors.Is(err, jq.ErrNoResult) {
			return nil, false, nil
		}
		if err == nil {
			v, err = jq.Decode(out)
		}
		return v, v != nil, err
	}
	if object, ok := body.(map[string]any); ok && len(f.path) > 1 {
		if v, there = object[strings.Join(f.path, ".")]; there {
			return v, true, nil
		}
	}
	v = body
	for _, key := range f.path {
		switch in := v.(type) {
		case map[string]any:
			if v, there = in[key]; !there {
				return nil, false, nil
			}
		case []any:
			i := index(key, len(in))
			if i < 0 {
				return nil, false, nil
			}
			v = in[i]
		default:
			return nil, false, nil
		}
	}
	return v, true, nil
}

// index is the place in a list of n that a key of a path names; -1 for none.
func index(key string, n int) int {
	if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < n {
		return i
	}
	return -1
}

// fill makes the column's value.
func (t *Table) fill(f field, v any, there bool, d *event.Delivery) (any, error) {
	c := f.column
	switch {
	case there && v != nil:
		out, err := c.Type.Value(v)
		if err == nil {
			err = t.storable(c, out)
		}
		return out, err
	case !there && c.DefaultNow:
		return now(c.Type.Kind, d.Event.Received), nil
	case !there && c.HasDefault:
		return c.Default, nil
	case !c.NotNull:
		return nil, nil
	case there:
		return nil, errors.New("is null in the body, and may not be")
	case f.expr != nil:
		return nil, errors.New("its jq program yields nothing, and it may not be null")
	}
	return nil, fmt.Errorf("the body has nothing at %q, and it may not be null", strings.Join(f.path, "."))
}

// storable refuses what the database cannot hold.
func (t *Table) storable(c Column, v any) error {
	text, ok := v.(string)
	if !ok || t.Dialect.NUL {
		return nil
	}
	nul := c.Type.Kind == Text && strings.ContainsRune(text, 0)
	if c.Type.Kind == JSON {
		nul = escapes(text).nul
	}
	if nul {
		return fmt.Errorf(`holds the character \u0000, which %s cannot store`, t.Dialect.Title)
	}
	return nil
}

func (s *source) id() (any, error)       { return s.d.ID.String(), nil }
func (s *source) hook() (any, error)     { return s.plain(s.d.Event.Hook), nil }
func (s *source) received() (any, error) { return s.d.Event.Received.UTC(), nil }

func (s *source) payload() (any, error) {
	doc, err := s.text()
	if err != nil {
		return nil, err
	}
	return doc, s.t.storable(Column{Type: Type{Kind: JSON}}, doc)
}

// headers are the sender's, and hookd's own in the place of any of that name:
// names in lower case, several values joined with a comma.
func (s *source) headers() (any, error) {
	all := make(map[string]string, len(s.d.Header)+len(s.d.Event.Header))
	for name, vs := range s.d.Event.Header {
		if name = strings.ToLower(name); !strings.HasPrefix(name, "hookd-") {
			all[s.plain(name)] = s.plain(strings.Join(vs, ", "))
		}
	}
	for name, vs := range s.d.Header {
		all[s.plain(strings.ToLower(name))] = s.plain(strings.Join(vs, ", "))
	}
	return encode(all), nil
}

// plain is text that the database takes. What says nothing of the event is not
// worth a dead letter.
func (s *source) plain(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if !s.t.Dialect.NUL {
		text = strings.ReplaceAll(text, "\x00", "\uFFFD")
	}
	return text
}

// encode is JSON without the escapes that encoding/json adds for HTML.
func encode(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // decoded JSON and maps of texts have a JSON form
	}
	return strings.TrimSuffix(b.String(), "\n")
}
