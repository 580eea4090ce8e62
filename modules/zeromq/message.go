package zeromq

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/hookd/hookd/internal/event"
)

// frames are what is sent of a delivery: the body, as the original service did,
// and before it what the options ask for.
func (o *Options) frames(kind Kind, d *event.Delivery) [][]byte {
	var frames [][]byte
	if kind == Pub && o.Topic != "" {
		frames = append(frames, []byte(o.Topic))
	}
	if o.Headers {
		frames = append(frames, o.headers(d))
	}
	return append(frames, d.Body)
}

// headers are the sender's and hookd's own, which win, as a JSON object with
// names in lower case.
func (o *Options) headers(d *event.Delivery) []byte {
	t := make(map[string]string, len(d.Header)+len(d.Event.Header))
	add := func(h http.Header) {
		for name, vs := range h {
			t[strings.ToLower(name)] = strings.Join(vs, ", ")
		}
	}
	if o.Forward {
		add(d.Event.Header)
	}
	for name := range t {
		if strings.HasPrefix(name, "hookd-") {
			delete(t, name) // only hookd speaks for itself
		}
	}
	add(d.Header)
	b, err := json.Marshal(t)
	if err != nil {
		return []byte("{}") // strings cannot fail
	}
	return b
}
