package payload

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/hookd/hookd/server/ingest"
)

// What is told of a body that breaks its schema.
const (
	maxViolations = 10
	maxDetail     = 300 // bytes
	maxLeaves     = 1000
)

// Schema is a compiled JSON Schema. It is immutable and safe for concurrent
// use.
type Schema struct{ s *jsonschema.Schema }

// schemaURL is the base of relative references; nothing is ever there.
const schemaURL = "hookd:///json_schema"

// NewSchema compiles doc, a decoded JSON document. Drafts 4 to 2020-12 are
// known by $schema; without it, it is 2020-12. "format" is an annotation in
// all of them, as it was in the original service. References reach no further
// than doc itself: one to anywhere else is an error.
func NewSchema(doc any) (*Schema, error) {
	text, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("json schema: %w", err)
	}
	c := jsonschema.NewCompiler()
	c.LoadURL = func(url string) (io.ReadCloser, error) { return nil, remoteError(url) }
	for name := range jsonschema.Formats {
		c.Formats[name] = func(any) bool { return true }
	}
	if err := c.AddResource(schemaURL, bytes.NewReader(text)); err != nil {
		return nil, fmt.Errorf("json schema: %w", err)
	}
	s, err := c.Compile(schemaURL)
	if err != nil {
		return nil, schemaError(err)
	}
	return &Schema{s}, nil
}

type remoteError string

func (u remoteError) Error() string {
	return fmt.Sprintf("$ref or $schema %q is not in this document, and is not fetched: put it under $defs", string(u))
}

// schemaError finds what a person can act on in the compiler's error.
func schemaError(err error) error {
	var remote remoteError
	if errors.As(err, &remote) {
		return fmt.Errorf("json schema: %w", remote)
	}
	var invalid *jsonschema.ValidationError
	if errors.As(err, &invalid) {
		v := leaves(invalid, nil)
		slices.SortFunc(v, compareViolations)
		return fmt.Errorf("json schema: at %q: %s", v[0].Pointer, v[0].Detail)
	}
	return fmt.Errorf("json schema: %w", err)
}

// Validate returns how doc breaks the schema: the first ten places, in the
// order of their pointers. doc is as json.Decoder with UseNumber makes it.
func (s *Schema) Validate(doc any) []ingest.Violation {
	err := s.s.Validate(doc)
	if err == nil {
		return nil
	}
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return []ingest.Violation{{Detail: "the schema cannot be applied to this document"}}
	}
	all := leaves(invalid, nil)
	slices.SortFunc(all, compareViolations)
	all = slices.Compact(all)
	return all[:min(len(all), maxViolations)]
}

// leaves collects the innermost causes: the outer ones only say that there are
// some.
func leaves(e *jsonschema.ValidationError, all []ingest.Violation) []ingest.Violation {
	if len(all) >= maxLeaves {
		return all
	}
	for _, c := range e.Causes {
		all = leaves(c, all)
	}
	if len(e.Causes) == 0 {
		all = append(all, ingest.Violation{Pointer: e.InstanceLocation, Detail: cut(e.Message)})
	}
	return all
}

func compareViolations(a, b ingest.Violation) int {
	return cmp.Or(cmp.Compare(a.Pointer, b.Pointer), cmp.Compare(a.Detail, b.Detail))
}

// cut shortens a message, which may quote the body, at a whole character.
func cut(s string) string {
	if len(s) <= maxDetail {
		return s
	}
	end := maxDetail
	for end > 0 && s[end]&0xc0 == 0x80 {
		end--
	}
	return s[:end] + "..."
}
