package config_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/internal/config"
	"github.com/hookd/hookd/internal/diag"
	"github.com/hookd/hookd/internal/spec"
)

var update = flag.Bool("update", false, "write what is there into the golden files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestGolden loads each archive in testdata: webhooks.json (or .yaml),
// connections.json, env (NAME=value lines), and compares with want, which holds
// what a person sees: the problems, and a summary of the configuration.
func TestGolden(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txtar"), func(t *testing.T) {
			t.Parallel()
			golden(t, f)
		})
	}
}

func golden(t *testing.T, file string) {
	a, err := readArchive(file)
	if err != nil {
		t.Fatal(err)
	}
	o := config.Options{Catalog: catalog(), Webhooks: "webhooks.json", Connections: "connections.json", Overlay: map[string][]byte{}}
	env, want, at := map[string]string{}, "", -1
	for i, f := range a.files {
		switch f.name {
		case "env":
			for line := range strings.Lines(string(f.data)) {
				name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
				env[name] = value
			}
		case "want":
			want, at = string(f.data), i
		case "offline":
			o.Offline = true
		default:
			o.Overlay[f.name] = f.data
			if strings.HasPrefix(f.name, "webhooks.") {
				o.Webhooks = f.name
			}
			if strings.HasPrefix(f.name, "connections.") {
				o.Connections = f.name
			}
		}
	}
	o.Lookup = func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	o.ReadFile = func(name string) ([]byte, error) {
		if b, ok := o.Overlay[name]; ok {
			return b, nil
		}
		return nil, os.ErrNotExist
	}
	cfg, problems, sources := config.Load(context.Background(), o)
	if (cfg == nil) != problems.HasErrors() {
		t.Errorf("the configuration is nil: %v; there are errors: %v", cfg == nil, problems.HasErrors())
	}
	var got strings.Builder
	if err := diag.Render(&got, sources.Bytes, problems, diag.RenderOptions{Masks: sources.Masks}); err != nil {
		t.Fatal(err)
	}
	if cfg != nil {
		got.WriteString(summary(cfg))
	}
	for name, value := range env {
		if strings.HasPrefix(name, "SECRET") && strings.Contains(got.String(), value) {
			t.Errorf("the value of %s is shown:\n%s", name, &got)
		}
	}
	if strings.Contains(got.String(), "hunter2") {
		t.Errorf("a literal secret is shown:\n%s", &got)
	}
	if *update && at >= 0 {
		a.files[at].data = []byte(got.String())
		if err := a.write(file); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", &got, want)
	}
}

func summary(c *config.Config) string {
	var b strings.Builder
	for _, x := range c.Connections {
		fmt.Fprintf(&b, "connection %s %s for %s %s\n", x.Name, x.Type, x.Module, redacted(x.Options))
	}
	for _, h := range c.Hooks {
		fmt.Fprintf(&b, "hook %s %s enabled=%v %s", h.ID, h.DataType, h.Enabled, h.Execution)
		show := func(name string, set bool, v any) {
			if set {
				fmt.Fprintf(&b, " %s=%v", name, v)
			}
		}
		show("continue", h.Execution == config.Sequential && len(h.Destinations) > 1, h.ContinueOnError)
		show("timeout", h.ChainTimeout > 0, h.ChainTimeout)
		show("provider", h.Provider != "", fmt.Sprintf("%s/%d", h.Provider, len(h.Secrets)))
		show("url", h.PublicURL != "", h.PublicURL)
		show("tolerance", h.Tolerance > 0, h.Tolerance)
		show("params", len(h.Params) > 0, h.Params)
		show("proxies", len(h.TrustedProxies) > 0, h.TrustedProxies)
		show("limit", h.RateLimit != nil, h.RateLimit)
		show("retry", h.Retry != nil, h.Retry)
		show("cleanup", h.Cleanup != nil, h.Cleanup)
		show("body", h.MaxBody > 0, h.MaxBody)
		show("filter", h.Filter != nil, h.Filter)
		show("transform", h.Transform != nil, h.Transform)
		if h.Dedupe != nil {
			show("dedupe", true, h.Dedupe.Key+"/"+h.Dedupe.Window.String())
		}
		if h.Schema != nil {
			j, _ := json.Marshal(h.Schema)
			show("schema", true, string(j))
		}
		if h.Response.Status != 0 || h.Response.Body != "" {
			show("response", true, h.Response)
		}
		b.WriteString("\n")
		for set := range h.Sets() {
			in := strings.TrimPrefix(set.Root, h.Path)
			if set.Provider != "" && in != "" {
				fmt.Fprintf(&b, "  proof%s provider %s/%d\n", in, set.Provider, len(set.Secrets))
			}
			for _, p := range set.Proofs {
				fmt.Fprintf(&b, "  proof%s %s %s\n", in, p.Method, redacted(p.Options))
			}
		}
		for _, d := range h.Destinations {
			fmt.Fprintf(&b, "  lane %s -> %s", config.LaneName(h.ID, d.Name), d.Module)
			if d.Connection != "" {
				fmt.Fprintf(&b, " on %s", d.Connection)
				if c.Connection(d.Connection, d.Module) == nil {
					b.WriteString(" (which is not there)")
				}
			}
			show("format", d.Format != config.FormatPayload, d.Format)
			show("concurrency", d.Concurrency > 0, d.Concurrency)
			show("timeout", d.Timeout > 0, d.Timeout)
			show("retry", d.Retry != nil, d.Retry)
			show("filter", d.Filter != nil, d.Filter)
			show("transform", d.Transform != nil, d.Transform)
			fmt.Fprintf(&b, " %s\n", redacted(d.Options))
		}
	}
	return b.String()
}

func redacted(d spec.Described) string {
	j, err := json.Marshal(spec.Redacted(d))
	if err != nil {
		return err.Error()
	}
	return string(j)
}
