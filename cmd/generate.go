package cmd

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hookd/hookd/auth/presets"
	"github.com/hookd/hookd/internal/spec"
)

// newGenerateCmd writes what is derived from the registries and checked in:
// `make generate`.
func newGenerateCmd(a *app) *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use: "generate", Short: "Write completions and reference pages", Hidden: true,
		Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return runGenerate(a, c.Root(), dir) },
	}
	c.Flags().StringVar(&dir, "dir", ".", "root of the repository")
	return c
}

// runGenerate writes every file and removes pages of what is no longer there.
func runGenerate(a *app, root *cobra.Command, dir string) error {
	files, err := generated(root)
	if err != nil {
		return err
	}
	keep := make(map[string]bool)
	for _, f := range files {
		name := filepath.Join(dir, f.name)
		keep[name] = true
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil { //nolint:gosec // documentation
			return err
		}
		if err := os.WriteFile(name, f.text, 0o644); err != nil { //nolint:gosec // documentation
			return err
		}
	}
	for _, folder := range []string{"docs/modules", "docs/auth", "docs/providers", "completions"} {
		old, err := filepath.Glob(filepath.Join(dir, folder, "*"))
		if err != nil {
			return err
		}
		for _, name := range old {
			if !keep[name] {
				if err := os.Remove(name); err != nil {
					return err
				}
				a.io.Errorf("removed %s\n", name)
			}
		}
	}
	a.io.Printf("%s\n", count(len(files), "file", "files"))
	return nil
}

type generatedFile struct {
	name string
	text []byte
}

func generated(root *cobra.Command) ([]generatedFile, error) {
	r, err := newRegistries(io.Discard)
	if err != nil {
		return nil, err
	}
	var files []generatedFile
	add := func(name, text string) { files = append(files, generatedFile{name, []byte(text)}) }
	index := newIndex("Destinations", "What `module` in a hook or a step of a chain may be.")
	for m := range r.modules.All() {
		add("docs/modules/"+m.Name()+".md", modulePage(m))
		index.add(m.Name(), m.Summary())
	}
	add("docs/modules/README.md", index.String())
	index = newIndex("Proofs", "What a hook may ask of a request. All proofs of a hook must hold.")
	for m := range r.auth.All() {
		add("docs/auth/"+m.Name()+".md", authPage(m))
		index.add(m.Name(), m.Summary())
	}
	add("docs/auth/README.md", index.String())
	index = newIndex("Senders", "What `provider` in a hook may be: how the sender signs, names and repeats its events.")
	for _, p := range presets.All() {
		add("docs/providers/"+p.Name+".md", providerPage(p))
		index.add(p.Name, p.Summary)
	}
	add("docs/providers/README.md", index.String())
	add("docs/settings.md", settingsPage())
	for _, s := range shells {
		var b bytes.Buffer
		if err := writeCompletion(root, s.name, &b); err != nil {
			return nil, fmt.Errorf("completion for %s: %w", s.name, err)
		}
		files = append(files, generatedFile{"completions/" + s.file, b.Bytes()})
	}
	return files, nil
}

type pageIndex struct{ strings.Builder }

func newIndex(title, text string) *pageIndex {
	i := &pageIndex{}
	fmt.Fprintf(i, "# %s\n\n%s\n\n| name | |\n|---|---|\n", title, text)
	return i
}

func (i *pageIndex) add(name, summary string) {
	fmt.Fprintf(i, "| [%s](%s.md) | %s |\n", name, name, strings.ReplaceAll(summary, "|", `\|`))
}

// settingsPage is the reference of hookd.yaml, with the variables of the
// original service.
func settingsPage() string {
	var b strings.Builder
	b.WriteString("# Settings\n\n`hookd.yaml` (or .toml, .json) in the working directory, or the file that `--config` names. Every key has a variable: " +
		"`queue.max_disk` is `HOOKD_QUEUE_MAX_DISK`. Flags win over `HOOKD_` variables, those over the variables of the original service, those over the file. " +
		"Lists in variables are separated by commas. `{$NAME}` and `{$file:/path}` work in values. Relative paths are relative to the file that they are written in.\n\n")
	b.WriteString(spec.Markdown(&Settings{}))
	b.WriteString("\n## Variables of the original service\n\n| variable | setting |\n|---|---|\n")
	for _, v := range originalVariables {
		fmt.Fprintf(&b, "| `%s` | `%s` |\n", v.name, v.key)
	}
	b.WriteString("| `HOST`, `PORT` | `listen` |\n")
	return b.String()
}
