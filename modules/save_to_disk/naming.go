package savetodisk

import (
	"encoding/json"
	"mime"
	"net/http"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/hookd/hookd/internal/event"
)

var placeholders = []string{"{uuid}", "{event}", "{timestamp}", "{hook}", "{type}"}

const (
	maxPart = 40 // bytes of a sender's text in a name
	// maxName leaves room for extension and sidecar below the 255 bytes that
	// file systems take.
	maxName = 220
)

// longest is how long a name from the pattern can get.
func longest(pattern string) int {
	id, text := strings.Repeat("i", 36), strings.Repeat("t", maxPart)
	return len(strings.NewReplacer("{uuid}", id, "{event}", id, "{timestamp}", id, "{hook}", text, "{type}", text).Replace(pattern)) + len("-") + len(id)
}

// naming gives a delivery the same name on every attempt.
type naming struct {
	stem string // with {uuid} in it
	ext  string // "" is by content
}

func newNaming(pattern, extension string) naming {
	if pattern == "" {
		pattern = "{uuid}"
	}
	n := naming{stem: pattern, ext: extension}
	// "{type}" has no extension although its value may have a dot.
	if ext := path.Ext(pattern); ext != "" && !strings.Contains(ext, "}") {
		n.stem = strings.TrimSuffix(pattern, ext)
		if n.ext == "" {
			n.ext = ext
		}
	}
	if n.ext != "" && n.ext[0] != '.' {
		n.ext = "." + n.ext
	}
	if !strings.Contains(n.stem, "{uuid}") {
		n.stem += "-{uuid}"
	}
	return n
}

func (n naming) name(d *event.Delivery) string {
	var hook, kind, id, at string
	if ev := d.Event; ev != nil {
		hook, kind, id = ev.Hook, ev.Type, ev.ID.String()
		at = ev.Received.UTC().Format("20060102T150405.000Z")
	}
	name := strings.NewReplacer(
		"{uuid}", d.ID.String(),
		"{event}", id,
		"{timestamp}", at,
		"{hook}", part(hook),
		"{type}", part(kind),
	).Replace(n.stem)
	if strings.HasPrefix(name, ".") {
		name = "_" + name[1:] // a hidden file would look like one that is being written
	}
	if n.ext != "" {
		return name + n.ext
	}
	return name + extensionOf(d)
}

// part makes a sender's text harmless in a file name, and short enough that the
// name as a whole fits into 255 bytes.
func part(s string) string {
	s = clean(s)
	if s == "" {
		return "none"
	}
	return s[:min(len(s), maxPart)]
}

func clean(s string) string {
	b := []byte(s)
	for i, c := range b {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_', c == '-':
		default:
			b[i] = '_'
		}
	}
	return string(b)
}

func extensionOf(d *event.Delivery) string {
	media, _, _ := mime.ParseMediaType(d.Header.Get("Content-Type"))
	switch {
	case media == "application/json", strings.HasSuffix(media, "+json"), json.Valid(d.Body):
		return ".json"
	case utf8.Valid(d.Body):
		return ".txt"
	}
	return ".bin"
}

func headersJSON(d *event.Delivery) []byte {
	var v struct {
		Sender http.Header `json:"headers"`
		Hookd  http.Header `json:"delivery"`
	}
	v.Hookd = d.Header
	if d.Event != nil {
		v.Sender = d.Event.Header
	}
	b, _ := json.MarshalIndent(v, "", "  ") // maps of strings always marshal
	return append(b, '\n')
}
