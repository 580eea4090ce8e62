package quarantine

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/server/ingest"
)

// Hidden is a header whose value is not shown.
type Hidden struct {
	Name  string
	Bytes []int // length of each value
}

// Shown splits the headers into those that can be shown and those that are, or
// may be, credentials: the ones that a proof of the hook reads, those with the
// name of one, and values that look like one whatever their name. A request is
// often refused because its credential is in the wrong place.
func (e *Entry) Shown() (http.Header, []Hidden) {
	shown := make(http.Header, len(e.Header))
	var hidden []Hidden
	for _, name := range slices.Sorted(maps.Keys(e.Header)) {
		vs := e.Header[name]
		secret := slices.Contains(e.Headers, name) || ingest.IsCredential(name)
		if !secret && (slices.Contains(plain, name) || !slices.ContainsFunc(vs, opaque)) {
			shown[name] = slices.Clone(vs)
			continue
		}
		h := Hidden{Name: name}
		for _, v := range vs {
			h.Bytes = append(h.Bytes, len(v))
		}
		hidden = append(hidden, h)
	}
	return shown, hidden
}

// plain are headers whose values are long words and no secrets.
var plain = []string{
	"Accept", "Accept-Encoding", "Content-Encoding", "Content-Length", "Content-Type", "Date", "Origin", "Referer", "Traceparent",
	"User-Agent", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip",
}

// ShownQuery is the query without credentials, and without the values that look
// like one.
func (e *Entry) ShownQuery() string {
	pairs := strings.Split(ingest.CleanQuery(e.Query, e.Params), "&")
	for i, pair := range pairs {
		if name, value, _ := strings.Cut(pair, "="); opaque(value) {
			pairs[i] = name + "=(not-shown)"
		}
	}
	return strings.Join(pairs, "&")
}

// opaque reports whether a value looks like a key or a digest: one long word of
// letters and digits that is neither a UUID nor made of several.
func opaque(v string) bool {
	if len(v) < 20 || strings.ContainsAny(v, " \t;,()") {
		return false
	}
	if _, err := event.ParseID(v); err == nil {
		return false
	}
	digits, letters := 0, 0
	for i := range len(v) {
		switch c := v[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
			letters++
		case strings.IndexByte("+/=_-.:", c) < 0:
			return false
		}
	}
	return digits > 0 && letters > 0
}
