package cmd

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/hookd/hookd/internal/diag"
)

// checkSettings looks at hookd.yaml and the variables.
func checkSettings(_ context.Context, p *patient) []finding {
	src := p.o.files.source()
	src.env, src.file = p.a.env, p.a.settingsFileName("")
	_, name, problems := loadSettings(src)
	out := problemFindings("settings", problems)
	if len(out) > 0 {
		return out
	}
	if name == "" {
		return []finding{ok("settings", "no hookd.yaml: defaults")}
	}
	return []finding{ok("settings", "%s", name)}
}

// checkFiles loads hooks and connections, with every variable they name, and
// compiles them.
func checkFiles(ctx context.Context, p *patient) []finding {
	if _, err := os.Stat(p.settings.Webhooks); errors.Is(err, fs.ErrNotExist) {
		return []finding{fail("files", "hookd init writes one; hookd serve --dev needs none", "there is no %s", p.settings.Webhooks)}
	}
	cfg, problems, sources, err := p.a.load(ctx, p.settings, false)
	if err != nil {
		return []finding{fail("files", "", "%v", err)}
	}
	if cfg != nil {
		more, err := p.a.examine(ctx, cfg, sources, p.settings)
		if err != nil {
			return []finding{fail("files", "", "%v", err)}
		}
		problems = append(problems, more...)
	}
	out := problemFindings("files", problems)
	if !problems.HasErrors() && cfg != nil {
		out = append([]finding{ok("files", "%s: %s, %s", strings.Join(sources.Files(), ", "),
			count(len(cfg.Hooks), "hook", "hooks"), count(len(cfg.Connections), "connection", "connections"))}, out...)
	}
	return out
}

// problemFindings are the problems of files as findings; notes are left out.
func problemFindings(check string, problems diag.List) []finding {
	var out []finding
	for _, p := range problems {
		text := p.Pos.String() + ": "
		if p.Path != "" {
			text += p.Path + ": "
		}
		text += p.Message
		switch p.Severity {
		case diag.Error:
			out = append(out, fail(check, p.Hint, "%s", text))
		case diag.Warning:
			out = append(out, warn(check, p.Hint, "%s", text))
		case diag.Note:
		}
	}
	return out
}
