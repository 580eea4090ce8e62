//go:build unix

package cmd

import (
	"os"
	"syscall"
)

// hangup asks a daemon to read its files again.
var hangup os.Signal = syscall.SIGHUP

// brokenPipe ends a program that writes to a pipe which nobody reads.
var brokenPipe os.Signal = syscall.SIGPIPE
