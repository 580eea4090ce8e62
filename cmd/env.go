package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"strings"
)

// Env is an environment as a value.
type Env map[string]string

// Lookup finds a variable.
func (e Env) Lookup(name string) (string, bool) {
	v, ok := e[name]
	return v, ok
}

// environment reads what os.Environ returns.
func environment(environ []string) Env {
	env := make(Env, len(environ))
	for _, kv := range environ {
		if k, v, ok := strings.Cut(kv, "="); ok && k != "" {
			env[k] = v
		}
	}
	return env
}

// loadDotEnv puts the variables of a file below those of the process, which
// win. Without a name it is .env of the working directory, which need not be
// there.
func (a *app) loadDotEnv() error {
	if a.global.noEnv && a.global.envFile != "" {
		return usagef("--env-file and --no-env exclude each other")
	}
	if a.global.noEnv {
		return nil
	}
	name := a.global.envFile
	if name == "" {
		name = ".env"
	}
	b, err := os.ReadFile(name) //nolint:gosec // the operator names the file
	if errors.Is(err, fs.ErrNotExist) && a.global.envFile == "" {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the environment file: %w", err)
	}
	vars, err := parseDotEnv(string(b), a.env)
	if err != nil {
		return fmt.Errorf("%s:%w", name, err)
	}
	env := maps.Clone(Env(vars))
	maps.Copy(env, a.env)
	a.env = env
	return nil
}
