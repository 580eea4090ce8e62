package configlint_test

import "github.com/hookd/hookd/internal/spec"

// nothing is a description without fields.
type nothing struct{}

func (*nothing) Fields() spec.Fields { return nil }

func newNothing() spec.Described { return &nothing{} }
