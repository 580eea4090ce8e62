// Package cmd is the command line of hookd: one file per command. A command is
// an options struct, a constructor that binds flags to it, and a function that
// runs it; the function knows nothing of cobra.
package cmd

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Main runs the command line and returns the exit code of the process: 0 ok,
// 1 failure, 2 usage, 3 configuration has errors, 4 a check failed, 5 refused
// by the receiver, 130 interrupted. Nothing but its arguments is read from the
// process; environ has the form of os.Environ.
//
// The first SIGINT or SIGTERM ends the command in an orderly way, the second at
// once.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer, environ []string) int {
	env := environment(environ)
	a := &app{io: systemIO(stdin, stdout, stderr, env), env: env, now: time.Now}
	return a.main(args)
}

// app is what every command gets.
type app struct {
	io  IO
	env Env // of the process, with .env below it once a command runs
	now func() time.Time

	global globalOptions
}

func (a *app) main(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// From the first signal on the second one has its usual effect.
	defer context.AfterFunc(ctx, stop)()

	root := newRootCmd(a)
	root.SetArgs(args)
	ran, err := root.ExecuteContextC(ctx)
	if err == nil {
		err = a.io.lost.error()
	}
	return a.report(ctx, ran, err)
}
