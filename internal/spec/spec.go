// Package spec describes configuration once. Decoding, checking, reference
// pages, JSON Schema, redaction and fingerprints are all derived from the
// description.
package spec

// Described is a config struct that lists its fields, binding each name to the
// struct field that receives it.
type Described interface{ Fields() Fields }

// Inline is a Described that may also be written as one plain value:
// "authorization": "Bearer x", or a chain item "log". Inline returns the field
// that receives it; the field's name is for messages only.
type Inline interface{ Inline() Field }

// Validator is a Described with rules that span fields. Validate is called
// after every field decoded without an error.
type Validator interface{ Validate() []Issue }

// Issue names the field that it is about, so that it gets the field's place. An
// empty Field is the object as a whole.
type Issue struct {
	Field, Message, Hint string
	Warning              bool
	// Below are the keys that lead on from the field, where it is of any shape.
	Below []string
}

// Fields lists a config struct's fields in the order of its documentation.
type Fields []Field

// Info is what the derivations read.
type Info struct {
	Name       string
	Aliases    []string // other names for the same field; only one may be set
	Doc        string
	Kind       Kind
	Default    any
	Required   bool
	Secret     bool
	Advanced   bool
	Deprecated string // what to use instead
	Ignored    string // known, accepted, and does nothing: why
	Enum       []string
	Examples   []any
	Min, Max   *float64
	Item       Kind   // of a list or map of plain values
	Children   Fields // of an object, or of the items of a list or map
	Inline     *Info  // what an object may be written as instead; nil: only as an object
}

// Kind is the type of a field's value as a user writes it.
type Kind uint8

// The kinds of value. Numbers and booleans may also be written as strings, as
// the original service's files do.
const (
	KindString Kind = iota
	KindInt
	KindFloat
	KindBool
	KindDuration // "1m30s", or a number of seconds
	KindSize     // "10MiB", or a number of bytes
	KindURL
	KindSecret
	KindObject
	KindList
	KindMap
	KindAny
)
