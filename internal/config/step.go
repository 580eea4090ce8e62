package config

import (
	"errors"
	"fmt"
	"time"

	"github.com/hookd/hookd/internal/spec"
)

// step is a destination as it is written: the item of a chain, or the hook's
// own keys where it has one module.
type step struct {
	name        string
	module      *spec.Node
	connection  *spec.Node
	options     *spec.Node
	retry       Retry
	hasRetry    bool
	filter      string
	transform   string
	concurrency int
	timeout     time.Duration
	format      Format
	queueName   *spec.Node
	topic       *spec.Node
}

// Fields of a step.
func (s *step) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&s.name, "name").Check(stepName).Doc("Name of the step, unique in the hook; the module's name and a number unless set. The lane is called `hook/name`: a step that is renamed starts a new one."),
		spec.Raw(&s.module, "module").Required().Doc("The module that delivers."),
		spec.Raw(&s.connection, "connection").Doc("Name of an entry of connections.json."),
		spec.Raw(&s.options, "module-config").Doc("Options of the module, over those of the hook."),
		spec.Object(&s.retry, "retry").Set(&s.hasRetry).Doc("Retry policy of this step, instead of the hook's."),
		spec.String(&s.filter, "filter").Check(program).Doc("jq expression; an event for which it is false or null is not delivered by this step."),
		spec.String(&s.transform, "transform").Check(program).Doc("jq expression that makes the body that this step delivers."),
		spec.Int(&s.concurrency, "concurrency").Range(1, 4096).Doc("Attempts that run at once, instead of the daemon's default."),
		spec.Duration(&s.timeout, "timeout").Range(0.001, 86400).Doc("Time for one attempt, instead of the daemon's default."),
		spec.Enum(&s.format, "format", FormatPayload, FormatEnvelope, FormatCloudEvent).Default(FormatPayload).
			Doc("What the far end gets: the `payload`, an `envelope` with id, headers and body, or `cloudevents` 1.0."),
		spec.Raw(&s.queueName, "queue_name").Doc("Older place of the module's option `queue_name`."),
		spec.Raw(&s.topic, "topic").Doc("Older place of the module's option `topic`."),
		spec.Ignored("destination", `destinations are named in "module-config".`),
	}
}

// Inline lets a step be the name of a module.
func (s *step) Inline() spec.Field { return spec.Raw(&s.module, "module") }

func stepName(s string) error {
	if s == "" || len(s) > maxHookID {
		return fmt.Errorf("must have 1 to %d characters", maxHookID)
	}
	for i, r := range s {
		if !letterOrDigit(r) && (i == 0 || r != '-' && r != '_' && r != '.') {
			return errors.New(`must start with a letter or a digit and go on with letters, digits, ".", "-" and "_"`)
		}
	}
	return nil
}
