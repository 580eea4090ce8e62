package s3

import (
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/http/httpguts"

	"github.com/hookd/hookd/internal/event"
)

const (
	maxMetadata = 2 << 10 // of names and values, in bytes: S3 user guide, "Working with object metadata"
	leftOutName = "hookd-headers-left-out"

	// maxWord keeps an encoded word below the 75 characters of RFC 2047,
	// section 2.
	maxWord = 42
)

// metadata is what hookd says about a delivery and, where that is asked for, the
// sender's headers, in lower case and with "_" as the original service had them:
// as many as S3 takes. What was left out is counted.
func metadata(d *event.Delivery, headers bool) map[string]string {
	m := make(map[string]string)
	room, out := maxMetadata-len(leftOutName)-len("9999"), 0
	add := func(name string, values []string) {
		v := encode(strings.Join(values, ", "))
		_, taken := m[name]
		if need := len(name) + len(v); !taken && need <= room && v != "" && httpguts.ValidHeaderFieldName(name) {
			m[name] = v
			room -= need
			return
		}
		out++
	}
	for _, name := range slices.Sorted(maps.Keys(d.Header)) {
		if name != contentType { // the object has one of its own
			add(strings.ToLower(name), d.Header[name])
		}
	}
	if headers {
		for _, name := range slices.Sorted(maps.Keys(d.Event.Header)) {
			low := strings.ToLower(name)
			if !own(low) {
				add(strings.ReplaceAll(low, "-", "_"), d.Event.Header[name])
			}
		}
	}
	if out > 0 {
		m[leftOutName] = strconv.Itoa(out)
	}
	return m
}

// own reports a name that only hookd speaks under.
func own(name string) bool { return strings.HasPrefix(name, "hookd-") || name == "traceparent" }

// encode is a value as the headers that carry metadata can hold it: printable
// ASCII as it is, anything else in encoded words of RFC 2047, which is how S3
// itself answers with it. Bytes that are no UTF-8 stand as those of ISO-8859-1.
func encode(s string) string {
	if printable(s) && !strings.Contains(s, "=?") && !strings.Contains(s, "  ") && strings.TrimSpace(s) == s {
		return s
	}
	charset := "utf-8"
	if !utf8.ValidString(s) {
		charset = "iso-8859-1"
	}
	var words []string
	for len(s) > 0 {
		n := min(len(s), maxWord)
		for charset == "utf-8" && n < len(s) && !utf8.RuneStart(s[n]) {
			n--
		}
		words = append(words, "=?"+charset+"?B?"+base64.StdEncoding.EncodeToString([]byte(s[:n]))+"?=")
		s = s[n:]
	}
	return strings.Join(words, " ")
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// typeOf is the content type of a delivery, if a header can hold it.
func typeOf(h http.Header) string {
	if t := h.Get(contentType); t != "" && printable(t) {
		return t
	}
	return "application/octet-stream"
}
