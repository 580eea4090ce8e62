package cmd

import (
	"io"

	"github.com/hookd/hookd/auth"
	authall "github.com/hookd/hookd/auth/all"
	"github.com/hookd/hookd/auth/presets"
	"github.com/hookd/hookd/internal/config"
	"github.com/hookd/hookd/modules"
	modulesall "github.com/hookd/hookd/modules/all"
)

// registries is everything that a configuration may name.
type registries struct {
	modules *modules.Registry
	auth    *auth.Registry
}

// newRegistries makes the registries. The log module writes to out.
func newRegistries(out io.Writer) (registries, error) {
	m, err := modulesall.Registry(out)
	if err != nil {
		return registries{}, err
	}
	a, err := authall.Registry()
	if err != nil {
		return registries{}, err
	}
	return registries{modules: m, auth: a}, nil
}

// catalog tells the loader of configuration what there is.
func (r registries) catalog() config.Catalog {
	var c config.Catalog
	for m := range r.modules.All() {
		c.Modules = append(c.Modules, config.ModuleSpec{
			Name: m.Name(), Aliases: m.Aliases(), ConnectionTypes: m.ConnectionTypes(),
			Options: m.Options, Connection: m.Connection,
		})
	}
	for m := range r.auth.All() {
		c.Auth = append(c.Auth, config.AuthSpec{Name: m.Name(), Options: m.Options})
	}
	for _, p := range presets.All() {
		c.Providers = append(c.Providers, p.Name)
		if p.Unsigned {
			c.Unsigned = append(c.Unsigned, p.Name)
		}
	}
	return c
}
