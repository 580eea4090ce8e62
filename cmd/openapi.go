package cmd

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hookd/hookd/server/openapi"
)

type openAPIOptions struct {
	files   fileOptions
	out     string
	format  string
	baseURL string
	check   string
}

var openAPIFormats = []string{"yaml", "json"}

func newOpenAPICmd(a *app, run func(context.Context, *openAPIOptions) error) *cobra.Command {
	o := &openAPIOptions{}
	if run == nil {
		run = func(ctx context.Context, o *openAPIOptions) error { return runOpenAPI(ctx, a, o) }
	}
	c := &cobra.Command{
		Use: "gen-openapi", Short: "Print the hooks as OpenAPI 3.1",
		Example: "  hookd gen-openapi -o openapi.yaml --base-url https://hooks.example.com\n  hookd gen-openapi --check openapi.yaml",
		Args:    args(cobra.NoArgs),
		RunE:    func(c *cobra.Command, _ []string) error { return run(c.Context(), o) },
	}
	o.files.bind(c)
	f := c.Flags()
	f.StringVarP(&o.out, "output", "o", "", "write to this `file`")
	f.StringVar(&o.format, "format", "", "yaml or json (default: as the file is named, else yaml)")
	f.StringVar(&o.baseURL, "base-url", "", "`URL` that senders reach hookd at")
	f.StringVar(&o.check, "check", "", "fail when this `file` is not what would be printed")
	_ = c.RegisterFlagCompletionFunc("format", completeFlag(func() []string { return openAPIFormats }))
	return c
}

func runOpenAPI(ctx context.Context, a *app, o *openAPIOptions) error {
	if err := oneOf("--format", o.format, openAPIFormats); err != nil {
		return err
	}
	if o.check != "" && o.out != "" {
		return usagef("--check and --output exclude each other")
	}
	s, _, err := a.settings(o.files.source())
	if err != nil {
		return err
	}
	cfg, problems, sources, err := a.loadDescribed(ctx, s)
	if err != nil {
		return err
	}
	if cfg == nil {
		a.tell(problems, sources)
		return errConfig
	}
	r, err := newRegistries(io.Discard)
	if err != nil {
		return err
	}
	if o.baseURL == "" {
		o.baseURL = s.OpenAPI.BaseURL
	}
	doc := openapi.Generate(cfg, openapi.Options{ //nolint:contextcheck // it asks nobody
		BaseURL: o.baseURL, Version: readBuildInfo().Version, Auth: r.auth, MaxBody: s.Limits.Body,
	})
	text, err := encodeOpenAPI(doc, o)
	if err != nil {
		return err
	}
	switch {
	case o.check != "":
		return checkFile(o.check, text)
	case o.out != "":
		return os.WriteFile(o.out, text, 0o644) //nolint:gosec // a public document
	}
	_, err = a.io.Out.Write(text)
	return err
}

func encodeOpenAPI(doc openapi.Document, o *openAPIOptions) ([]byte, error) {
	format := o.format
	if format == "" && strings.EqualFold(filepath.Ext(o.out+o.check), ".json") {
		format = "json"
	}
	if format == "json" {
		return doc.JSON()
	}
	return doc.YAML()
}

// checkFile compares a file with what it should be.
func checkFile(name string, want []byte) error {
	got, err := os.ReadFile(name) //nolint:gosec // the operator names the file
	if err != nil {
		return fmt.Errorf("read %s: %s", name, reason(err))
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("%s is not current: hookd gen-openapi -o %s writes it anew", name, name)
	}
	return nil
}
