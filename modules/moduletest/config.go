package moduletest

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/hookd/hookd/internal/diag"
	"github.com/hookd/hookd/internal/spec"
)

var slug = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// description: what pages and listings print is there and well-formed.
func description(t *testing.T, h Harness) {
	m := h.Module
	for _, n := range append([]string{m.Name()}, m.Aliases()...) {
		if !slug.MatchString(n) {
			t.Errorf("name %q", n)
		}
	}
	if m.Title() == "" || !strings.HasSuffix(m.Summary(), ".") || strings.Count(m.Summary(), "\n") > 0 {
		t.Errorf("title %q, summary %q: want a title and one sentence", m.Title(), m.Summary())
	}
	if m.Guarantee().String() == "" {
		t.Error("no guarantee")
	}
	describeFields(t, "options", m.Options().Fields())
	if c := m.Connection(); c != nil {
		describeFields(t, "connection", c.Fields())
	} else if len(m.ConnectionTypes()) > 0 {
		t.Errorf("connection types %v without a connection", m.ConnectionTypes())
	}
	if m.Options() == m.Options() {
		t.Error("Options returns the same value twice")
	}
}

func describeFields(t *testing.T, path string, fields spec.Fields) {
	t.Helper()
	seen := make(map[string]bool)
	for _, f := range fields {
		info := f.Info()
		for _, n := range append([]string{info.Name}, info.Aliases...) {
			if seen[n] {
				t.Errorf("%s: %q twice", path, n)
			}
			seen[n] = true
		}
		if info.Doc == "" && info.Ignored == "" {
			t.Errorf("%s.%s has no doc", path, info.Name)
		}
		if info.Required && info.Default != nil {
			t.Errorf("%s.%s is required and has a default", path, info.Name)
		}
		if info.Kind == spec.KindObject {
			describeFields(t, path+"."+info.Name, info.Children)
		}
	}
}

// problems decodes and returns what there is to say.
func problems(t *testing.T, text string, into spec.Described, path string) diag.List {
	t.Helper()
	node, list := spec.ParseJSON("f.json", []byte(text))
	if list.HasErrors() {
		t.Fatalf("%s is no JSON: %v", text, list)
	}
	return append(list, spec.Decode(node, into, path)...)
}

// sides calls f for the options and, where there is one, the connection.
func sides(t *testing.T, h Harness, f func(path, text string, fresh func() spec.Described)) {
	far := h.Start(t)
	f("options", orEmpty(far.Options), h.Module.Options)
	if h.Module.Connection() != nil {
		f("connection", orEmpty(far.Connection), h.Module.Connection)
	}
}

func orEmpty(text string) string {
	if text == "" {
		return "{}"
	}
	return text
}

func unknownKey(t *testing.T, h Harness) {
	sides(t, h, func(path, text string, fresh func() spec.Described) {
		with := strings.TrimRight(strings.TrimSpace(text), "}")
		comma := ","
		if strings.TrimSpace(with) == "{" {
			comma = ""
		}
		with += comma + "\n  \"no_such_key\": 1}"
		line := strings.Count(with, "\n") + 1
		for _, p := range problems(t, with, fresh(), path) {
			if strings.Contains(p.Path, "no_such_key") {
				if p.Severity != diag.Error || p.Pos.Line != line || p.Pos.Col == 0 {
					t.Errorf("%v %v, want an error on line %d", p.Severity, p.Pos, line)
				}
				return
			}
		}
		t.Errorf("%s: an unknown key passed", path)
	})
}

func missingKey(t *testing.T, h Harness) {
	sides(t, h, func(path, text string, fresh func() spec.Described) {
		for _, f := range fresh().Fields() {
			info := f.Info()
			if !info.Required {
				continue
			}
			var object map[string]json.RawMessage
			if err := json.Unmarshal([]byte(text), &object); err != nil {
				t.Fatal(err)
			}
			for _, n := range append([]string{info.Name}, info.Aliases...) {
				delete(object, n)
			}
			without, err := json.Marshal(object)
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for _, p := range problems(t, string(without), fresh(), path) {
				found = found || p.Severity == diag.Error && p.Pos.Line == 1 && strings.Contains(p.Path+p.Message, info.Name)
			}
			if !found {
				t.Errorf("%s without %q passed", path, info.Name)
			}
		}
	})
}

func badOptions(t *testing.T, h Harness) {
	for _, b := range h.Bad {
		text, path, into := b.Options, "options", h.Module.Options()
		if b.Connection != "" {
			text, path, into = b.Connection, "connection", h.Module.Connection()
		}
		list := problems(t, text, into, path)
		found := false
		for _, p := range list {
			found = found || p.Severity == diag.Error && strings.Contains(p.Message+" "+p.Hint, b.Want) && strings.Contains(p.Path, b.Path)
		}
		if !found {
			t.Errorf("%s: %v, want an error with %q at %q", text, list, b.Want, b.Path)
		}
	}
}
