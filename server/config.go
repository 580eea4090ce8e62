package server

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/hookd/hookd/internal/config"
	"github.com/hookd/hookd/internal/diag"
)

// demo is what `serve --dev` serves where there is no file: one hook, open to
// everybody who reaches the listener, to the log.
const (
	demoName = "(built in)"
	demo     = `{"demo": {"description": "Built into --dev", "module": "log"}}`
)

// load reads the files. Without an error among the problems the configuration
// is not nil.
func (o *Options) load(ctx context.Context) (*config.Config, diag.List, config.Sources) {
	in := config.Options{
		Webhooks: o.Files.Webhooks, Connections: o.Files.Connections,
		Catalog: o.Catalog, Lookup: o.Files.Lookup,
	}
	if _, err := os.Stat(in.Webhooks); o.Dev && errors.Is(err, fs.ErrNotExist) {
		in.Webhooks = demoName
		in.Overlay = map[string][]byte{demoName: []byte(demo)}
	}
	return config.Load(ctx, in)
}
