package jose

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

// maxDepth is how deep objects and lists may be nested.
const maxDepth = 32

var (
	errNoObject  = errors.New("is no JSON object")
	errDuplicate = errors.New("has a JSON member that comes twice")
)

// Object reads a JSON object. A member that comes twice, at any level, is an
// error: parsers differ in which one they take. Names are not folded.
func Object(b []byte) (map[string]json.RawMessage, error) {
	if !utf8.Valid(b) {
		return nil, errNoObject
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := unique(d, maxDepth); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errNoObject
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(b, &members); err != nil || members == nil {
		return nil, errNoObject
	}
	return members, nil
}

// unique reads one value.
func unique(d *json.Decoder, depth int) error {
	t, err := d.Token()
	if err != nil || depth == 0 {
		return errNoObject
	}
	open, ok := t.(json.Delim)
	if !ok {
		return nil
	}
	seen := map[string]bool{}
	for d.More() {
		if open == '{' {
			name, err := d.Token()
			if err != nil {
				return errNoObject
			}
			text, _ := name.(string)
			if seen[text] {
				return errDuplicate
			}
			seen[text] = true
		}
		if err := unique(d, depth-1); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return errNoObject
	}
	return nil
}

// text reads a JSON string; ok is false for any other value.
func text(raw json.RawMessage) (s string, ok bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	return s, json.Unmarshal(raw, &s) == nil
}

// texts reads a string, or a list of strings.
func texts(raw json.RawMessage) ([]string, bool) {
	if s, ok := text(raw); ok {
		return []string{s}, true
	}
	if len(raw) == 0 || raw[0] != '[' {
		return nil, false
	}
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) != nil {
		return nil, false
	}
	all := make([]string, 0, len(items))
	for _, item := range items {
		s, ok := text(item)
		if !ok {
			return nil, false
		}
		all = append(all, s)
	}
	return all, true
}
