package redisconn

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/spec"
)

// Headers are the options about what goes along with a body.
type Headers struct {
	Forward bool // the sender's
	Extra   map[string]string
}

// Fields lists the options.
func (h *Headers) Fields() spec.Fields {
	return spec.Fields{
		spec.Bool(&h.Forward, "forward_headers").Default(true).Doc("Send the sender's headers along: all but credentials."),
		spec.Headers(&h.Extra, "headers").Doc("Headers to add to each message; they win over the sender's."),
	}
}

// Issues are the mistakes in them.
func (h *Headers) Issues() []spec.Issue {
	var issues []spec.Issue
	for name := range h.Extra {
		switch key := strings.ToLower(name); {
		case ours(key):
			issues = append(issues, spec.Issue{Field: "headers", Message: fmt.Sprintf("%q is set by hookd", name)})
		case name == "":
			issues = append(issues, spec.Issue{Field: "headers", Message: "a header has no name"})
		}
	}
	slices.SortFunc(issues, func(a, b spec.Issue) int { return strings.Compare(a.Message, b.Message) })
	return issues
}

// ours are the names that only hookd uses.
func ours(name string) bool {
	return strings.HasPrefix(name, "hookd-") || name == "traceparent" || name == "tracestate"
}

// Of makes the headers of a delivery, with names in lower case as the original
// service had them: the sender's, then those of the configuration, then hookd's
// own; a later one wins. Several values of one name are joined with a comma.
func (h *Headers) Of(d *event.Delivery) map[string]string {
	all := make(map[string]string, len(d.Header)+len(h.Extra)+len(d.Event.Header))
	if h.Forward {
		add(all, d.Event.Header)
	}
	for name, v := range h.Extra {
		all[strings.ToLower(name)] = v
	}
	for name := range all {
		if ours(name) {
			delete(all, name) // only hookd speaks for itself
		}
	}
	add(all, d.Header)
	return all
}

func add(all map[string]string, h http.Header) {
	for name, vs := range h {
		// Readers take them for UTF-8, and stumble over what is not.
		all[strings.ToValidUTF8(strings.ToLower(name), "\uFFFD")] = strings.ToValidUTF8(strings.Join(vs, ", "), "\uFFFD")
	}
}

// JSON is a value without the escapes that encoding/json adds for HTML.
func JSON(v any) []byte {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // texts and maps of texts have a JSON form
	}
	return []byte(strings.TrimSuffix(b.String(), "\n"))
}
