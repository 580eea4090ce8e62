package cmd

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/hookd/hookd/configlint"
	"github.com/hookd/hookd/internal/config"
	"github.com/hookd/hookd/internal/diag"
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/server/plan"
)

type validateOptions struct {
	files  fileOptions
	format string
	strict bool
	print  bool
}

var formats = []string{"text", "json", "sarif", "github"}

func newValidateCmd(a *app, run func(context.Context, *validateOptions) error) *cobra.Command {
	o := &validateOptions{}
	if run == nil {
		run = func(ctx context.Context, o *validateOptions) error { return runValidate(ctx, a, o) }
	}
	c := &cobra.Command{
		Use: "validate-config", Short: "Check the files; report every mistake in one run",
		Long: `Check hookd.yaml, the hooks and the connections. Every mistake of every file is
reported with its place, and what was probably meant. Exit code 3 means that
hookd would not start; warnings alone are 0, with --strict 3 too.

With --no-env references without a default are not looked up, so that files can be
checked where the secrets are not.`,
		Example: "  hookd validate-config\n  hookd validate-config --no-env --strict --format github",
		Args:    args(cobra.NoArgs),
		RunE:    func(c *cobra.Command, _ []string) error { return run(c.Context(), o) },
	}
	o.files.bind(c)
	f := c.Flags()
	f.StringVar(&o.format, "format", "text", "text, json, sarif or github")
	f.BoolVar(&o.strict, "strict", false, "warnings are errors too")
	f.BoolVar(&o.print, "print", false, "print what the files say, with secrets hidden")
	_ = c.RegisterFlagCompletionFunc("format", completeFlag(func() []string { return formats }))
	return c
}

func runValidate(ctx context.Context, a *app, o *validateOptions) error {
	if err := oneOf("--format", o.format, formats); err != nil {
		return err
	}
	if o.print && o.format != "text" {
		return usagef("--print goes with --format text")
	}
	src := o.files.source()
	src.file, src.env, src.offline = a.settingsFileName(""), a.env, a.global.noEnv
	settings, name, problems := loadSettings(src)
	cfg, found, sources, err := a.load(ctx, settings, a.global.noEnv)
	if err != nil {
		return err
	}
	problems = append(problems, found...)
	if cfg != nil {
		more, err := a.examine(ctx, cfg, sources, settings)
		if err != nil {
			return err
		}
		problems = append(problems, more...)
	}
	if o.print && !problems.HasErrors() {
		return a.printConfig(settings, sources)
	}
	if err := a.writeProblems(o.format, problems, sources); err != nil {
		return err
	}
	if o.format == "text" {
		a.verdict(name, problems, cfg)
	}
	if problems.HasErrors() || o.strict && hasWarnings(problems) {
		return errConfig
	}
	return nil
}

// examine compiles the configuration, without opening anything, and lints it.
func (a *app) examine(ctx context.Context, cfg *config.Config, sources config.Sources, s *Settings) (diag.List, error) {
	r, err := newRegistries(io.Discard)
	if err != nil {
		return nil, err
	}
	var problems diag.List
	if a.global.noEnv { // what is unresolved cannot be compiled
		_, problems = s.EventLog.settings().Destination(cfg, r.modules)
	} else {
		_, problems = plan.Compile(ctx, cfg, plan.Deps{
			Modules: r.modules, Auth: r.auth, OriginalStatus: s.Compat.StatusCodes == "original", EventLog: s.EventLog.settings(),
		})
	}
	egress, err := s.guard(false)
	if err != nil {
		return nil, err
	}
	return append(problems, configlint.Check(cfg, sources, configlint.Options{
		CleanupDefault: s.Cleanup.Default, Egress: egress, Used: []string{s.EventLog.Connection},
	})...), nil
}

func (a *app) writeProblems(format string, problems diag.List, sources config.Sources) error {
	switch format {
	case "json":
		return diag.WriteJSON(a.io.Out, problems)
	case "sarif":
		return diag.WriteSARIF(a.io.Out, readSource([]config.Sources{sources}), problems, "hookd", readBuildInfo().Version)
	case "github":
		return diag.WriteGitHub(a.io.Out, problems)
	}
	return renderProblems(a.io.Out, problems, sources, a.io)
}

func renderProblems(w io.Writer, problems diag.List, sources config.Sources, s IO) error {
	all := []config.Sources{sources}
	return diag.Render(w, readSource(all), problems, diag.RenderOptions{Masks: masks(all), Columns: max(s.Width-8, 40), Color: s.Color})
}

// verdict is the last line: how many of what.
func (a *app) verdict(settings string, problems diag.List, cfg *config.Config) {
	errors, warnings := 0, 0
	for _, p := range problems {
		switch p.Severity {
		case diag.Error:
			errors++
		case diag.Warning:
			warnings++
		case diag.Note:
		}
	}
	text := ""
	if warnings > 0 {
		text = ", " + count(warnings, "warning", "warnings")
	}
	switch {
	case errors > 0 || cfg == nil:
		a.io.Errorf("hookd: %s%s\n", count(errors, "error", "errors"), text)
	default:
		with := ""
		if settings != "" {
			with = ", " + settings
		}
		a.io.Errorf("hookd: ok: %s, %s%s%s\n", count(len(cfg.Hooks), "hook", "hooks"), count(len(cfg.Connections), "connection", "connections"), with, text)
	}
}

func hasWarnings(problems diag.List) bool {
	for _, p := range problems {
		if p.Severity == diag.Warning {
			return true
		}
	}
	return false
}

// printConfig shows the settings in force and each file.
func (a *app) printConfig(s *Settings, sources config.Sources) error {
	a.io.Printf("// settings\n")
	if err := a.io.JSON(spec.Redacted(s)); err != nil {
		return err
	}
	for _, f := range sources.Files() {
		a.io.Printf("// %s\n%s", f, sources.Print(f))
	}
	return nil
}
