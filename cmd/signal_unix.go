//go:build unix

package cmd

import (
	"os"
	"syscall"
)

// hangup asks a daemon to read its files again.
var hangup os.Signal = syscall.SIGHUP
