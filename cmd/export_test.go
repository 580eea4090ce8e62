package cmd

import (
	"io"
	"time"
)

// MainAt is Main with another clock.
func MainAt(now func() time.Time, args []string, stdin io.Reader, stdout, stderr io.Writer, environ []string) int {
	env := environment(environ)
	a := &app{io: systemIO(stdin, stdout, stderr, env), env: env, now: now}
	return a.main(args)
}

// ParseDotEnv is for tests.
func ParseDotEnv(text string, process map[string]string) (map[string]string, error) {
	return parseDotEnv(text, process)
}
