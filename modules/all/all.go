// Package all lists the modules that hookd has.
package all

import (
	"io"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/activemq"
	awssqs "github.com/hookd/hookd/modules/aws_sqs"
	gcppubsub "github.com/hookd/hookd/modules/gcp_pubsub"
	httpwebhook "github.com/hookd/hookd/modules/http_webhook"
	"github.com/hookd/hookd/modules/kafka"
	"github.com/hookd/hookd/modules/log"
	"github.com/hookd/hookd/modules/mqtt"
	"github.com/hookd/hookd/modules/mysql"
	"github.com/hookd/hookd/modules/postgresql"
	"github.com/hookd/hookd/modules/rabbitmq"
	redispublish "github.com/hookd/hookd/modules/redis_publish"
	redisrq "github.com/hookd/hookd/modules/redis_rq"
	redisstream "github.com/hookd/hookd/modules/redis_stream"
	savetodisk "github.com/hookd/hookd/modules/save_to_disk"
	"github.com/hookd/hookd/modules/zeromq"
)

// Modules returns all modules in the order of the documentation. stdout is
// where the module log writes.
func Modules(stdout io.Writer) []modules.Module {
	return []modules.Module{
		log.Module(stdout),
		savetodisk.Module(),
		httpwebhook.Module(),
		rabbitmq.Module(),
		kafka.Module(),
		mqtt.Module(),
		mysql.Module(),
		awssqs.Module(),
		gcppubsub.Module(),
		activemq.Module(),
		redisrq.Module(),
		redispublish.Module(),
		redisstream.Module(),
		zeromq.Module(),
		postgresql.Module(),
	}
}

// Registry holds all modules.
func Registry(stdout io.Writer) (*modules.Registry, error) {
	return modules.NewRegistry(Modules(stdout)...)
}
