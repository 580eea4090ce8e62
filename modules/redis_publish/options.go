package redispublish

import (
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules/internal/redisconn"
)

// Format is what a message is.
type Format string

// The formats of a message.
const (
	JSON Format = "json"
	Raw  Format = "raw"
)

// Options describe one destination.
type Options struct {
	Channel string
	Format  Format
	Require bool
	Headers redisconn.Headers
}

// Fields lists the options.
func (o *Options) Fields() spec.Fields {
	return append(spec.Fields{
		spec.String(&o.Channel, "channel").Default("webhook_events").Check(spec.NotEmpty).Doc("Channel to publish on."),
		spec.Enum(&o.Format, "format", JSON, Raw).Default(JSON).
			Doc("What a message is: a `json` object with the payload and the headers, or the `raw` body."),
		spec.Bool(&o.Require, "require_receivers").Default(false).
			Doc("Fail, and try again, when nobody is subscribed."),
	}, o.Headers.Fields()...)
}

// Validate looks at the options together.
func (o *Options) Validate() []spec.Issue {
	issues := o.Headers.Issues()
	if o.Format == Raw && len(o.Headers.Extra) > 0 {
		issues = append(issues, spec.Issue{Field: "headers", Message: "do not go along with a raw message", Warning: true})
	}
	return issues
}
