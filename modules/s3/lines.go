package s3

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hookd/hookd/internal/event"
)

// line is an event in an object of many, but for the body, which comes last.
type line struct {
	ID       string            `json:"id"`
	Hook     string            `json:"hook"`
	Type     string            `json:"type"`
	Received string            `json:"received"`
	Delivery map[string]string `json:"delivery"`
	Headers  map[string]string `json:"headers,omitempty"`
}

// appendLine adds a delivery as one line of JSON: a body of JSON as it is, line
// feeds between its values aside, as "body"; another text as the string
// "body_text", anything else in base64 as "body_base64".
func appendLine(b *bytes.Buffer, d *event.Delivery, headers bool) {
	l := line{
		ID: d.Event.ID.String(), Hook: d.Event.Hook, Type: d.Event.Type,
		Received: d.Event.Received.UTC().Format(time.RFC3339Nano),
		Delivery: flat(d.Header, false),
	}
	if headers {
		l.Headers = flat(d.Event.Header, true)
	}
	head := encodeJSON(l)
	b.Write(head[:len(head)-1])
	switch {
	case utf8.Valid(d.Body) && json.Valid(d.Body):
		b.WriteString(`,"body":`)
		if bytes.ContainsAny(d.Body, "\r\n") {
			_ = json.Compact(b, d.Body) // it is valid
		} else {
			b.Write(d.Body)
		}
	case utf8.Valid(d.Body):
		b.WriteString(`,"body_text":`)
		b.Write(encodeJSON(string(d.Body)))
	default:
		b.WriteString(`,"body_base64":`)
		b.Write(encodeJSON(d.Body))
	}
	b.WriteString("}\n")
}

// encodeJSON is JSON on one line that leaves <, > and & as they are.
func encodeJSON(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // texts have a form
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// flat is a header with lower-case names; a sender cannot speak for hookd.
func flat(h http.Header, sender bool) map[string]string {
	m := make(map[string]string, len(h))
	for name, values := range h {
		if low := strings.ToLower(name); !sender || !own(low) {
			m[low] = strings.Join(values, ", ")
		}
	}
	return m
}
