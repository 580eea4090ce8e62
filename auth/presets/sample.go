package presets

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// prepare sets the sender's headers where they are not set yet. One whose
// value is not known is left out.
func (p *Preset) prepare(h http.Header, event, deliveryID string) {
	event = cmp.Or(event, p.DefaultEvent)
	for _, hd := range p.Headers {
		if h.Get(hd.Name) != "" ||
			event == "" && strings.Contains(hd.Value, "{event}") ||
			deliveryID == "" && strings.Contains(hd.Value, "{delivery}") {
			continue
		}
		h.Set(hd.Name, strings.NewReplacer("{event}", event, "{delivery}", deliveryID).Replace(hd.Value))
	}
}

// Body is a small body of the sender's kind, for a test that brings none.
func (p *Preset) Body(event, deliveryID string, now time.Time) []byte {
	return []byte(strings.NewReplacer(
		"{event}", inJSON(cmp.Or(event, p.DefaultEvent)),
		"{delivery}", inJSON(deliveryID),
		"{unix}", strconv.FormatInt(now.Unix(), 10),
	).Replace(p.Sample))
}

// inJSON escapes s for use between the quotes of a JSON string.
func inJSON(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return "" // strings always marshal
	}
	return string(b[1 : len(b)-1])
}
