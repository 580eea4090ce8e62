//go:build !unix

package cmd

import "os"

// hangup asks a daemon to read its files again; here there is none.
var hangup os.Signal

// brokenPipe ends a program elsewhere; here there is none.
var brokenPipe os.Signal
