package cmd

import (
	"bytes"
	"encoding/json"
	"strings"
)

// withID puts the delivery id into a sample body, where the sender has it
// there: sources are those of the preset, "json:id" or "json:event.id". All
// other bytes stay.
func withID(body []byte, sources []string, id string) []byte {
	if len(sources) == 0 || id == "" {
		return body
	}
	path, ok := strings.CutPrefix(sources[0], "json:")
	if !ok {
		return body
	}
	from, to, ok := find(body, strings.Split(path, "."))
	if !ok {
		return body
	}
	text, err := json.Marshal(id)
	if err != nil {
		return body
	}
	return bytes.Join([][]byte{body[:from], text, body[to:]}, nil)
}

// find is the place of the value at path in a JSON object.
func find(body []byte, path []string) (from, to int, ok bool) {
	dec := json.NewDecoder(bytes.NewReader(body))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return 0, 0, false
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return 0, 0, false
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return 0, 0, false
		}
		if key != path[0] {
			continue
		}
		end := int(dec.InputOffset())
		start := end - len(value)
		if len(path) == 1 {
			return start, end, true
		}
		from, to, ok = find(value, path[1:])
		return start + from, start + to, ok
	}
	return 0, 0, false
}
