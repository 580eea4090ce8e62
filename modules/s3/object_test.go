package s3_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
)

// What a reader that is not hookd's own library finds.
func TestObject(t *testing.T) {
	b := newStore(t)
	t.Logf("Versity S3 Gateway %s, read back with boto3", b.Version)
	own := "hookd-attempt hookd-delivery-id hookd-event-id hookd-hook traceparent"
	for _, c := range []struct{ options, key, kind, metadata string }{
		{``, "webhooks/2026/03/04/05/webhook_{id}.json", "application/json", own},
		{`"include_headers": true`, "webhooks/2026/03/04/05/webhook_{id}.json", "application/json", "content_type " + own + " x_github_event x_two"},
		{`"prefix": "/in//x/", "content_type": "text/plain"`, "in/x/2026/03/04/05/webhook_{id}.json", "text/plain", own},
		{`"prefix": "", "partition": "", "filename_pattern": "{webhook_id}_{type}_{timestamp}.json"`, "github_push_2026-03-04T05-06-07.890123-{id}.json", "application/json", own},
		{`"prefix": "{type}", "partition": "dt={date}/{hour}-{minute}", "filename_pattern": "{id}"`, "push/dt=2026-03-04/05-06/{id}", "application/json", own},
		{`"prefix": "a", "partition": "{uuid}", "filename_pattern": "{body.n}"`, "a/{id}/7", "application/json", own},
	} {
		x := delivery(`{"n":7}`)
		receipt, err := send(t, destination(t, b.connection(), b.options(c.options)), x)
		if err != nil {
			t.Fatalf("%s: %v", c.options, err)
		}
		key := strings.ReplaceAll(c.key, "{id}", x.ID.String())
		at := slices.IndexFunc(b.objects(), func(o object) bool { return o.Key == key })
		if at < 0 || receipt.Status != "s3://"+b.bucket+"/"+key {
			t.Errorf("%s: nothing at %s (%s)", c.options, key, receipt.Status)
			continue
		}
		got := b.objects()[at]
		names := strings.Join(slices.Sorted(maps.Keys(got.Metadata)), " ")
		if names != c.metadata || got.Type != c.kind || !bytes.Equal(got.Body, x.Body) || got.Metadata["hookd-hook"] != "github" {
			t.Errorf("%s: %+v", c.options, got)
		}
		if v := got.Metadata["x_two"]; v != "" && v != "a, b" {
			t.Errorf("two values: %q", v)
		}
	}
}

// A repeat has the key of the first attempt, whenever it comes, and replaces the
// object or leaves it.
func TestRepeat(t *testing.T) {
	b := newStore(t)
	x := delivery(`{"n":1}`)
	for i, options := range []string{``, `"if_exists": "keep"`} {
		d := destination(t, b.connection(), b.options(options))
		for attempt := range 3 {
			again := *x
			again.Attempt, again.Header = attempt+1, x.Header.Clone()
			again.Header.Set("Hookd-Attempt", fmt.Sprint(10*i+attempt+1))
			receipt, err := send(t, d, &again)
			if err != nil || strings.Contains(receipt.Status, "already") != (i == 1) {
				t.Fatalf("%s: %v, %v", options, receipt, err)
			}
		}
		if all := b.objects(); len(all) != 1 || all[0].Metadata["hookd-attempt"] != "3" {
			t.Errorf("%s: %+v", options, all)
		}
	}
}

func TestGzip(t *testing.T) {
	b := newStore(t)
	x := delivery(strings.Repeat(`{"n":1}`, 1000))
	for _, options := range []string{`"gzip": true`, `"gzip": true, "filename_pattern": "webhook_{uuid}.json.gz"`} {
		if _, err := send(t, destination(t, b.connection(), b.options(options)), x); err != nil {
			t.Fatal(err)
		}
	}
	all := b.objects()
	if len(all) != 1 || !strings.HasSuffix(all[0].Key, ".json.gz") || all[0].Encoding != "gzip" || len(all[0].Body) > 200 {
		t.Fatalf("%d objects", len(all))
	}
	r, err := gzip.NewReader(bytes.NewReader(all[0].Body))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, x.Body) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// Many events in one object, those of another hour in another, in their order;
// the same ones again, in any order, at the same key.
func TestLinesOfAnObject(t *testing.T) {
	b := newStore(t)
	d := destination(t, b.connection(), b.options(`"ndjson": true`)).(modules.BatchDestination)
	if items, size := d.BatchLimit(); items != 500 || size != 8<<20 {
		t.Errorf("limits %d, %d", items, size)
	}
	var ds []*event.Delivery
	for i := range 20 {
		x := delivery(fmt.Sprintf(`{"n":%d}`, i))
		if i >= 15 {
			x.Event.Received = received.AddDate(0, 0, 1)
		}
		ds = append(ds, x)
	}
	for range 2 {
		for i, r := range d.SendBatch(t.Context(), ds) {
			if r.Err != nil {
				t.Errorf("item %d: %v", i, r.Err)
			}
		}
		slices.Reverse(ds)
	}
	if all := b.objects(); len(all) != 2 || all[0].Type != "application/x-ndjson" || !strings.HasPrefix(all[1].Key, "webhooks/2026/03/05/05/webhooks_") {
		t.Errorf("%.500v", all)
	}
	if n := len(b.messages()); n != 20 {
		t.Errorf("%d messages", n)
	}
}

