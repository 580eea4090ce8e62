// Package all lists the modules that hookd has.
package all

import (
	"io"

	"github.com/hookd/hookd/modules"
	httpwebhook "github.com/hookd/hookd/modules/http_webhook"
	"github.com/hookd/hookd/modules/log"
	"github.com/hookd/hookd/modules/mqtt"
	"github.com/hookd/hookd/modules/rabbitmq"
	savetodisk "github.com/hookd/hookd/modules/save_to_disk"
)

// Modules returns all modules in the order of the documentation. stdout is
// where the module log writes.
func Modules(stdout io.Writer) []modules.Module {
	return []modules.Module{
		log.Module(stdout),
		savetodisk.Module(),
		httpwebhook.Module(),
		rabbitmq.Module(),
		mqtt.Module(),
	}
}

// Registry holds all modules.
func Registry(stdout io.Writer) (*modules.Registry, error) {
	return modules.NewRegistry(Modules(stdout)...)
}
