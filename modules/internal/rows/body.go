package rows

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"mime"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

var errSurrogate = errors.New(`the body holds half of a surrogate pair (\ud800 to \udfff by itself), which is no character: no database keeps it as it is`)

// text is the body as JSON: as it was sent where it is JSON; the fields of a
// form; the text of anything else as a JSON string; and for bytes that are no
// text {"base64": "..."}.
func (s *source) text() (string, error) {
	if s.read {
		return s.doc, nil
	}
	body := s.d.Body
	var form map[string]any
	isJSON := utf8.Valid(body) && json.Valid(body)
	if !isJSON {
		form = s.form()
	}
	switch {
	case isJSON:
		s.doc = string(body)
		if escapes(s.doc).half {
			return "", errSurrogate
		}
	case form != nil:
		s.doc = encode(form)
	case utf8.Valid(body) && (s.t.Dialect.NUL || !strings.ContainsRune(string(body), 0)):
		s.doc = encode(string(body))
	default:
		s.doc = encode(map[string]string{"base64": base64.StdEncoding.EncodeToString(body)})
	}
	s.read = true
	return s.doc, nil
}

// form is the fields of an urlencoded form, a repeated one as a list; nil when
// the body is none.
func (s *source) form() map[string]any {
	kind, _, err := mime.ParseMediaType(s.d.Event.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" || !utf8.Valid(s.d.Body) {
		return nil
	}
	values, err := url.ParseQuery(string(s.d.Body))
	if err != nil {
		return nil
	}
	out := make(map[string]any, len(values))
	for name, vs := range values {
		all := make([]any, len(vs))
		for i, v := range vs {
			if !utf8.ValidString(name + v) {
				return nil
			}
			all[i] = v
		}
		out[name] = all
		if len(all) == 1 {
			out[name] = all[0]
		}
	}
	return out
}

// odd are escapes in a JSON document that databases stumble over.
type odd struct{ nul, half bool }

// escapes looks at the \u escapes of valid JSON, which stand in strings only.
func escapes(doc string) (found odd) {
	for i := strings.IndexByte(doc, '\\'); i >= 0 && i < len(doc); {
		if doc[i] != '\\' {
			next := strings.IndexByte(doc[i:], '\\')
			if next < 0 {
				break
			}
			i += next
			continue
		}
		r, isHex := hex(doc, i)
		if !isHex {
			i += 2
			continue
		}
		i += 6
		switch {
		case r == 0:
			found.nul = true
		case utf16.IsSurrogate(r):
			low, _ := hex(doc, i)
			if utf16.DecodeRune(r, low) == utf8.RuneError {
				found.half = true
				continue
			}
			i += 6
		}
	}
	return found
}

// hex reads \uXXXX at i.
func hex(doc string, i int) (rune, bool) {
	if i+6 > len(doc) || doc[i] != '\\' || doc[i+1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(doc[i+2:i+6], 16, 16)
	return rune(n), err == nil
}
