package scheme

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	neturl "net/url"
	"slices"
	"strings"
)

// place puts a value where read finds it, and leaves all else as it is.
func (s Source) place(in *input, text string) error {
	switch s.kind {
	case fromHeader:
		in.r.Header.Set(s.name, text)
		return nil
	case fromQuery:
		if in.r.URL == nil {
			in.r.URL = &neturl.URL{Path: "/"}
		}
		in.r.URL.RawQuery = SetPair(in.r.URL.RawQuery, s.name, text)
		return nil
	case fromForm:
		in.r.Body, in.form = []byte(SetPair(string(in.r.Body), s.name, text)), nil
		return nil
	case fromJSON:
		body, err := setJSON(in.r.Body, s.path, text)
		if err != nil {
			return err
		}
		in.r.Body = body
		return nil
	case fromSig, fromParam, fromItem:
	}
	return fmt.Errorf("there is no way to set %s", s)
}

// SetPair sets a pair of a form or a query string: in the place of the first
// one with the name, or at the end.
func SetPair(form, name, text string) string {
	pair := neturl.QueryEscape(name) + "=" + neturl.QueryEscape(text)
	var all []string
	done := false
	for old := range strings.SplitSeq(form, "&") {
		key, _, _ := strings.Cut(old, "=")
		switch key, err := neturl.QueryUnescape(key); {
		case old == "":
		case err != nil || key != name:
			all = append(all, old)
		case !done:
			all, done = append(all, pair), true
		}
	}
	if !done {
		all = append(all, pair)
	}
	return strings.Join(all, "&")
}

// setJSON sets the member at path: a number stays one, all else becomes a
// string. Objects that are missing on the way are made.
func setJSON(body []byte, path jsonPath, text string) ([]byte, error) {
	if !json.Valid(body) {
		return nil, errors.New("the body is no JSON")
	}
	for n := len(path); n >= 0; n-- {
		at, err := locateJSON(body, path[:n])
		if err != nil {
			return nil, err
		}
		if at == (span{}) {
			continue
		}
		old := body[at.from:at.to]
		switch {
		case n == len(path):
			return slices.Concat(body[:at.from], jsonLike(old, text), body[at.to:]), nil
		case old[0] != '{':
			return nil, fmt.Errorf("the body has no object for the member %q", path[n].name)
		}
		rest := bytes.TrimLeft(old[1:], " \t\r\n")
		comma := ","
		if rest[0] == '}' {
			comma = ""
		}
		return slices.Concat(body[:at.from+1], nested(path[n:], text), []byte(comma), body[at.from+1:]), nil
	}
	return nil, errors.New("the body is no JSON object")
}

// jsonLike is text as JSON of the type that old has.
func jsonLike(old []byte, text string) []byte {
	if isNumber(string(old)) && isNumber(text) {
		return []byte(text)
	}
	return jsonString(text)
}

func isNumber(text string) bool {
	return text != "" && (text[0] == '-' || text[0] >= '0' && text[0] <= '9') && json.Valid([]byte(text))
}

func jsonString(text string) []byte {
	b, err := json.Marshal(text)
	if err != nil {
		return []byte(`""`) // strings always marshal
	}
	return b
}

// nested is `"a":{"b":"text"}` for the path a.b.
func nested(path jsonPath, text string) []byte {
	b := jsonString(text)
	for i := len(path) - 1; i >= 0; i-- {
		b = slices.Concat(jsonString(path[i].name), []byte(":"), b)
		if i > 0 {
			b = slices.Concat([]byte("{"), b, []byte("}"))
		}
	}
	return b
}
