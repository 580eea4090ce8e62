package siteverify

import (
	"bytes"
	"encoding/json"
	"errors"
)

var (
	errNoObject  = errors.New("not a JSON object")
	errDuplicate = errors.New("a JSON member comes twice")
)

// members returns the raw values of the members of a JSON object, in the order
// of names; nil is one that is not there. Names are compared exactly, and one of
// them that comes twice is an error: parsers differ in which they take.
func members(doc []byte, names ...string) ([]json.RawMessage, error) {
	if !json.Valid(doc) {
		return nil, errNoObject
	}
	found := make([]json.RawMessage, len(names))
	dec := json.NewDecoder(bytes.NewReader(doc))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errNoObject
	}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, errNoObject
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, errNoObject
		}
		for i, name := range names {
			if t != name {
				continue
			}
			if found[i] != nil {
				return nil, errDuplicate
			}
			found[i] = value
		}
	}
	return found, nil
}
