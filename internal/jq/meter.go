package jq

import (
	"context"
	"time"
)

// checkEvery is how many instructions pass between two looks at the clock.
const checkEvery = 1024

var closed = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// meter is the context that gojq asks before each instruction, which makes it
// the place to count them: a run costs no timer and no goroutine, and its bound
// is the same on every machine.
type meter struct {
	context.Context
	deadline time.Time
	steps    int
	err      error
}

// Done is called once for each instruction, from one goroutine.
func (m *meter) Done() <-chan struct{} {
	m.steps++
	if m.steps%checkEvery != 0 && m.err == nil {
		return nil // never ready in gojq's select
	}
	if m.err == nil {
		m.err = m.look()
	}
	if m.err != nil {
		return closed
	}
	return nil
}

func (m *meter) look() error {
	if m.steps > MaxSteps || time.Now().After(m.deadline) {
		return ErrTime
	}
	if m.Context.Err() != nil {
		return context.Cause(m.Context)
	}
	return nil
}

// Err is why the run was ended.
func (m *meter) Err() error {
	if m.err != nil {
		return m.err
	}
	return m.Context.Err()
}
