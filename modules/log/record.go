package log

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
)

// Redacted stands where the value of a sensitive field was.
const Redacted = "[REDACTED]"

// record is a delivery as it will be shown: redacted and cut, not yet escaped.
type record struct {
	d       *event.Delivery
	headers []header
	body    []byte
	cut     int // characters of the body that are not shown
}

type header struct{ name, value string }

func (t *destination) render(d *event.Delivery) *record {
	r := &record{d: d, body: d.Body}
	if t.o.Headers && d.Event != nil {
		r.headers = headersOf(d.Event.Header, t.o.Redact)
	}
	if t.o.Redact {
		r.body = redact(d.Body, contentType(d))
	}
	if t.o.Pretty && t.o.Output == Stdout {
		var b bytes.Buffer
		if json.Indent(&b, r.body, "", "  ") == nil {
			r.body = b.Bytes()
		}
	}
	r.body, r.cut = truncate(r.body, t.o.MaxChars)
	return r
}

func contentType(d *event.Delivery) string {
	ct := d.Header.Get("Content-Type")
	if ct == "" && d.Event != nil {
		ct = d.Event.Header.Get("Content-Type")
	}
	media, _, _ := mime.ParseMediaType(ct)
	return media
}

func headersOf(h http.Header, hide bool) []header {
	var all []header
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, v := range h[name] {
			if hide && modules.Sensitive(name) {
				v = Redacted
			}
			all = append(all, header{name, v})
		}
	}
	return all
}

// facts are what there is to say about the delivery itself.
func (r *record) facts() []slog.Attr {
	facts := []slog.Attr{
		slog.String("delivery", r.d.ID.String()),
		slog.String("lane", r.d.Lane),
		slog.Int("attempt", r.d.Attempt),
		slog.Int("bytes", len(r.d.Body)),
	}
	if ev := r.d.Event; ev != nil {
		facts = append([]slog.Attr{slog.String("hook", ev.Hook), slog.String("event", ev.ID.String())}, facts...)
		if ev.Type != "" {
			facts = append(facts, slog.String("type", ev.Type))
		}
		if ev.Remote.IsValid() {
			facts = append(facts, slog.String("remote", ev.Remote.String()))
		}
		if ev.Subject != "" {
			facts = append(facts, slog.String("subject", ev.Subject))
		}
		if !ev.Received.IsZero() {
			facts = append(facts, slog.String("received", ev.Received.UTC().Format("2006-01-02T15:04:05.000Z")))
		}
	}
	return facts
}

// attrs is the record for slog, whose handler escapes.
func (r *record) attrs() []slog.Attr {
	attrs := r.facts()
	if len(r.headers) > 0 {
		var hs []any
		for _, h := range r.headers {
			hs = append(hs, slog.String(h.name, h.value))
		}
		attrs = append(attrs, slog.Group("headers", hs...))
	}
	attrs = append(attrs, slog.String("body", string(r.body)))
	if r.cut > 0 {
		attrs = append(attrs, slog.Int("truncated", r.cut))
	}
	return attrs
}

// plain writes three lines; nothing that a sender wrote can begin a fourth.
func (r *record) plain(b *bytes.Buffer) {
	b.WriteString("webhook")
	for _, a := range r.facts() {
		fmt.Fprintf(b, " %s=%s", a.Key, quoted(a.Value.String()))
	}
	b.WriteByte('\n')
	if len(r.headers) > 0 {
		b.WriteString("headers ")
		b.Write(escape(r.headerJSON(""), false))
		b.WriteByte('\n')
	}
	b.Write(escape(r.body, false))
	r.note(b)
	b.WriteByte('\n')
}

// pretty writes a block that a person can read.
func (r *record) pretty(b *bytes.Buffer) {
	rule := strings.Repeat("=", 80)
	fmt.Fprintf(b, "%s\nWEBHOOK RECEIVED\n", rule)
	for _, a := range r.facts() {
		fmt.Fprintf(b, "%s: %s\n", a.Key, quoted(a.Value.String()))
	}
	if len(r.headers) > 0 {
		b.WriteString("headers: ")
		b.Write(escape(r.headerJSON("  "), true))
		b.WriteByte('\n')
	}
	b.WriteString("payload:\n")
	b.Write(escape(r.body, true))
	r.note(b)
	fmt.Fprintf(b, "\n%s\n", rule)
}

func (r *record) note(b *bytes.Buffer) {
	if r.cut > 0 {
		fmt.Fprintf(b, " [%d more characters truncated]", r.cut)
	}
}

// headerJSON is an object in which a repeated name stays repeated, as it was
// sent.
func (r *record) headerJSON(indent string) []byte {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, h := range r.headers {
		if i > 0 {
			b.WriteByte(',')
		}
		name, _ := json.Marshal(h.name)
		value, _ := json.Marshal(h.value)
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	if indent == "" {
		return b.Bytes()
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, b.Bytes(), "", indent); err != nil {
		return b.Bytes()
	}
	return pretty.Bytes()
}

// quoted puts quotes around what would not read as one word.
func quoted(s string) string {
	plain := s != "" && !strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c >= 0x7f || c == '"' || c == '=' })
	if plain {
		return s
	}
	return strconv.QuoteToASCII(s)
}
