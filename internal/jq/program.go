// Package jq runs the jq programs of the configuration: filters, transforms and
// the extraction of keys. There is one dialect (github.com/itchyny/gojq), it is
// compiled once, and every run is bounded.
//
// The author of a program is the operator; the author of its input is anybody.
// A run is therefore bounded against what data can do to an honest program:
//
//   - steps and time: MaxSteps instructions, MaxTime, and the caller's context,
//     looked at between instructions (loops, recursion, generators);
//   - size: a string or array that an operator, an interpolation, an index or a
//     path would make larger than MaxString or MaxArray is refused before it is
//     made, and so are the input of regular expressions beyond MaxRegexp and a
//     result beyond MaxOutput;
//   - memory of all runs together: one program runs at most once per processor
//     at a time. The worst of the programs in the tests allocates about 670 MiB.
//
// What is not bounded: one single built-in call cannot be interrupted. sort,
// group_by, unique, contains, indices and comparisons of large arrays can
// therefore outlast MaxTime by what they take on one input (about a second for
// a million elements). A program written to build a value that shares its parts
// many levels deep ([.,.] fifty times over) and then to compare it with itself
// never ends; one that nests half a million levels and then calls contains takes
// half a gigabyte of stack, which MaxSteps keeps below what Go allows. Data
// cannot do that to a program that does not set out to: the depth of a body is
// bounded before it comes here. Decoding takes up to about forty times the size
// of the body in memory.
//
// Numbers keep every digit as long as they are passed on. Arithmetic is exact
// on integers of any size, and 64 bit floating point otherwise; a whole number
// written with a point or an exponent is floating point once it is computed
// with. Objects do not keep the order of their keys: a result has them sorted.
package jq

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/itchyny/gojq"
)

// The bounds of one run.
const (
	MaxTime   = time.Second
	MaxSteps  = 5_000_000
	MaxString = 16 << 20  // bytes
	MaxArray  = 2_000_000 // elements
	MaxRegexp = 256 << 10 // bytes of text that a regular expression is run over
	MaxSplit  = 2 << 20   // bytes of text that split and explode take apart
	MaxNumber = 1000      // characters of a number in the input
	MaxOutput = 16 << 20  // bytes of a transform's JSON
	MaxDepth  = 1000      // levels of a result
)

// Errors of a run, possibly wrapped.
var (
	// ErrTime: the program took more than MaxTime or MaxSteps.
	ErrTime = errors.New("jq program took too long")
	// ErrSize: a value grew beyond its bound.
	ErrSize = errors.New("jq value is too large")
	// ErrNoResult: the program yielded nothing.
	ErrNoResult = errors.New("jq program yields nothing")
)

// Error is why a source does not compile.
type Error struct {
	Offset int // bytes from the start of the source; -1 when it is not known
	Err    error
}

// Error is one line.
func (e *Error) Error() string {
	if e.Offset < 0 {
		return e.Err.Error()
	}
	return fmt.Sprintf("%v at offset %d", e.Err, e.Offset)
}

// Unwrap is the parser's or compiler's error.
func (e *Error) Unwrap() error { return e.Err }

// Program is a compiled program. It is immutable and safe for concurrent use.
type Program struct {
	source string
	code   *gojq.Code
	slots  chan struct{}
}

// Compile parses and compiles. The program sees its input as ".", and $event;
// it has no access to the environment, to files, to modules or to further
// inputs. The error is an *Error.
func Compile(src string) (*Program, error) {
	query, err := gojq.Parse(src)
	if err != nil {
		at := -1
		if p := (*gojq.ParseError)(nil); errors.As(err, &p) {
			at = max(0, p.Offset-len(p.Token))
		}
		return nil, &Error{Offset: at, Err: err}
	}
	guard(query)
	code, err := gojq.Compile(query, append(guards(), gojq.WithVariables([]string{"$event"}))...)
	if err != nil {
		return nil, &Error{Offset: offset(src, err), Err: err}
	}
	return &Program{source: src, code: code, slots: make(chan struct{}, runtime.GOMAXPROCS(0))}, nil
}

// offset finds the name that gojq's compiler does not know.
func offset(src string, err error) int {
	_, name, ok := strings.Cut(err.Error(), "not defined: ")
	if !ok {
		return -1
	}
	name, _, _ = strings.Cut(name, "/")
	return strings.Index(src, name)
}

// Source is the text that was compiled.
func (p *Program) Source() string { return p.source }

// Run returns the first result. input is what Decode returns, or a string; ev
// is what Event returns, or nil. Neither is changed. The error is ErrTime,
// ErrSize, ErrNoResult, the context's, or what the program itself raised.
func (p *Program) Run(ctx context.Context, input any, ev map[string]any) (any, error) {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	m := &meter{Context: ctx, deadline: time.Now().Add(MaxTime)}
	v, ok := p.code.RunWithContext(m, input, variable(ev)).Next() //nolint:contextcheck // m wraps ctx
	if !ok {
		return nil, ErrNoResult
	}
	err, failed := v.(error)
	if !failed {
		return v, nil
	}
	if m.err != nil {
		return nil, m.err
	}
	return nil, describe(err)
}

// variable keeps a nil map from being a null of the wrong type.
func variable(ev map[string]any) any {
	if ev == nil {
		return map[string]any{}
	}
	return ev
}

// describe keeps gojq's message, which quotes at most a few bytes of a value.
func describe(err error) error {
	if errors.Is(err, ErrSize) {
		return err
	}
	if h := (*gojq.HaltError)(nil); errors.As(err, &h) {
		return errors.New("jq program called halt")
	}
	return fmt.Errorf("jq: %w", err)
}
