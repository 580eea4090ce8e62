package websocket

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/gorilla/websocket"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
)

// codeNotText is a body that a text message cannot hold.
const codeNotText = "websocket_not_text"

// message is what is sent of a delivery: the original service's object, or the
// bytes themselves.
func (o *Options) message(d *event.Delivery) (kind int, data []byte, err error) {
	data = d.Body
	if o.Format == JSON {
		data = o.envelope(d)
	}
	if o.MaxSize > 0 && int64(len(data)) > o.MaxSize {
		return 0, nil, modules.Reject(modules.CodeTooLarge,
			fmt.Errorf("websocket: a message of %d bytes is more than max_message_size, %d", len(data), o.MaxSize))
	}
	switch text := utf8.Valid(data); {
	case o.Frame == Binary, o.Frame != Text && !text:
		return websocket.BinaryMessage, data, nil
	case !text:
		return 0, nil, modules.Reject(codeNotText,
			errors.New(`websocket: the body is not UTF-8, which a text message must be: "frame": "auto" sends such as binary`))
	}
	return websocket.TextMessage, data, nil
}

// envelope is the original service's object. A body that is JSON is in it byte
// for byte.
func (o *Options) envelope(d *event.Delivery) []byte {
	b := make([]byte, 0, len(d.Body)+64)
	switch {
	case utf8.Valid(d.Body) && json.Valid(d.Body):
		b = append(append(b, `{"payload":`...), d.Body...)
	case utf8.Valid(d.Body):
		b = append(append(b, `{"payload":`...), asJSON(string(d.Body))...)
	default:
		b = append(append(b, `{"payload_base64":`...), asJSON(d.Body)...)
	}
	if o.Headers {
		b = append(append(b, `,"headers":`...), asJSON(o.headers(d))...)
	}
	if o.MatchID {
		b = append(append(b, `,"id":`...), asJSON(d.ID.String())...)
	}
	return append(b, '}')
}

// headers are the sender's and hookd's own, which win, with names in lower case.
func (o *Options) headers(d *event.Delivery) map[string]string {
	all := make(map[string]string, len(d.Header)+len(d.Event.Header))
	add := func(h http.Header) {
		for name, vs := range h {
			all[strings.ToValidUTF8(strings.ToLower(name), "\uFFFD")] = strings.ToValidUTF8(strings.Join(vs, ", "), "\uFFFD")
		}
	}
	if o.Forward {
		add(d.Event.Header)
	}
	for name := range all {
		if strings.HasPrefix(name, "hookd-") || name == "traceparent" || name == "tracestate" {
			delete(all, name) // only hookd speaks for itself
		}
	}
	add(d.Header)
	return all
}

// asJSON is a value without the escapes that encoding/json adds for HTML.
func asJSON(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // texts and maps of texts have a JSON form
	}
	return strings.TrimSuffix(b.String(), "\n")
}
