package redisrq

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules/internal/redisconn"
)

// Serializer is how a worker reads a job.
type Serializer string

// The serializers of RQ.
const (
	Pickle Serializer = "pickle"
	JSON   Serializer = "json"
)

// Payload is the form in which a function gets the body.
type Payload string

// The forms of a body.
const (
	Auto   Payload = "auto"
	Text   Payload = "text"
	Bytes  Payload = "bytes"
	Base64 Payload = "base64"
)

// Options describe one destination.
type Options struct {
	Function    string
	Queue       string
	Serializer  Serializer
	Payload     Payload
	Timeout     time.Duration
	ResultTTL   time.Duration
	ResultSet   bool
	FailureTTL  time.Duration
	FailureSet  bool
	Description string
	Headers     redisconn.Headers
}

// Fields lists the options.
func (o *Options) Fields() spec.Fields {
	return append(spec.Fields{
		spec.String(&o.Function, "function").Required().Check(checkFunction).Example("jobs.handle").
			Doc("Function that the worker calls, with its module: one to three names with dots between them."),
		spec.String(&o.Queue, "queue_name").Alias("queue").Default("default").Check(spec.NotEmpty).Doc("Queue that the workers listen to."),
		spec.Enum(&o.Serializer, "serializer", Pickle, JSON).Default(Pickle).Doc("Serializer of the workers: RQ's own default, or JSON."),
		spec.Enum(&o.Payload, "payload", Auto, Text, Bytes, Base64).Default(Auto).
			Doc("What the function gets: with `auto` the value of a JSON body and the bytes of any other; or always the body's `text` (UTF-8), its `bytes` (pickle only), or its `base64` text."),
		spec.Duration(&o.Timeout, "timeout").Alias("job_timeout").Default(3 * time.Minute).Check(wholeSeconds).
			Doc("How long the job may run before the worker stops it. Whole seconds, up to 30d."),
		spec.Duration(&o.ResultTTL, "result_ttl").Set(&o.ResultSet).Check(ttl).Example(48 * time.Hour).
			Doc("How long RQ keeps the job when it has run; RQ's 500 s when absent. Whole seconds."),
		spec.Duration(&o.FailureTTL, "failure_ttl").Set(&o.FailureSet).Check(ttl).Advanced().
			Doc("How long RQ keeps the job when it has failed; RQ's one year when absent. Whole seconds."),
		spec.String(&o.Description, "description").Advanced().
			Doc("What dashboards and the worker's log call the job; the function, the hook and the event's id when absent. The payload is kept out of it."),
	}, o.Headers.Fields()...)
}

// Validate looks at the options together.
func (o *Options) Validate() []spec.Issue {
	issues := o.Headers.Issues()
	if o.Serializer == JSON && o.Payload == Bytes {
		issues = append(issues, spec.Issue{Field: "payload", Message: "JSON has no bytes", Hint: `"text" or "base64"`})
	}
	if o.ResultSet && o.ResultTTL == 0 {
		issues = append(issues, spec.Issue{
			Field: "result_ttl", Warning: true,
			Message: "is 0: RQ forgets a job when it has run, and a delivery that is repeated runs again",
		})
	}
	return issues
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// maxFunction is the length of a function's name in bytes.
const maxFunction = 255

// checkFunction keeps the rules of the original service. A worker imports and
// calls whatever is named, with a stranger's payload: what would run it is no
// handler.
func checkFunction(name string) error {
	parts := strings.Split(name, ".")
	switch {
	case len(name) > maxFunction:
		return fmt.Errorf("is longer than %d characters", maxFunction)
	case len(parts) > 3:
		return errors.New("has more than three parts; import it into a module that is nearer")
	}
	for _, p := range parts {
		switch {
		case !identifier.MatchString(p):
			return errors.New(`is no name of a function: "module.function"`)
		case strings.HasPrefix(p, "__"):
			return errors.New("is private to Python")
		}
	}
	dangerous := builtins
	if len(parts) > 1 {
		dangerous = runners
	}
	if slices.Contains(dangerous, parts[0]) {
		return errors.New("runs what it is given, which is a stranger's payload")
	}
	return nil
}

// builtins are functions of Python itself that must not get a payload, and
// runners modules of such functions.
var (
	builtins = []string{
		"breakpoint", "compile", "delattr", "eval", "exec", "getattr", "globals", "input", "locals", "open", "setattr", "vars",
	}
	runners = []string{
		"builtins", "ctypes", "importlib", "marshal", "nt", "os", "pickle", "posix", "pty", "runpy", "shutil", "subprocess", "sys",
	}
)

func wholeSeconds(d time.Duration) error {
	if d < time.Second || d > 30*24*time.Hour || d%time.Second != 0 {
		return errors.New("is not between 1 second and 30 days, in whole seconds")
	}
	return nil
}

func ttl(d time.Duration) error {
	if d > 10*365*24*time.Hour || d%time.Second != 0 {
		return errors.New("is more than ten years, or not in whole seconds")
	}
	return nil
}
