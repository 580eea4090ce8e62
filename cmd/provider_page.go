package cmd

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hookd/hookd/auth/presets"
	"github.com/hookd/hookd/testdata/payloads"
)

// providerPage is what `hookd providers NAME` prints.
func providerPage(p *presets.Preset) string {
	var b strings.Builder
	title(&b, p.Name, p.Title, p.Summary)
	if w := p.Warning(); w != "" {
		fmt.Fprintf(&b, "**Warning**: %s\n\n", w)
	}
	fmt.Fprintf(&b, "```json\n%s```\n\n", providerHook(p, `"module": "log"`))
	doc(&b, p.SecretNote())
	doc(&b, p.Doc)
	b.WriteString("| fact | |\n|---|---|\n")
	for _, f := range p.Facts() {
		fmt.Fprintf(&b, "| %s | %s |\n", f.Label, cell(f))
	}
	b.WriteString("\nTry it: " + quoted([]string{"hookd test-send " + p.Name}))
	if events := payloads.Events(p.Name); len(events) > 0 {
		fmt.Fprintf(&b, ", with `--event` one of %s", quoted(events))
	}
	b.WriteString(".\n")
	return b.String()
}

// cell is the text of a fact in a table. Templates and links are code: braces
// and stars would be read as something else.
func cell(f presets.Fact) string {
	text := strings.ReplaceAll(f.Text, "|", `\|`)
	if f.Label == "covers" {
		text = "`" + strings.ReplaceAll(text, "\n", `\n`) + "`"
	}
	return text
}

// providerHook is a hook for the sender in webhooks.json; destination are its
// last members.
func providerHook(p *presets.Preset, destination string) string {
	var lines []string
	add := func(key, value string) {
		lines = append(lines, fmt.Sprintf("%q: %s", key, value))
	}
	add("provider", inQuotes(p.Name))
	switch {
	case p.NoSecret:
	case p.Unsigned:
		add("query_auth", fmt.Sprintf(`{ "api_key": "{$%s}", "case_sensitive": true }`, secretVariable(p)))
	default:
		add("secret", inQuotes("{$"+secretVariable(p)+"}"))
	}
	var params []string
	for _, q := range p.Params {
		if q.Required {
			params = append(params, fmt.Sprintf("%q: %s", q.Name, inQuotes("{$"+paramVariable(p, q)+"}")))
		}
	}
	if len(params) > 0 {
		add("params", "{ "+strings.Join(params, ", ")+" }")
	}
	if p.NeedsURL() {
		add("public_url", inQuotes("https://hooks.example.com/webhook/"+p.Name))
	}
	if p.Form() {
		add("data_type", `"form"`)
	}
	lines = append(lines, destination)
	return fmt.Sprintf("{\n  %q: {\n    %s\n  }\n}\n", p.Name, strings.Join(lines, ",\n    "))
}

// secretVariable is the variable that the snippets take the secret from.
func secretVariable(p *presets.Preset) string { return envName(p.Name) + "_SECRET" }

func paramVariable(p *presets.Preset, q presets.Param) string {
	return envName(p.Name) + "_" + envName(q.Name)
}

func envName(name string) string { return strings.ToUpper(strings.ReplaceAll(name, "-", "_")) }

func inQuotes(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return `""` // strings always marshal
	}
	return string(b)
}
