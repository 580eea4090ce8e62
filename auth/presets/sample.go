package presets

import (
	"cmp"
	"encoding/json"
	"hash/crc32"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// prepare sets the sender's headers where they are not set yet. One whose
// value is not known is left out.
func (p *Preset) prepare(h http.Header, event, deliveryID string, now time.Time) {
	event = cmp.Or(event, p.DefaultEvent)
	for _, hd := range p.Headers {
		if h.Get(hd.Name) != "" ||
			event == "" && strings.Contains(hd.Value, "{event}") ||
			deliveryID == "" && strings.Contains(hd.Value, "{delivery}") {
			continue
		}
		h.Set(hd.Name, strings.NewReplacer("{event}", event, "{delivery}", deliveryID, "{unix}", unix(now)).Replace(hd.Value))
	}
}

// Body is a small body of the sender's kind, for a test that brings none. It is
// Sample with the name of the event for {event}, the delivery id for {delivery}
// and for {number} where the sender's is a number, and now for {unix} (seconds),
// {unixms} and {rfc3339}.
func (p *Preset) Body(event, deliveryID string, now time.Time) []byte {
	quote := inJSON
	if p.Form() {
		quote = url.QueryEscape
	}
	return []byte(strings.NewReplacer(
		"{event}", quote(cmp.Or(event, p.DefaultEvent)),
		"{delivery}", quote(deliveryID),
		"{number}", Number(deliveryID),
		"{unix}", unix(now),
		"{unixms}", strconv.FormatInt(now.UnixMilli(), 10),
		"{rfc3339}", now.UTC().Format(time.RFC3339),
	).Replace(p.Sample))
}

// Form reports whether the sender's bodies are forms.
func (p *Preset) Form() bool {
	for _, h := range p.Headers {
		if h.Name == "Content-Type" {
			return h.Value == "application/x-www-form-urlencoded"
		}
	}
	return false
}

// Number is a delivery id for senders that number theirs: id itself where it is
// a number, else one made of it.
func Number(id string) string {
	if n, err := strconv.ParseUint(id, 10, 53); err == nil {
		return strconv.FormatUint(n, 10)
	}
	return strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(id))), 10)
}

func unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

// inJSON escapes s for use between the quotes of a JSON string.
func inJSON(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return "" // strings always marshal
	}
	return string(b[1 : len(b)-1])
}
