package scheme_test

import (
	"strings"
	"testing"

	"github.com/hookd/hookd/auth/internal/scheme"
)

func read(t *testing.T, body string, sources ...string) string {
	t.Helper()
	list, err := scheme.ParseSources(sources)
	if err != nil {
		t.Fatal(err)
	}
	rd, err := scheme.NewReader(list)
	if err != nil {
		t.Fatal(err)
	}
	var value [1]string
	var from [1]scheme.Source
	rd.Read(request(body, "X-Id", "from-header"), value[:], from[:])
	return value[0]
}

func TestReader(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		body, want string
		sources    []string
	}{
		{`{"event":{"id":"x"}}`, "x", []string{"json:event.id", "header:X-Id"}},
		{`{"event":{}}`, "from-header", []string{"json:event.id", "header:X-Id"}},
		{`{"event":{}}`, "from-header", []string{"header:X-None", "header:X-Id"}},
		{`[{"id":"a"},{"id":"b"}]`, "b", []string{"json:1.id"}},
		{`{"1":{"id":"b"}}`, "b", []string{"json:1.id"}},
		{`{"a.b":"no"}`, "", []string{"json:a.b"}},
		{`{"a":"` + strings.Repeat("x", 512) + `"}`, strings.Repeat("x", 512), []string{"json:a"}},
		{`{"a":"` + strings.Repeat("x", 513) + `"}`, "", []string{"json:a"}},
		{"id=7&x=1", "7", []string{"json:id", "form:id"}},
		{strings.Repeat("[", 100000), "", []string{"json:0.0"}},
		{strings.Repeat(`{"a":`, 100000), "", []string{"json:a.a.a.a"}},
	} {
		if got := read(t, c.body, c.sources...); got != c.want {
			t.Errorf("%.40q at %q: %q, want %q", c.body, c.sources, got, c.want)
		}
	}
}

func TestCovered(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		signed, source string
		want           bool
	}{
		{"{body}", "json:id", true},
		{"{body}", "header:X-Id", false},
		{"{header:x-id}.{body}", "header:X-Id", true},
		{"{hex:sha256:body}", "json:id", true},
		{"{sorted_form}", "form:id", true},
		{"{sorted_form}", "json:id", false},
		{"{json:id}", "json:id", true},
		{"{json:id}", "json:type", false},
		{"{body}", "nowhere", false},
	} {
		alts := hexOf(scheme.SHA256, "X-Sig", "", c.signed)
		if got := scheme.Covered(alts, c.source); got != c.want {
			t.Errorf("%s covers %s: %v", c.signed, c.source, got)
		}
	}
}
