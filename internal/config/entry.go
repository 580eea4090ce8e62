package config

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"

	"github.com/hookd/hookd/internal/spec"
)

// entry is a hook as it is written. What only a module or a proof can read
// stays a node.
type entry struct {
	description string
	enabled     bool
	dataType    DataType

	proofEntry
	proxies []string

	rateLimit   RateLimit
	hasLimit    bool
	schema      *spec.Node
	retry       Retry
	hasRetry    bool
	cleanup     cleanup
	hasCleanup  bool
	dedupe      Dedupe
	hasDedupe   bool
	filter      string
	transform   string
	maxBody     int64
	response    Response
	chainConfig chainConfig

	module, connection, options, chain, queueName, topic, redis *spec.Node
}

// Fields of a hook: the original service's keys first.
func (e *entry) Fields() spec.Fields {
	fs := spec.Fields{
		spec.Enum(&e.dataType, "data_type", JSON, Form, Blob).Default(JSON).Doc("How a body is read: `json`, `form` (URL-encoded or multipart), or `blob` (any bytes)."),
		spec.Raw(&e.module, "module").Doc("The module that delivers, where there is one destination."),
		spec.Raw(&e.connection, "connection").Doc("Name of an entry of connections.json for the module."),
		spec.Raw(&e.options, "module-config").Doc("Options of the module. In a hook with a chain: shared by all steps that have them."),
		spec.Raw(&e.chain, "chain").Doc("Destinations, at most 20. A step is the name of a module, or an object."),
		spec.Object(&e.chainConfig, "chain-config").Doc("How a chain is run."),
		spec.Object(&e.rateLimit, "rate_limit").Set(&e.hasLimit).Doc("How many requests are taken in a window of time."),
		spec.Raw(&e.schema, "json_schema").Doc("JSON Schema that every body has to satisfy."),
		spec.Object(&e.retry, "retry").Set(&e.hasRetry).Doc("How often and how soon a failed delivery is tried again, instead of the usual 16 attempts over about a day."),
		spec.Object(&e.cleanup, "credential_cleanup").Set(&e.hasCleanup).Doc("Masks or removes credentials in bodies."),
		spec.Strings(&e.proxies, "trusted_proxies").Check(addresses).Doc("Addresses and CIDRs of proxies whose X-Forwarded-For is believed."),
		spec.Raw(&e.queueName, "queue_name").Doc("Older place of the module's option `queue_name`."),
		spec.Raw(&e.topic, "topic").Doc("Older place of the module's option `topic`."),
		spec.Raw(&e.redis, "redis").Doc("Older place of host, port and channel of the Redis modules."),

		spec.String(&e.description, "description").Doc("What the hook is for; shown in lists and in OpenAPI."),
		spec.Bool(&e.enabled, "enabled").Default(true).Doc("Off: the hook answers as if it were not there."),
		spec.Object(&e.dedupe, "deduplicate").Set(&e.hasDedupe).Doc("Accepts the same event only once."),
		spec.String(&e.filter, "filter").Check(program).Example(`.action == "opened"`).Doc("jq expression; an event for which it is false or null is not delivered."),
		spec.String(&e.transform, "transform").Check(program).Example(`{id, total: .amount}`).Doc("jq expression that makes the body that is delivered."),
		spec.Size(&e.maxBody, "max_body_size").Range(1, 1<<30).Doc("Largest body that is taken, instead of the daemon's limit."),
		spec.Object(&e.response, "response").Doc("What the sender is told on acceptance."),
	}
	return append(fs, e.proofEntry.Fields()...)
}

func addresses(list []string) error {
	for i, s := range list {
		if !isAddress(s) {
			return &itemError{i, "must be an IP address or a CIDR such as 10.0.0.0/8"}
		}
	}
	return nil
}

// itemError is about one item of a list.
type itemError struct {
	item    int
	message string
}

func (e *itemError) Error() string { return e.message }

func isAddress(s string) bool {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.IsValid()
	}
	a, err := netip.ParseAddr(s)
	return err == nil && a.Zone() == ""
}

func webURL(u url.URL) error {
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return errors.New("must be an http or https URL without a password")
	}
	return nil
}

func program(s string) error {
	if strings.TrimSpace(s) == "" {
		return errors.New("is empty")
	}
	return nil
}