// A body above the size where the client waits for leave to send it, and above
// that where other programs would upload in parts, is one object.
func TestLarge(t *testing.T) {
	b := newStore(t)
	x := delivery(`"` + strings.Repeat("0123456789abcdef", 1<<20) + `"`)
	for _, options := range []string{``, `"ndjson": true, "batch_bytes": "4KiB"`} {
		if _, err := send(t, destination(t, b.connection(), b.options(options)), x); err != nil {
			t.Fatalf("%s: %v", options, err)
		}
	}
	for _, m := range b.messages() {
		if !bytes.Equal(m.Body, x.Body) {
			t.Errorf("%s: %d bytes", m.Key, len(m.Body))
		}
	}
	if n := len(b.objects()); n != 2 {
		t.Errorf("%d objects", n)
	}
}

// hostile are texts that mean something to somebody on the way.
var hostile = map[string]string{
	"quotes":        `'";-- %s \ ` + "`" + ` $(x) {{.}} <!--]]>`,
	"SQL":           "'; DROP TABLE events; --",
	"NUL":           "a\x00b",
	"lone escape":   `\ud800`,
	"surrogate":     "\xed\xa0\x80", // U+D800 in UTF-8, which has none
	"no UTF-8":      "\xff\xfe\x80",
	"CRLF":          "a\r\nX-Amz-Acl: public-read\r\n\r\nb",
	"path":          "../../../etc/passwd",
	"dots":          "..",
	"spaces":        "  a   b  ",
	"encoded word":  "=?utf-8?B?eA==?=",
	"other scripts": "日本語 👋 \u202e é",
	"long":          strings.Repeat("é", 10<<10),
	"1 MiB":         strings.Repeat("x", 1<<20),
	"empty":         "",
}

// Hostile texts in a body arrive as themselves, in metadata as themselves or not
// at all, and in keys as harmless ones. Whoever they are, the delivery is stored.
func TestHostile(t *testing.T) {
	b := newStore(t)
	for _, shape := range []string{
		`"include_headers": true, "prefix": "{hook}/{type}/{header:X-Key}/{body.k}"`,
		`"include_headers": true, "prefix": "{hook}/{type}/{header:X-Key}/{body.k}", "ndjson": true`,
	} {
		d := destination(t, b.connection(), b.options(shape))
		for what, text := range hostile {
			x := delivery(text)
			x.Event.Hook, x.Event.Type = text, text
			x.Event.Header = http.Header{"X-Key": {text}, "X-Last": {"kept"}}
			if text != "" {
				x.Event.Header[text] = []string{"x"}
			}
			x.Header.Set("Hookd-Hook", text)
			if _, err := send(t, d, x); err != nil {
				t.Errorf("%s: %v", what, err)
				continue
			}
			all := b.messages()
			at := slices.IndexFunc(all, func(m message) bool { return m.ID == x.ID.String() })
			if at < 0 || !bytes.Equal(all[at].Body, x.Body) {
				t.Errorf("%s: not there, or not as it was: %d", what, at)
				continue
			}
			got := all[at]
			for _, segment := range strings.Split(got.Key, "/") {
				if segment == "" || strings.Trim(segment, ".") == "" || len(segment) > 160 || strings.ContainsFunc(segment, func(r rune) bool { return r <= ' ' || r > '~' }) {
					t.Errorf("%s: key %q", what, got.Key)
				}
			}
			for _, name := range []string{"x_key", "x-key"} {
				if v, there := got.Header[name]; there && v != text && v != latin1(text) && v != asJSON(text) {
					t.Errorf("%s: %s is %.100q", what, name, v)
				}
			}
			if got.Header["x_last"]+got.Header["x-last"] != "kept" {
				t.Errorf("%s: a harmless header is lost: %.300v", what, got.Header)
			}
		}
	}
	for _, o := range b.objects() {
		if o.Size > 2048 {
			t.Errorf("%s: %d bytes of metadata", o.Key, o.Size)
		}
	}
	t.Log(b.do("count"), "objects")
}

// latin1 is how bytes that are no UTF-8 are read from metadata.
func latin1(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}

// asJSON is how they are read from a line.
func asJSON(s string) string {
	b, _ := json.Marshal(s)
	_ = json.Unmarshal(b, &s)
	return s
}

// A body that would be JSON but for bytes that are no UTF-8 must not make an
// object that its readers cannot read.
func TestLineOfNoUTF8(t *testing.T) {
	b := newStore(t)
	d := destination(t, b.connection(), b.options(`"ndjson": true`)).(modules.BatchDestination)
	ds := []*event.Delivery{delivery(`{"n":1}`), delivery("{\"n\":\"\xe9\"}"), delivery("[1,\r\n2]")}
	for i, r := range d.SendBatch(t.Context(), ds) {
		if r.Err != nil {
			t.Errorf("item %d: %v", i, r.Err)
		}
	}
	var got []string
	for _, m := range b.messages() {
		got = append(got, string(m.Body))
	}
	if !slices.Equal(got, []string{`{"n":1}`, "{\"n\":\"\xe9\"}", "[1,2]"}) {
		t.Errorf("%q", got)
	}
}
