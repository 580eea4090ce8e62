package cmd

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/modules"
)

func newModulesCmd(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "modules [NAME]", Short: "List the destinations, or describe one",
		Example:           "  hookd modules\n  hookd modules http_webhook",
		Args:              args(cobra.MaximumNArgs(1)),
		ValidArgsFunction: complete(func() []string { return moduleNames() }),
		RunE:              func(_ *cobra.Command, args []string) error { return runModules(a, first(args), asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func runModules(a *app, name string, asJSON bool) error {
	r, err := newRegistries(io.Discard)
	if err != nil {
		return err
	}
	if name != "" {
		m, ok := r.modules.Lookup(name)
		if !ok {
			return usagef("there is no module %q%s", name, hint(name, moduleNames()))
		}
		if asJSON {
			return a.io.JSON(moduleInfo(m))
		}
		a.io.Printf("%s", modulePage(m))
		return nil
	}
	var infos []any
	t := tableOf{head: []string{"NAME", "REPEATS", "CONNECTION", "SUMMARY"}}
	for m := range r.modules.All() {
		infos = append(infos, moduleInfo(m))
		t.add(m.Name(), m.Guarantee().String(), orDash(strings.Join(m.ConnectionTypes(), ", ")), m.Summary())
	}
	if asJSON {
		return a.io.JSON(infos)
	}
	a.io.table(t)
	return nil
}

func moduleInfo(m modules.Module) any {
	return struct {
		Name        string   `json:"name"`
		Aliases     []string `json:"aliases,omitempty"`
		Title       string   `json:"title"`
		Summary     string   `json:"summary"`
		Guarantee   string   `json:"guarantee"`
		Connections []string `json:"connection_types,omitempty"`
	}{m.Name(), m.Aliases(), m.Title(), m.Summary(), m.Guarantee().String(), m.ConnectionTypes()}
}

func moduleNames() []string {
	var names []string
	if r, err := newRegistries(io.Discard); err == nil {
		for m := range r.modules.All() {
			names = append(names, m.Name())
		}
	}
	return names
}

func newAuthCmd(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "auth [NAME]", Short: "List the proofs of a sender, or describe one",
		Example:           "  hookd auth\n  hookd auth hmac",
		Args:              args(cobra.MaximumNArgs(1)),
		ValidArgsFunction: complete(func() []string { return authNames() }),
		RunE:              func(_ *cobra.Command, args []string) error { return runAuth(a, first(args), asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func runAuth(a *app, name string, asJSON bool) error {
	r, err := newRegistries(io.Discard)
	if err != nil {
		return err
	}
	if name != "" {
		m, ok := r.auth.Lookup(name)
		if !ok {
			return usagef("there is no method %q%s", name, hint(name, authNames()))
		}
		if asJSON {
			return a.io.JSON(authInfo(m))
		}
		a.io.Printf("%s", authPage(m))
		return nil
	}
	var infos []any
	t := tableOf{head: []string{"NAME", "SUMMARY"}}
	for m := range r.auth.All() {
		infos = append(infos, authInfo(m))
		t.add(m.Name(), m.Summary())
	}
	if asJSON {
		return a.io.JSON(infos)
	}
	a.io.table(t)
	return nil
}

func authInfo(m auth.Method) any {
	return struct {
		Name    string `json:"name"`
		Title   string `json:"title"`
		Summary string `json:"summary"`
	}{m.Name(), m.Title(), m.Summary()}
}

func authNames() []string {
	var names []string
	if r, err := newRegistries(io.Discard); err == nil {
		for m := range r.auth.All() {
			names = append(names, m.Name())
		}
	}
	return names
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// complete offers names for the first argument in a shell.
func complete(names func() []string) cobra.CompletionFunc {
	flag := completeFlag(names)
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return flag(nil, nil, "")
	}
}

// completeFlag proposes values of a flag, whatever arguments are there already.
func completeFlag(names func() []string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return names(), cobra.ShellCompDirectiveNoFileComp
	}
}
