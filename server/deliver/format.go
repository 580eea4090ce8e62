package deliver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hookd/hookd/internal/event"
)

const jsonType = "application/json"

// format puts the body into the form that the lane asks for. h is changed.
func (l *Lane) format(ev *event.Event, body []byte, h http.Header) ([]byte, error) {
	switch l.Format {
	case Envelope:
		return envelope(ev, body, h)
	case CloudEvents:
		if l.binary() {
			binaryEvent(ev, h)
			return body, nil
		}
		return structuredEvent(ev, body, h)
	default:
		return body, nil
	}
}

// envelope is hookd's own JSON around the body. Headers have lower-case names.
func envelope(ev *event.Event, body []byte, h http.Header) ([]byte, error) {
	sent := make(map[string][]string, len(ev.Header))
	for name, values := range ev.Header {
		sent[strings.ToLower(name)] = values
	}
	key, value := data(body, h.Get(headerContentType))
	if key == "data" {
		key = "body"
	} else {
		key = "body_base64"
	}
	out, err := marshal(object{
		{"id", ev.ID.String()},
		{"hook", ev.Hook},
		{"type", ev.Type},
		{"received", stamp(ev)},
		{"content_type", h.Get(headerContentType)},
		{"headers", sent},
		{key, value},
	})
	h.Set(headerContentType, jsonType)
	return out, err
}

// attributes are the context attributes of CloudEvents 1.0, with the
// Distributed Tracing extension.
func attributes(ev *event.Event, h http.Header) object {
	kind := ev.Type
	if kind == "" {
		kind = "webhook"
	}
	a := object{
		{"specversion", "1.0"}, {"id", ev.ID.String()}, {"source", "/webhook/" + ev.Hook}, {"type", kind}, {"time", stamp(ev)},
	}
	if p := h.Get(headerTraceparent); p != "" {
		a = append(a, member{"traceparent", p})
	}
	return a
}

// binaryEvent is the binary mode of the HTTP protocol binding 1.0, section 3.1:
// attributes are headers, the body and its type stay.
func binaryEvent(ev *event.Event, h http.Header) {
	for _, a := range attributes(ev, h) {
		v, _ := a.value.(string)
		h.Set("Ce-"+a.key, percent(v))
	}
}

// percent encodes a header value as section 3.1.3.2 of the binding wants it:
// all but printable ASCII, and of that space, quote and percent.
func percent(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c > ' ' && c < 0x7f && c != '"' && c != '%' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// structuredEvent is the JSON event format 1.0.
func structuredEvent(ev *event.Event, body []byte, h http.Header) ([]byte, error) {
	a := attributes(ev, h)
	if t := h.Get(headerContentType); t != "" {
		a = append(a, member{"datacontenttype", t})
	}
	key, value := data(body, h.Get(headerContentType))
	out, err := marshal(append(a, member{key, value}))
	h.Set(headerContentType, "application/cloudevents+json")
	return out, err
}

// data chooses how a body stands in JSON: JSON as it is, byte for byte, text as
// a string, anything else in base64.
func data(body []byte, contentType string) (key string, value any) {
	kind, _, err := mime.ParseMediaType(contentType)
	isJSON := err != nil || kind == jsonType || strings.HasSuffix(kind, "+json")
	switch {
	case isJSON && json.Valid(body):
		return "data", verbatim(body)
	case utf8.Valid(body):
		return "data", string(body)
	default:
		return "data_base64", body
	}
}

func stamp(ev *event.Event) string { return ev.Received.UTC().Format(time.RFC3339Nano) }

// object keeps the order of its members, and verbatim its bytes, both of which
// encoding/json would change.
type (
	member struct {
		key   string
		value any
	}
	object   []member
	verbatim []byte
)

func marshal(o object) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:", m.key) // keys are plain ASCII
		if raw, ok := m.value.(verbatim); ok {
			b.Write(raw)
			continue
		}
		if err := enc.Encode(m.value); err != nil {
			return nil, err
		}
		b.Truncate(b.Len() - 1) // the encoder's newline
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
