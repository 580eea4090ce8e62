package cmd

import (
	"cmp"
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
	_ = c.RegisterFlagCompletionFunc("provider", completeFlag(providerNames))
	_ = c.RegisterFlagCompletionFunc("module", completeFlag(func() []string { return initModules }))
	return c
}

func runInit(a *app, o *initOptions) error {
	p, ok := presets.Lookup(o.provider)
	if !ok {
		return usagef("there is no provider %q%s", o.provider, hint(o.provider, providerNames()))
	}
	if !slices.Contains(initModules, o.module) {
		return usagef("--module %q is not one of %s; add others to the files by hand (hookd modules)", o.module, strings.Join(initModules, ", "))
	}
	files, err := initFiles(o, p)
	if err != nil {
		return err
	}
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

func initFiles(o *initOptions, p *presets.Preset) ([]initFile, error) {
	secret, err := p.FreshSecret()
	if err != nil {
		return nil, err
	}
	if p.Unsigned { // the key of the proof beside the sender
		secret = newKey()
	}
	example, env := "# Copy to .env.\n", ""
	if secret != "" {
		example += fmt.Sprintf("# The secret is the one that %s knows.\n%s=\n", p.Title, secretVariable(p))
		env = fmt.Sprintf("%s=%s\n", secretVariable(p), secret)
	}
	for _, q := range p.Params {
		if q.Required {
			example += fmt.Sprintf("# %s: %s.\n%s=\n", q.Name, q.Doc, paramVariable(p, q))
			env += paramVariable(p, q) + "=" + cmp.Or(q.Example, "example") + "\n"
		}
	}
	return []initFile{
		{"hookd.yaml", `# Settings of the daemon: hookd serve --help lists them all.
listen: 127.0.0.1:8000
admin_listen: 127.0.0.1:8001
data_dir: hookd-data
`},
		{"webhooks.json", providerHook(p, initDestination(o.module))},
		{"connections.json", "{}\n"},
		{".env.example", example},
		{".env", env},
	}, nil
}

func newKey() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return hex.EncodeToString(b[:])
}

func initDestination(module string) string {
	switch module {
	case "save_to_disk":
		return `"module": "save_to_disk",
    "module-config": { "path": "events" }`
	case "http_webhook":
		return `"module": "http_webhook",
    "module-config": {
      "url": "http://127.0.0.1:9000/",
      "allowed_hosts": ["127.0.0.1"]
    }`
	}
	return `"module": "log",
    "module-config": { "pretty_print": true }`
}
