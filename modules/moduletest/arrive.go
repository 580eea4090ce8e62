package moduletest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
)

// bodies are the shapes that break what is careless.
func bodies() map[string][]byte {
	return map[string][]byte{
		"json":          []byte(`{"a":1,"b":[true,null,"x"]}`),
		"spaced json":   []byte("{\n  \"a\" : 1\r\n}\n"),
		"empty":         {},
		"1 MiB":         []byte(`{"a":"` + string(bytes.Repeat([]byte("0123456789abcdef"), 1<<16)) + `"}`),
		"invalid UTF-8": {0xff, 0xfe, '{', 0x80, 0xc3, 0x28},
		"NUL":           []byte("a\x00b\x00"),
		"CRLF":          []byte("a\r\nb\nc\r"),
		"unicode":       []byte("{\"é\":\"日本語 👋 \u202e\"}"),
		"quotes":        []byte(`'";-- %s \ ` + "`" + ` $(x) {{.}}`),
		"lone brace":    []byte("{"),
	}
}

func bytesArrive(t *testing.T, h Harness) {
	w := start(t, h)
	all := bodies()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		body := all[name]
		d := w.delivery(body)
		if h.MaxBody > 0 && len(body) > h.MaxBody {
			err := w.fail(t, d, modules.Rejected)
			if code := modules.FailureOf(err).Code; code != modules.CodeTooLarge {
				t.Errorf("%s: %s, want %s", name, code, modules.CodeTooLarge)
			}
			continue
		}
		w.send(t, d)
		got := w.arrived(d)
		if len(got) != 1 {
			t.Errorf("%s: %d messages", name, len(got))
			continue
		}
		if w.carries(body) && !bytes.Equal(got[0].Body, body) {
			t.Errorf("%s: got %q, want %q", name, clip(got[0].Body), clip(body))
		}
	}
}

func clip(b []byte) []byte { return b[:min(len(b), 80)] }

func headersArrive(t *testing.T, h Harness) {
	w := start(t, h)
	d := w.delivery([]byte(`{}`))
	w.send(t, d)
	got := w.arrived(d)
	if len(got) != 1 {
		t.Fatalf("%d messages", len(got))
	}
	if got[0].Header == nil {
		t.Skip("the far end has no headers")
	}
	for name, want := range d.Header {
		if have := got[0].Header.Values(name); !slices.Equal(have, want) {
			t.Errorf("%s is %q, want %q", name, have, want)
		}
	}
}

// deliveryID: a second attempt carries the same id, so that the far end can
// drop it or has it only once.
func deliveryID(t *testing.T, h Harness) {
	w := start(t, h)
	d := w.delivery([]byte(`{}`))
	w.send(t, d)
	again := *d
	again.Attempt = 2
	again.Header = d.Header.Clone()
	again.Header.Set("Hookd-Attempt", "2")
	w.send(t, &again)
	got := w.arrived(d)
	if n := len(w.far.Received()); len(got) == 0 || len(got) != n {
		t.Errorf("%d of %d messages carry the id", len(got), n)
	}
	if h.Module.Guarantee() == modules.Once && len(got) != 1 {
		t.Errorf("%d messages, and the guarantee is once", len(got))
	}
}

func concurrent(t *testing.T, h Harness) {
	w := start(t, h)
	const n = 64
	ds := make([]*event.Delivery, n)
	var wg sync.WaitGroup
	for i := range ds {
		ds[i] = w.delivery([]byte(`{"n":` + strconv.Itoa(i) + `}`))
		wg.Go(func() { w.send(t, ds[i]) })
	}
	wg.Wait()
	byID := make(map[string][]Message)
	for _, m := range w.far.Received() {
		byID[m.ID] = append(byID[m.ID], m)
	}
	for _, d := range ds {
		if got := byID[d.ID.String()]; len(got) != 1 || !bytes.Equal(got[0].Body, d.Body) {
			t.Errorf("%s: %d messages", d.Body, len(got))
		}
	}
}

