package cmd

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hookd/hookd/auth/presets"
)

// withID puts the delivery id into a sample body, where the sender has it
// there: sources are those of the preset, "json:id", "json:0.event.id" or
// "form:MessageSid". All other bytes stay.
func withID(body []byte, sources []string, id string) []byte {
	if len(sources) == 0 || id == "" {
		return body
	}
	return replaced(body, sources[0], func(string) string { return id })
}

// replaced changes the value at a source of the body. A number stays one. All
// other bytes stay, and all of them where there is nothing at the source.
func replaced(body []byte, source string, change func(old string) string) []byte {
	kind, path, _ := strings.Cut(source, ":")
	switch kind {
	case "json":
		from, to, ok := find(body, strings.Split(path, "."))
		if !ok {
			return body
		}
		value, ok := changed(body[from:to], change)
		if !ok {
			return body
		}
		return slices.Concat(body[:from], value, body[to:])
	case "form":
		return replacedField(body, path, change)
	}
	return body
}

// changed is a string or a number of JSON with another value.
func changed(old []byte, change func(string) string) ([]byte, bool) {
	var text string
	if json.Unmarshal(old, &text) == nil && old[0] == '"' {
		value, err := json.Marshal(change(text))
		return value, err == nil
	}
	var number json.Number
	if json.Unmarshal(old, &number) == nil && number != "" {
		return []byte(presets.Number(change(number.String()))), true
	}
	return nil, false
}

func replacedField(body []byte, name string, change func(string) string) []byte {
	pairs := strings.Split(string(body), "&")
	for i, pair := range pairs {
		k, v, _ := strings.Cut(pair, "=")
		if key, err := url.QueryUnescape(k); err != nil || key != name {
			continue
		}
		if old, err := url.QueryUnescape(v); err == nil {
			pairs[i] = k + "=" + url.QueryEscape(change(old))
		}
	}
	return []byte(strings.Join(pairs, "&"))
}

// valueAt is what is at a source of the body; "" where there is nothing.
func valueAt(body []byte, source string) (value string) {
	replaced(body, source, func(old string) string {
		value = old
		return old
	})
	return value
}

// find is the place of the value at path in a JSON object or array.
func find(body []byte, path []string) (from, to int, ok bool) {
	dec := json.NewDecoder(bytes.NewReader(body))
	open, err := dec.Token()
	if err != nil || open != json.Delim('{') && open != json.Delim('[') {
		return 0, 0, false
	}
	for index := 0; dec.More(); index++ {
		name := json.Token(strconv.Itoa(index))
		if open == json.Delim('{') {
			if name, err = dec.Token(); err != nil {
				return 0, 0, false
			}
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return 0, 0, false
		}
		if name != path[0] {
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
