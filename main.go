// Hookd takes in webhooks, keeps them, and delivers them.
package main

import (
	"os"

	"github.com/hookd/hookd/cmd"
)

func main() {
	os.Exit(cmd.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
}
