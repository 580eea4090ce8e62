package log

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"strings"

	"github.com/hookd/hookd/modules"
)

// redact hides the values of sensitive fields of a JSON or form body and leaves
// every other byte as it is. It returns body itself when it finds none.
func redact(body []byte, contentType string) []byte {
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	switch {
	case len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '['):
		return redactJSON(body)
	case contentType == "application/x-www-form-urlencoded":
		return redactForm(body)
	}
	return body
}

func redactForm(body []byte) []byte {
	parts := strings.Split(string(body), "&")
	found := false
	for i, p := range parts {
		raw, value, ok := strings.Cut(p, "=")
		name, err := url.QueryUnescape(raw)
		if err != nil {
			name = raw
		}
		if ok && value != "" && modules.Sensitive(name) {
			parts[i], found = raw+"="+Redacted, true
		}
	}
	if !found {
		return body
	}
	return []byte(strings.Join(parts, "&"))
}

// redactJSON walks the tokens and cuts sensitive values out by their offsets:
// order, spacing and spelling of all else stay the sender's. What is not JSON
// up to some point is redacted up to there.
func redactJSON(body []byte) []byte {
	w := walker{body: body, dec: json.NewDecoder(bytes.NewReader(body))}
	w.dec.UseNumber() // a number out of range is a number all the same
	for {
		if err := w.step(); err != nil {
			break
		}
	}
	if w.out == nil {
		return body
	}
	return append(w.out, body[w.copied:]...)
}

type walker struct {
	body   []byte
	dec    *json.Decoder
	open   []bool // of each open container: is it an object
	key    bool   // the next token is a key or the end of an object
	out    []byte
	copied int // how much of body is in out
}

func (w *walker) step() error {
	tok, err := w.dec.Token()
	if err != nil {
		return err
	}
	if d, ok := tok.(json.Delim); ok {
		switch d {
		case '{', '[':
			w.open = append(w.open, d == '{')
		default:
			w.open = w.open[:len(w.open)-1]
		}
		w.key = len(w.open) > 0 && w.open[len(w.open)-1]
		return nil
	}
	if !w.key {
		w.key = len(w.open) > 0 && w.open[len(w.open)-1]
		return nil
	}
	w.key = false
	if name, ok := tok.(string); ok && modules.Sensitive(name) {
		return w.hide()
	}
	return nil
}

// hide replaces the value that follows; true, false and null tell nothing and
// stay.
func (w *walker) hide() error {
	start := int(w.dec.InputOffset())
	for start < len(w.body) && strings.IndexByte(" \t\r\n:", w.body[start]) >= 0 {
		start++
	}
	tok, err := w.dec.Token()
	keep := false
	switch v := tok.(type) {
	case bool, nil:
		keep = err == nil
	case json.Delim:
		for depth := 1; depth > 0 && err == nil; {
			tok, err = w.dec.Token()
			if d, ok := tok.(json.Delim); ok && (d == '{' || d == '[') {
				depth++
			} else if ok {
				depth--
			}
		}
	case string:
		keep = v == ""
	}
	w.key = true
	if keep {
		return nil
	}
	end := int(w.dec.InputOffset())
	if err != nil {
		end = len(w.body) // damaged inside the value: hide the rest
	}
	w.out = append(append(w.out, w.body[w.copied:start]...), `"`+Redacted+`"`...)
	w.copied = end
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
