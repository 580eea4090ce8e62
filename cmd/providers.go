package cmd

import (
	"github.com/spf13/cobra"

	"github.com/hookd/hookd/auth/presets"
	"github.com/hookd/hookd/testdata/payloads"
)

func newProvidersCmd(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "providers [NAME]", Short: "List the senders that hookd knows, or describe one",
		Example:           "  hookd providers\n  hookd providers stripe",
		Args:              args(cobra.MaximumNArgs(1)),
		ValidArgsFunction: complete(providerNames),
		RunE:              func(_ *cobra.Command, args []string) error { return runProviders(a, first(args), asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func runProviders(a *app, name string, asJSON bool) error {
	if name != "" {
		p, ok := presets.Lookup(name)
		if !ok {
			return usagef("there is no provider %q%s", name, hint(name, providerNames()))
		}
		if asJSON {
			return a.io.JSON(providerInfo(p))
		}
		a.io.Printf("%s", providerPage(p))
		return nil
	}
	infos := []any{}
	t := tableOf{head: []string{"NAME", "TITLE", "SUMMARY"}}
	for _, p := range presets.All() {
		infos = append(infos, providerInfo(p))
		t.add(p.Name, p.Title, p.Summary)
	}
	if asJSON {
		return a.io.JSON(infos)
	}
	a.io.table(t)
	return nil
}

func providerInfo(p *presets.Preset) any {
	facts := make(map[string]string)
	for _, f := range p.Facts() {
		facts[f.Label] = f.Text
	}
	return struct {
		Name    string            `json:"name"`
		Title   string            `json:"title"`
		Summary string            `json:"summary"`
		Facts   map[string]string `json:"facts"`
		Events  []string          `json:"sample_events,omitempty"`
	}{p.Name, p.Title, p.Summary, facts, payloads.Events(p.Name)}
}

func providerNames() []string {
	var names []string
	for _, p := range presets.All() {
		names = append(names, p.Name)
	}
	return names
}
