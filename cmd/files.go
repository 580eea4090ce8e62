package cmd

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/hookd/hookd/internal/config"
	"github.com/hookd/hookd/internal/diag"
)

// fileOptions say where hooks and connections are.
type fileOptions struct {
	webhooks, connections string

	cmd *cobra.Command
}

func (o *fileOptions) bind(c *cobra.Command) {
	o.cmd = c
	c.Flags().StringVar(&o.webhooks, "webhooks", "", "`file` or folder with the hooks (default webhooks.json)")
	c.Flags().StringVar(&o.connections, "connections", "", "`file` or folder with the connections (default connections.json)")
}

// source are the settings as the flags change them.
func (o *fileOptions) source() settingsSource {
	return settingsSource{
		flags: map[string]string{"webhooks": "webhooks", "connections": "connections"},
		set:   o.cmd.Flags(),
	}
}

// load reads hooks and connections.
func (a *app) load(ctx context.Context, s *Settings, offline bool) (*config.Config, diag.List, config.Sources, error) {
	r, err := newRegistries(io.Discard)
	if err != nil {
		return nil, nil, config.Sources{}, err
	}
	cfg, problems, sources := config.Load(ctx, config.Options{
		Webhooks: s.Webhooks, Connections: s.Connections, Catalog: r.catalog(), Lookup: a.env.Lookup, Offline: offline,
	})
	return cfg, problems, sources, nil
}

// loadDescribed reads hooks and connections for a description of them. No
// secret is in it, so that none needs to be there: a variable that is not set
// is taken for some text, and only where that does not do is nothing looked up.
func (a *app) loadDescribed(ctx context.Context, s *Settings) (*config.Config, diag.List, config.Sources, error) {
	cfg, problems, sources, err := a.load(ctx, s, false)
	if cfg != nil || err != nil {
		return cfg, problems, sources, err
	}
	unset := make(map[string]bool)
	for _, p := range problems {
		if p.Code == "unset_reference" {
			unset[referenceAt(sources.Bytes(p.Pos.File), p)] = true
		}
	}
	stand := *a
	stand.env = maps.Clone(a.env)
	for name := range unset {
		stand.env[name] = "not-set-0123456789abcdef0123456789abcdef"
	}
	if cfg, problems, sources, err := stand.load(ctx, s, false); cfg != nil || err != nil {
		return cfg, problems, sources, err
	}
	return a.load(ctx, s, true)
}

// referenceAt is the name of the variable of a {$NAME} at the place of a
// problem.
func referenceAt(text []byte, p diag.Problem) string {
	for range p.Pos.Line - 1 {
		_, text, _ = bytes.Cut(text, []byte("\n"))
	}
	if p.Pos.Col < 1 || p.Pos.Col-1+p.Width > len(text) {
		return ""
	}
	name := text[p.Pos.Col-1:][:p.Width]
	name = bytes.TrimSuffix(bytes.TrimPrefix(name, []byte("{$")), []byte("}"))
	return string(name)
}

// configured are the ids of the configured hooks and their lanes, for
// completion: no word about problems.
func (a *app) configured(ctx context.Context, src settingsSource) (hooks, lanes []string) {
	quiet := *a
	quiet.io.Err = discard{}
	if quiet.loadDotEnv() != nil {
		return nil, nil
	}
	s, _, err := quiet.settings(src)
	if err != nil {
		return nil, nil
	}
	cfg, _, _, err := quiet.load(ctx, s, true)
	if err != nil || cfg == nil {
		return nil, nil
	}
	for _, h := range cfg.Hooks {
		hooks = append(hooks, h.ID)
		for _, d := range h.Destinations {
			lanes = append(lanes, config.LaneName(h.ID, d.Name))
		}
	}
	return hooks, lanes
}

// completeHooks and completeLanes propose what is configured, any number of
// times.
func (a *app) completeHooks(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	hooks, _ := a.configured(c.Context(), settingsSource{})
	return hooks, cobra.ShellCompDirectiveNoFileComp
}

func (a *app) completeLanes(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	_, lanes := a.configured(c.Context(), settingsSource{})
	return lanes, cobra.ShellCompDirectiveNoFileComp
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

// near resolves a path: what is written in the settings file is relative to
// that file; a default is looked for beside it when it is not in the working
// directory.
func near(path, settingsFile string, written bool) string {
	if settingsFile == "" || filepath.IsAbs(path) || path == "" {
		return path
	}
	beside := filepath.Join(filepath.Dir(settingsFile), path)
	if written {
		return beside
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(beside); err == nil {
			return beside
		}
	}
	return path
}
