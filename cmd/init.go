package cmd

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hookd/hookd/auth/presets"
)

type initOptions struct {
	dir      string
	provider string
	module   string
}

// initModules are those that work without a server of their own.
var initModules = []string{"log", "save_to_disk", "http_webhook"}

func newInitCmd(a *app, run func(context.Context, *initOptions) error) *cobra.Command {
	o := &initOptions{}
	if run == nil {
		run = func(_ context.Context, o *initOptions) error { return runInit(a, o) }
	}
	c := &cobra.Command{
		Use: "init [DIR]", Short: "Write a first configuration that works",
		Long: `Write hookd.yaml, webhooks.json, connections.json and .env.example into DIR (default:
here), and .env with a new secret. Files that are there are never overwritten.`,
		Example: "  hookd init --provider stripe --module http_webhook",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if o.dir = first(args); o.dir == "" {
				o.dir = "."
			}
			return run(c.Context(), o)
		},
	}
	c.Flags().StringVar(&o.provider, "provider", "github", "the `sender` (hookd providers)")
	c.Flags().StringVar(&o.module, "module", "log", "where events go: "+strings.Join(initModules, ", "))
	_ = c.RegisterFlagCompletionFunc("provider", complete(providerNames))
	_ = c.RegisterFlagCompletionFunc("module", complete(func() []string { return initModules }))
	return c
}

func runInit(a *app, o *initOptions) error {
	if _, ok := presets.Lookup(o.provider); !ok {
		return usagef("there is no provider %q%s", o.provider, hint(o.provider, providerNames()))
	}
	if !slices.Contains(initModules, o.module) {
		return usagef("--module %q is not one of %s; add others to the files by hand (hookd modules)", o.module, strings.Join(initModules, ", "))
	}
	files := initFiles(o)
	if err := os.MkdirAll(o.dir, 0o750); err != nil {
		return err
	}
	for _, f := range files {
		name := filepath.Join(o.dir, f.name)
		if _, err := os.Lstat(name); err == nil {
			return fmt.Errorf("%s is there already: nothing was written", name)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	for _, f := range files {
		if err := writeNew(filepath.Join(o.dir, f.name), f.text); err != nil {
			return err
		}
		a.io.Printf("%s\n", filepath.Join(o.dir, f.name))
	}
	cd := ""
	if o.dir != "." {
		cd = "cd " + shellQuote(o.dir) + " && "
	}
	a.io.Errorf("\nnext: %shookd serve\nthen: %shookd test-send %s\n", cd, cd, o.provider)
	return nil
}

// writeNew creates a file and never follows or replaces what is there.
func writeNew(name, text string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the operator names the folder
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

type initFile struct{ name, text string }

func initFiles(o *initOptions) []initFile {
	variable := strings.ToUpper(strings.ReplaceAll(o.provider, "-", "_")) + "_SECRET"
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return []initFile{
		{"hookd.yaml", `# Settings of the daemon: hookd serve --help lists them all.
listen: 127.0.0.1:8000
admin_listen: 127.0.0.1:8001
data_dir: hookd-data
`},
		{"webhooks.json", fmt.Sprintf(`{
  %q: {
    "provider": %q,
    "secret": "{$%s}",
%s
  }
}
`, o.provider, o.provider, variable, initDestination(o.module))},
		{"connections.json", "{}\n"},
		{".env.example", fmt.Sprintf("# Copy to .env. The secret is the one that you tell %s.\n%s=\n", o.provider, variable)},
		{".env", fmt.Sprintf("%s=%s\n", variable, hex.EncodeToString(b[:]))},
	}
}

func initDestination(module string) string {
	switch module {
	case "save_to_disk":
		return `    "module": "save_to_disk",
    "module-config": { "path": "events" }`
	case "http_webhook":
		return `    "module": "http_webhook",
    "module-config": {
      "url": "http://127.0.0.1:9000/",
      "allowed_hosts": ["127.0.0.1"]
    }`
	}
	return `    "module": "log",
    "module-config": { "pretty_print": true }`
}
