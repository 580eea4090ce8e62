package cmd

import (
	"encoding/json"

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
	t := tableOf{head: []string{"NAME", "TITLE", "COVERS", "SUMMARY"}}
	for _, p := range presets.All() {
		infos = append(infos, providerInfo(p))
		t.add(p.Name, p.Title, covers(p), p.Summary)
	}
	if asJSON {
		return a.io.JSON(infos)
	}
	a.io.table(t)
	return nil
}

// covers says in a word how much of the body the sender's proof covers.
func covers(p *presets.Preset) string {
	switch {
	case p.Unsigned:
		return "unsigned"
	case p.Covers == presets.CoversPart:
		return "part"
	case p.Covers == presets.CoversNone:
		return "nothing"
	}
	return "body"
}

// param is a setting of a sender as --json has it.
type param struct {
	Name     string `json:"name"`
	Doc      string `json:"doc"`
	Required bool   `json:"required"`
}

func providerInfo(p *presets.Preset) any {
	params := []param{}
	for _, q := range p.Params {
		params = append(params, param(q))
	}
	headers := make(map[string]string)
	for _, h := range p.Headers {
		headers[h.Name] = h.Value
	}
	return struct {
		Name     string            `json:"name"`
		Title    string            `json:"title"`
		Summary  string            `json:"summary"`
		Doc      string            `json:"doc"`
		Source   string            `json:"source"`
		Covers   string            `json:"covers"`
		Warning  string            `json:"warning,omitempty"`
		Facts    []presets.Fact    `json:"facts"`
		IDs      []string          `json:"delivery_id"`
		IDProved bool              `json:"delivery_id_covered"`
		Types    []string          `json:"event_type"`
		Window   float64           `json:"remembered_seconds"`
		Deadline float64           `json:"deadline_seconds,omitempty"`
		Retry    string            `json:"retry,omitempty"`
		URL      bool              `json:"needs_public_url"`
		Params   []param           `json:"params"`
		Headers  map[string]string `json:"headers"`
		Event    string            `json:"default_event"`
		Events   []string          `json:"sample_events,omitempty"`
		Config   json.RawMessage   `json:"config"`
	}{
		Name: p.Name, Title: p.Title, Summary: p.Summary, Doc: p.Doc, Source: p.Source, Covers: covers(p), Warning: p.Warning(),
		Facts: p.Facts(), IDs: orEmpty(p.ID), IDProved: p.CoversID(), Types: orEmpty(p.Type), Window: p.Window.Seconds(),
		Deadline: p.Deadline.Seconds(), Retry: p.Retry, URL: p.NeedsURL(), Params: params, Headers: headers,
		Event: p.DefaultEvent, Events: payloads.Events(p.Name), Config: json.RawMessage(providerHook(p, `"module": "log"`)),
	}
}

// orEmpty is a list that JSON shows as one.
func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func providerNames() []string {
	var names []string
	for _, p := range presets.All() {
		names = append(names, p.Name)
	}
	return names
}
