package s3

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules/internal/pattern"
)

const (
	maxKey  = 1024 // bytes, of S3
	maxPart = 100  // bytes of a sender's text in a key

	defaultName      = "webhook_{uuid}.json"
	defaultBatchName = "webhooks_{uuid}.ndjson"

	placeholderDoc = "`{uuid}`, `{id}` and `{delivery}` are the delivery's id, which is the same on every attempt; `{timestamp}`, `{date}`, `{year}`, `{month}`, `{day}`, `{hour}` and `{minute}` " +
		"tell when the event was received (UTC); `{hook}`, `{type}`, `{event}`, `{header:NAME}` and `{body.path}` are what the delivery says, with all but letters, digits, `.`, `_` and `-` replaced."
)

// Placeholders beside those of package pattern. webhook_id was documented by the
// original service, and refused.
var (
	idNames  = []string{"uuid", "id", "delivery"}
	timeForm = map[string]string{
		"timestamp": "2006-01-02T15-04-05.000000", "date": "2006-01-02",
		"year": "2006", "month": "01", "day": "02", "hour": "15", "minute": "04",
	}
	more = append(append([]string{"webhook_id"}, idNames...), "timestamp", "date", "year", "month", "day", "hour", "minute")
)

// naming gives a delivery the same key on every attempt, and no two the same.
type naming struct {
	pattern string // of the whole key, with an id in it
	added   bool   // the id was not in the configured one
}

func (o *Options) naming() naming {
	name, gz := o.Filename, ""
	switch {
	case name == "" && o.NDJSON:
		name = defaultBatchName
	case name == "":
		name = defaultName
	}
	if stem, had := strings.CutSuffix(name, ".gz"); had || o.Gzip {
		name, gz = stem, ".gz"
	}
	n := naming{}
	folders := o.Prefix + "/" + o.Partition + "/"
	n.added = !slices.ContainsFunc(idNames, func(id string) bool { return strings.Contains(folders+name, "{"+id+"}") })
	if n.added {
		// "{type}" has no extension although its value may have a dot.
		ext := path.Ext(name)
		if strings.Contains(ext, "}") {
			ext = ""
		}
		name = strings.TrimSuffix(name, ext) + "-{uuid}" + ext
	}
	n.pattern = folders + name + gz
	return n
}

// key of a delivery; id is its own, or that of the batch that it is in.
func (n naming) key(d *event.Delivery, id string) string {
	at := d.Event.Received.UTC()
	return tidy(pattern.ExpandWith(n.pattern, func(name string) string {
		form := timeForm[name]
		switch {
		case slices.Contains(idNames, name):
			return id
		case form != "":
			return at.Format(form)
		case name == "webhook_id":
			name = "hook"
		}
		return part(pattern.Value(name, d))
	}))
}

// longest is how long a key can get.
func (n naming) longest() int {
	return len(tidy(pattern.ExpandWith(n.pattern, func(name string) string {
		switch form := timeForm[name]; {
		case form != "":
			return form
		case name == "event", slices.Contains(idNames, name):
			return event.ID{}.String()
		}
		return strings.Repeat("t", maxPart)
	})))
}

// tidy is a path without empty segments and without those that lead elsewhere
// where keys are files.
func tidy(key string) string {
	segments := slices.DeleteFunc(strings.Split(key, "/"), func(s string) bool { return s == "" })
	for i, s := range segments {
		if s == "." || s == ".." {
			segments[i] = strings.Repeat("_", len(s))
		}
	}
	return strings.Join(segments, "/")
}

// part makes a sender's text harmless in a key, and short.
func part(s string) string {
	b := []byte(s[:min(len(s), maxPart)])
	for i, c := range b {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_', c == '-':
		default:
			b[i] = '_'
		}
	}
	if len(b) == 0 {
		return "none"
	}
	return string(b)
}

// batchID is the same for the same deliveries, in whatever order. One by itself
// has its own.
func batchID(ds []*event.Delivery) string {
	if len(ds) == 1 {
		return ds[0].ID.String()
	}
	ids := make([]string, len(ds))
	for i, d := range ds {
		ids[i] = string(d.ID[:])
	}
	slices.Sort(ids)
	sum := sha256.Sum256([]byte(strings.Join(ids, "")))
	var id event.ID
	copy(id[:], sum[:])
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80 // RFC 9562, version 8
	return id.String()
}

// avoided are characters that the S3 user guide tells to avoid in keys, and those
// that mean something to programs that read them as files or URLs.
const avoided = "\\^%`[]\"<>~#|?*"

func checkPattern(p string) error {
	if err := pattern.CheckWith(p, more...); err != nil {
		return err
	}
	text := pattern.ExpandWith(p, func(string) string { return "x" })
	odd := func(r rune) bool { return !unicode.IsPrint(r) || strings.ContainsRune(avoided, r) }
	if !utf8.ValidString(text) || strings.ContainsFunc(text, odd) {
		return fmt.Errorf("has a control character or one of %s, which keys should not have", avoided)
	}
	for s := range strings.SplitSeq(text, "/") {
		if s == "." || s == ".." {
			return fmt.Errorf("has the segment %q", s)
		}
	}
	return nil
}

func checkFilename(p string) error {
	if p != "" && strings.HasSuffix(p, "/") {
		return errors.New("ends in a slash: it is the name of an object")
	}
	return checkPattern(p)
}
