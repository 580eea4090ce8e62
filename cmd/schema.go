package cmd

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/hookd/hookd/internal/config"
	"github.com/hookd/hookd/internal/spec"
)

var schemas = []string{"webhooks", "connections", "hookd"}

func newSchemaCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "schema webhooks|connections|hookd", Short: "Print the JSON Schema of a file, for editors",
		Example:           "  hookd schema webhooks > webhooks.schema.json",
		Args:              args(cobra.ExactArgs(1)),
		ValidArgsFunction: complete(func() []string { return schemas }),
		RunE:              func(_ *cobra.Command, args []string) error { return runSchema(a, args[0]) },
	}
}

func runSchema(a *app, name string) error {
	if !slices.Contains(schemas, name) {
		return usagef("there is no schema %q%s", name, oneOfHint(name, schemas))
	}
	r, err := newRegistries(io.Discard)
	if err != nil {
		return err
	}
	var text json.RawMessage
	switch name {
	case "hookd":
		text = spec.JSONSchema(&Settings{})
	default:
		if text, err = config.Schema(r.catalog(), name); err != nil {
			return err
		}
	}
	var out bytes.Buffer
	if err := json.Indent(&out, text, "", "  "); err != nil {
		return err
	}
	a.io.Printf("%s\n", out.Bytes())
	return nil
}
