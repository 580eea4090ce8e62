//go:build !unix

package cmd

import "os"

// hangup asks a daemon to read its files again; here there is none.
var hangup os.Signal
