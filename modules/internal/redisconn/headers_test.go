package redisconn

import (
	"maps"
	"net/http"
	"testing"

	"github.com/hookd/hookd/internal/event"
)

// TestHeaders: a later source wins, and only hookd speaks for itself.
func TestHeaders(t *testing.T) {
	t.Parallel()
	d := &event.Delivery{
		Event:  &event.Event{Header: http.Header{"X-A": {"1", "2"}, "X-B": {"sender"}, "Hookd-Hook": {"forged"}, "Tracestate": {"forged"}, "X-\xff": {"\xfe"}}},
		Header: http.Header{"Hookd-Event-Id": {"e"}, "Traceparent": {"t"}},
	}
	for _, c := range []struct {
		h    Headers
		want map[string]string
	}{
		{Headers{Forward: true, Extra: map[string]string{"X-B": "configured"}}, map[string]string{
			"x-a": "1, 2", "x-b": "configured", "x-\uFFFD": "\uFFFD", "hookd-event-id": "e", "traceparent": "t",
		}},
		{Headers{Extra: map[string]string{"X-C": "c"}}, map[string]string{"x-c": "c", "hookd-event-id": "e", "traceparent": "t"}},
	} {
		if got := c.h.Of(d); !maps.Equal(got, c.want) {
			t.Errorf("%v, want %v", got, c.want)
		}
	}
	for name, bad := range map[string]bool{"X-A": false, "Hookd-X": true, "TRACEPARENT": true, "tracestate": true, "": true} {
		h := Headers{Extra: map[string]string{name: "x"}}
		if got := len(h.Issues()) > 0; got != bad {
			t.Errorf("%q: %v", name, h.Issues())
		}
	}
	if got := string(JSON("<&>\u2028")); got != `"<&>\u2028"` {
		t.Errorf("%s", got)
	}
}
