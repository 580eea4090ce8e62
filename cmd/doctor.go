package cmd

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

type doctorOptions struct {
	files   fileOptions
	only    string
	timeout time.Duration
	json    bool
}

func newDoctorCmd(a *app, run func(context.Context, *doctorOptions) error) *cobra.Command {
	o := &doctorOptions{}
	if run == nil {
		run = func(ctx context.Context, o *doctorOptions) error { return runDoctor(ctx, a, o) }
	}
	c := &cobra.Command{
		Use: "doctor", Short: "Check files, variables, disk, ports, clock and destinations",
		Long: `Check whether hookd can run here: its files and variables, the data directory and how
fast its disk is, the ports, the clock, and whether the destinations can be reached.
Nothing is sent to a destination: each is opened (resolve, egress policy, dial, TLS,
authentication) and asked for its rights, with the time of every step. Exit code 4 means that a check failed.`,
		Example: "  hookd doctor\n  hookd doctor --only data --json",
		Args:    args(cobra.NoArgs),
		RunE:    func(c *cobra.Command, _ []string) error { return run(c.Context(), o) },
	}
	o.files.bind(c)
	c.Flags().StringVar(&o.only, "only", "", "only this `check`: "+strings.Join(checkNames(), ", "))
	c.Flags().DurationVar(&o.timeout, "timeout", 10*time.Second, "for each check of a destination")
	c.Flags().BoolVar(&o.json, "json", false, "print JSON")
	_ = c.RegisterFlagCompletionFunc("only", completeFlag(checkNames))
	return c
}

// finding is the outcome of one check.
type finding struct {
	Check  string `json:"check"`
	Status string `json:"status"` // ok, warn, fail
	Detail string `json:"detail"`
	Fix    string `json:"fix,omitempty"`
	// Of a destination: the way to it, and the lanes that go there.
	Steps  []step   `json:"steps,omitempty"`
	UsedBy []string `json:"used_by,omitempty"`
}

func ok(check, format string, args ...any) finding {
	return finding{Check: check, Status: "ok", Detail: fmt.Sprintf(format, args...)}
}

func warn(check, fix, format string, args ...any) finding {
	return finding{Check: check, Status: "warn", Detail: fmt.Sprintf(format, args...), Fix: fix}
}

func fail(check, fix, format string, args ...any) finding {
	return finding{Check: check, Status: "fail", Detail: fmt.Sprintf(format, args...), Fix: fix}
}

// patient is what the checks look at.
type patient struct {
	a        *app
	o        *doctorOptions
	settings *Settings
	file     string
}

// checks lists the checks in their order.
func checks() []struct {
	name string
	run  func(context.Context, *patient) []finding
} {
	return []struct {
		name string
		run  func(context.Context, *patient) []finding
	}{
		{"settings", checkSettings},
		{"files", checkFiles},
		{"data", checkData},
		{"ports", checkPorts},
		{"clock", checkClock},
		{"destinations", checkDestinations},
	}
}

func checkNames() []string {
	var names []string
	for _, c := range checks() {
		names = append(names, c.name)
	}
	return names
}

func runDoctor(ctx context.Context, a *app, o *doctorOptions) error {
	if err := oneOf("--only", o.only, checkNames()); err != nil {
		return err
	}
	if o.timeout <= 0 {
		return usagef("--timeout must be more than 0")
	}
	src := o.files.source()
	src.env, src.file = a.env, a.settingsFileName("")
	p := &patient{a: a, o: o}
	p.settings, p.file, _ = loadSettings(src) // checkSettings tells its problems
	findings := []finding{}
	for _, c := range checks() {
		if o.only != "" && o.only != c.name {
			continue
		}
		if a.io.ErrTTY {
			a.io.Errorf("\r\x1b[K%s…", c.name)
		}
		findings = append(findings, c.run(ctx, p)...)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if a.io.ErrTTY {
		a.io.Errorf("\r\x1b[K")
	}
	if o.json {
		if err := a.io.JSON(findings); err != nil {
			return err
		}
	} else {
		a.io.table(findingTable(a, findings))
	}
	for _, f := range findings {
		if f.Status == "fail" {
			return errCheck
		}
	}
	return nil
}

func findingTable(a *app, findings []finding) tableOf {
	t := tableOf{head: []string{"STATUS", "CHECK", "FOUND"}}
	p := a.io.style()
	for _, f := range findings {
		text := f.Detail
		if f.Fix != "" {
			text += " → " + f.Fix
		}
		t.add(f.Status, f.Check, text)
	}
	t.color = func(row, col int) style {
		if col != 0 || row < 0 || row >= len(findings) {
			return p.renderer.NewStyle()
		}
		return map[string]style{"ok": p.good, "warn": p.warn, "fail": p.bad}[findings[row].Status]
	}
	return t
}
