package pattern_test

import (
	"net/http"
	"testing"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules/internal/pattern"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func delivery(body string) *event.Delivery {
	ev := &event.Event{ID: event.ID{1}, Hook: "github", Type: "push", Header: http.Header{"X-Account": {"a1", "a2"}}}
	return &event.Delivery{ID: event.ID{2}, Event: ev, Body: []byte(body)}
}

func TestExpand(t *testing.T) {
	t.Parallel()
	d := delivery(`{"customer": {"id": "c-7", "n": 12, "ok": true, "list": [1], "none": null}, "t": "{hook}"}`)
	for p, want := range map[string]string{
		"":                                      "",
		"fixed":                                 "fixed",
		"{hook}/{type}":                         "github/push",
		"{event}":                               "01000000-0000-0000-0000-000000000000",
		"{delivery}":                            "02000000-0000-0000-0000-000000000000",
		"{header:x-account}.{header:x-missing}": "a1.",
		"{body.customer.id}-{body.customer.n}":  "c-7-12",
		"{body.customer.ok}{body.customer.none}{body.customer.list}{body.customer}{body.x.y}": "true",
		"{body.t}": "{hook}", // a value is not searched
	} {
		if err := pattern.Check(p); err != nil {
			t.Errorf("%s: %v", p, err)
		}
		if got := pattern.Expand(p, d); got != want {
			t.Errorf("%s: %q, want %q", p, got, want)
		}
	}
	if got := pattern.Expand("a{body.x}b", delivery("no JSON")); got != "ab" {
		t.Errorf("a body that is no JSON: %q", got)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, p := range []string{"{", "}", "{hook", "hook}", "{other}", "{header:}", "{body.}", "{}", "{{hook}}"} {
		if pattern.Check(p) == nil {
			t.Errorf("%s passed", p)
		}
	}
}

// The body is a stranger's: whatever it is, the text is made of it or of nothing.
func FuzzBody(f *testing.F) {
	for _, s := range []string{`{"a":{"b":1}}`, `{"a":"x"}`, `{"a":{"b":"\u0000"}}`, `[`, ``, `{"a":`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		if got := pattern.Expand("{body.a.b}", delivery(body)); len(got) > 3*len(body) {
			t.Errorf("%q of %q", got, body)
		}
	})
}