// batch: what arrives by SendBatch equals what arrives by Send.
func batch(t *testing.T, h Harness) {
	w := start(t, h)
	b, ok := w.dest.(modules.BatchDestination)
	if !ok {
		t.Skip("the module takes one at a time")
	}
	items, _ := b.BatchLimit()
	if items <= 0 || items > 50 {
		items = 50
	}
	one, many := make([]*event.Delivery, items), make([]*event.Delivery, items)
	for i := range one {
		body := []byte(`{"n":` + strconv.Itoa(i) + `}`)
		one[i], many[i] = w.delivery(body), w.delivery(body)
		w.send(t, one[i])
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	results := b.SendBatch(ctx, many)
	if len(results) != len(many) {
		t.Fatalf("%d results for %d deliveries", len(results), len(many))
	}
	for i, r := range results {
		if r.Err != nil {
			t.Errorf("item %d: %v", i, r.Err)
		}
		x, y := w.arrived(one[i]), w.arrived(many[i])
		if len(x) != 1 || len(y) != 1 || !bytes.Equal(x[0].Body, y[0].Body) {
			t.Errorf("item %d: %d by itself, %d in the batch", i, len(x), len(y))
		}
	}
}

// poison: one bad item does not sink its batch, and is not tried again.
func poison(t *testing.T, h Harness) {
	w := start(t, h)
	if w.far.Poison == nil {
		t.Skip("the far end takes every body")
	}
	bad := w.delivery(w.far.Poison)
	w.fail(t, bad, modules.Rejected)
	b, ok := w.dest.(modules.BatchDestination)
	if !ok {
		return
	}
	ds := []*event.Delivery{w.delivery([]byte(`{"n":1}`)), bad, w.delivery([]byte(`{"n":2}`))}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	results := b.SendBatch(ctx, ds)
	if len(results) != len(ds) {
		t.Fatalf("%d results for %d deliveries", len(results), len(ds))
	}
	w.judge(t, results[1].Err, modules.Rejected)
	for _, i := range []int{0, 2} {
		// A far end that closes the channel over the bad one may have the others
		// twice; it knows them by their key.
		n := len(w.arrived(ds[i]))
		if results[i].Err != nil || n == 0 || n > 1 && h.Module.Guarantee() == modules.Once {
			t.Errorf("item %d: %v, %d messages", i, results[i].Err, n)
		}
	}
}

// unchanged: a delivery is shared with other attempts and lanes.
func unchanged(t *testing.T, h Harness) {
	w := start(t, h)
	d := w.delivery([]byte(`{"password":"x"}`))
	before, ev := *d, *d.Event
	before.Header, ev.Header = d.Header.Clone(), d.Event.Header.Clone()
	before.Body, ev.Body = bytes.Clone(d.Body), bytes.Clone(d.Event.Body)
	w.send(t, d)
	before.Event = d.Event
	if !reflect.DeepEqual(before, *d) || !reflect.DeepEqual(ev, *d.Event) {
		t.Error("Send changed the delivery")
	}
}

// hostile are names that mean something to a file system, a terminal, a header
// or a query.
var hostile = []string{
	"../../../../tmp/hookd-escaped", "..", ".", "/etc/passwd", `..\..\x`, "a\r\nX-Injected: 1", "nul\x00byte", "a b\tc",
	"\x1b[2J", "'; DROP TABLE x; --", "%2e%2e%2f", "CON", "{uuid}", "$(touch x)", "\xff\xfe", "", "é\u202e",
}

func hostileNames(t *testing.T, h Harness) {
	w := start(t, h)
	for _, name := range append(slices.Clone(hostile), fmt.Sprintf("%0500d", 7)) {
		d := w.delivery([]byte(`{"x":1}`))
		d.Event.Hook, d.Event.Type, d.Event.Subject, d.Event.Query = name, name, name, name
		d.Event.Header = http.Header{"X-Hostile": {name}, name: {"x"}, "Hookd-Delivery-Id": {"forged"}}
		d.Header.Set("Hookd-Hook", name)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		_, err := w.dest.Send(ctx, d)
		cancel()
		switch got := w.arrived(d); {
		case err != nil:
			w.judge(t, err, modules.Rejected)
		case len(got) != 1 || !bytes.Equal(got[0].Body, d.Body):
			t.Errorf("%q: %d messages", name, len(got))
		case got[0].Header.Get("X-Injected") != "":
			t.Errorf("%q made a header", name)
		}
	}
	if w.far.Harmless != nil {
		w.far.Harmless(t)
	}
}
