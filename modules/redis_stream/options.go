package redisstream

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules/internal/redisconn"
)

// Options describe one destination.
type Options struct {
	Stream       string
	PayloadField string
	MaxLen       int
	Exact        bool
	Create       bool
	Deduplicate  time.Duration
	Headers      redisconn.Headers
}

// Fields lists the options.
func (o *Options) Fields() spec.Fields {
	return append(spec.Fields{
		spec.String(&o.Stream, "stream").Alias("key").Required().Check(notEmpty).Example("webhooks").Doc("Key of the stream."),
		spec.Int(&o.MaxLen, "maxlen").Default(0).Range(0, 1<<40).Example(100000).
			Doc("How many entries the stream keeps, about: older ones are removed, read or not. 0 keeps all."),
		spec.Bool(&o.Exact, "maxlen_exact").Default(false).Advanced().
			Doc("Keep exactly `maxlen` entries (`MAXLEN =`) instead of some more (`MAXLEN ~`), which costs Redis far less."),
		spec.Bool(&o.Create, "create").Default(true).
			Doc("Create the stream where it is missing. When false (`NOMKSTREAM`, Redis 6.2 or newer) deliveries wait until it is there."),
		spec.Duration(&o.Deduplicate, "deduplicate").Default(0).Check(checkMemory).Example(48 * time.Hour).
			Doc("Remember each delivery in Redis for so long, and add no second entry for it. 1s to 30d; 0 does not."),
		spec.String(&o.PayloadField, "payload_field").Default("payload").Check(notEmpty).Advanced().
			Doc("Name of the field with the body."),
	}, o.Headers.Fields()...)
}

// Validate looks at the options together.
func (o *Options) Validate() []spec.Issue {
	issues := o.Headers.Issues()
	if o.Exact && o.MaxLen == 0 {
		issues = append(issues, spec.Issue{Field: "maxlen_exact", Message: "does nothing without maxlen", Warning: true})
	}
	if slices.Contains(fields, strings.ToLower(o.PayloadField)) {
		issues = append(issues, spec.Issue{Field: "payload_field", Message: fmt.Sprintf("%q is another field of the entry", o.PayloadField)})
	}
	return issues
}

func notEmpty(s string) error {
	if s == "" {
		return errors.New("is empty")
	}
	return nil
}

func checkMemory(d time.Duration) error {
	if d != 0 && (d < time.Second || d > 30*24*time.Hour) {
		return errors.New("is neither 0 nor between 1 second and 30 days")
	}
	return nil
}

// mark is the key that remembers a delivery. A cluster keeps it where it keeps
// the stream: the part of a key in braces decides about that.
func (o *Options) mark(id string) string {
	name := o.Stream
	if at := strings.IndexByte(name, '{'); at < 0 || strings.IndexByte(name[at:], '}') < 2 {
		name = "{" + name + "}"
	}
	return name + ":hookd:" + id
}
