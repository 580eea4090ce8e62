package cmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// The exit codes of the process.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitConfig      = 3
	exitCheck       = 4
	exitRefused     = 5
	exitInterrupted = 130
)

// Errors whose story has been told already: they only carry an exit code.
var (
	errConfig  = errors.New("the configuration has errors")
	errCheck   = errors.New("a check failed")
	errRefused = errors.New("refused by the receiver")
)

// usageError is a mistake in the command line.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

// report tells the error and returns the exit code: the only place that knows
// which is which.
func (a *app) report(ctx context.Context, ran *cobra.Command, err error) int {
	var usage *usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errConfig):
		return exitConfig
	case errors.Is(err, errCheck):
		return exitCheck
	case errors.Is(err, errRefused):
		return exitRefused
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return exitInterrupted
	case errors.As(err, &usage):
		a.io.Errorf("hookd: %s\nRun '%s --help' for usage.\n", err, ran.CommandPath())
		return exitUsage
	}
	a.io.Errorf("hookd: %s\n", err)
	return exitFailure
}
