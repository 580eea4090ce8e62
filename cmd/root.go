package cmd

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hookd/hookd/internal/diag"
)

// globalOptions hold for every command.
type globalOptions struct {
	config  string
	envFile string
	noEnv   bool
}

func newRootCmd(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "hookd",
		Short: "A webhook gateway: takes in, keeps, delivers",
		Long: `hookd takes in webhooks, proves who sent them, puts them on stable storage before
it says yes, and delivers each to where it belongs.`,
		Example: `  hookd init                        write a first configuration
  hookd serve                       run it
  hookd test-send github            send it a signed sample event`,
		Args:              noSuchCommand,
		RunE:              func(c *cobra.Command, _ []string) error { return c.Help() },
		PersistentPreRunE: func(*cobra.Command, []string) error { return a.loadDotEnv() },
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	c.SetIn(a.io.In)
	c.SetOut(a.io.Out)
	c.SetErr(a.io.Err)
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return &usageError{withFlagHint(c, err)}
	})
	c.SetHelpFunc(func(c *cobra.Command, _ []string) { a.help(c) })
	f := c.PersistentFlags()
	f.SortFlags = false
	f.StringVar(&a.global.config, "config", "", "`file` with the settings of the daemon (default hookd.yaml, if it is there)")
	f.StringVar(&a.global.envFile, "env-file", "", "`file` with variables instead of .env")
	f.BoolVar(&a.global.noEnv, "no-env", false, "do not read .env")

	c.AddGroup(
		&cobra.Group{ID: "run", Title: "Run:"},
		&cobra.Group{ID: "look", Title: "Look and repair (asks the running hookd):"},
		&cobra.Group{ID: "learn", Title: "Learn:"},
	)
	for _, sub := range []struct {
		group string
		cmd   *cobra.Command
	}{
		{"run", newServeCmd(a, nil)},
		{"run", newValidateCmd(a, nil)},
		{"run", newTestSendCmd(a, nil)},
		{"run", newDoctorCmd(a, nil)},
		{"run", newInitCmd(a, nil)},
		{"look", newStatsCmd(a, nil)},
		{"look", newEventsCmd(a)},
		{"look", newDeadCmd(a)},
		{"look", newQuarantineCmd(a)},
		{"look", newExplainCmd(a, nil)},
		{"look", newLanesCmd(a)},
		{"learn", newModulesCmd(a)},
		{"learn", newAuthCmd(a)},
		{"learn", newProvidersCmd(a)},
		{"learn", newRulesCmd(a)},
		{"learn", newSchemaCmd(a)},
		{"learn", newOpenAPICmd(a, nil)},
		{"learn", newCompletionCmd(a)},
		{"learn", newVersionCmd(a)},
	} {
		sub.cmd.GroupID = sub.group
		c.AddCommand(sub.cmd)
	}
	c.AddCommand(newGenerateCmd(a))
	c.SetHelpCommandGroupID("learn")
	return c
}

// group makes a command that only has commands below it.
func group(use, short string, subs ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use: use, Short: short, Args: noSuchCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(subs...)
	return c
}

func noSuchCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var known []string
	for _, sub := range c.Commands() {
		if !sub.Hidden {
			known = append(known, sub.Name())
		}
	}
	return usagef("%s has no command %q%s", c.CommandPath(), args[0], hint(args[0], known))
}

// args turns a mistake in the number of arguments into one of usage, and says
// what is wanted.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if check(c, args) == nil {
			return nil
		}
		_, wanted, takes := strings.Cut(c.Use, " ")
		switch {
		case !takes:
			return usagef("%s takes no argument such as %q", c.CommandPath(), args[0])
		case len(args) == 0:
			return usagef("%s needs %s", c.CommandPath(), wanted)
		}
		return usagef("%s takes %s, not %d arguments", c.CommandPath(), wanted, len(args))
	}
}

// withFlagHint adds the flag that was probably meant.
func withFlagHint(c *cobra.Command, err error) error {
	_, name, ok := strings.Cut(err.Error(), "unknown flag: --")
	if !ok {
		return err
	}
	var known []string
	c.Flags().VisitAll(func(f *flag) { known = append(known, f.Name) })
	c.InheritedFlags().VisitAll(func(f *flag) { known = append(known, f.Name) })
	return fmt.Errorf("%w%s", err, strings.Replace(hint(name, known), `"`, `"--`, 1))
}

// oneOfHint is hint, or else all there are.
func oneOfHint(word string, known []string) string {
	return cmp.Or(hint(word, known), "; there are "+strings.Join(known, ", "))
}

// hint is "; did you mean x?", or nothing.
func hint(word string, known []string) string {
	if s := diag.Suggest(word, known); s != "" {
		return "; " + s
	}
	return ""
}
