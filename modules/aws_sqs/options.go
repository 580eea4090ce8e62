package awssqs

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules/internal/pattern"
)

// fifoSuffix ends the names of FIFO queues, and of no others.
const fifoSuffix = ".fifo"

// Options describe one destination.
type Options struct {
	URL        url.URL
	Name       string
	Account    string
	Group      string
	Delay      int
	Create     bool
	Forward    bool
	Attributes map[string]string
}

// Fields lists the options.
func (o *Options) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&o.Name, "queue_name").Example("webhooks").Check(checkName).
			Doc("Name of the queue. Required without `queue_url`."),
		spec.URL(&o.URL, "queue_url").Check(checkURL).
			Doc("URL of the queue, instead of its name. Its region wins over the connection's."),
		spec.String(&o.Account, "account_id").Example("123456789012").Check(checkAccount).Advanced().
			Doc("Account that owns the queue called `queue_name`, when it is not the one of the credentials."),
		spec.String(&o.Group, "message_group_id").Alias("group_id").Example("{header:x-account}").Check(pattern.Check).
			Doc("Message group: a FIFO queue keeps the order within one. " + pattern.Doc + " For a FIFO queue it is `{hook}` when absent; other queues have it for fairness between groups."),
		spec.Int(&o.Delay, "delay_seconds").Range(0, 900).Default(0).
			Doc("Seconds for which a message stays invisible, up to 900. Not for FIFO queues: SQS refuses it there."),
		spec.Bool(&o.Create, "create").Default(false).
			Doc("Create the queue called `queue_name` where it is missing. Without it a missing queue is a failure that is tried again."),
		spec.Bool(&o.Forward, "forward_headers").Default(true).
			Doc("Send the sender's headers along: all but credentials."),
		spec.StringMap(&o.Attributes, "attributes").Alias("message_attributes").
			Doc("Attributes to add to each message; they win over the sender's headers."),
		spec.Ignored("message_deduplication_id", "the delivery's id is used, which is the same on every attempt: any other could make SQS drop events"),
	}
}

// Validate looks at the options together.
func (o *Options) Validate() []spec.Issue {
	var issues []spec.Issue
	add := func(field, message, hint string) {
		issues = append(issues, spec.Issue{Field: field, Message: message, Hint: hint})
	}
	byURL := o.URL.Host != ""
	switch {
	case o.Name == "" && !byURL:
		add("queue_name", "is required without queue_url", "")
	case o.Name != "" && byURL:
		add("queue_url", "and queue_name are both there", "remove one")
	case byURL && o.Create:
		add("create", "needs queue_name: a queue is created by its name", "")
	case byURL && o.Account != "":
		add("account_id", "is part of queue_url", "remove it")
	case o.Create && o.Account != "":
		add("create", "makes queues in the account of the credentials only", "remove account_id")
	}
	if o.fifo() && o.Delay > 0 {
		add("delay_seconds", "is not for FIFO queues", "set the delay of the queue itself")
	}
	for name, v := range o.Attributes {
		switch {
		case own(strings.ToLower(name)):
			add("attributes", fmt.Sprintf("%q is set by hookd", name), "")
		case !validName(name):
			add("attributes", fmt.Sprintf("%q is no name for an attribute: letters, digits, _ - and single dots, at most %d, not beginning with aws. or amazon.", name, maxName), "")
		case !carried(v):
			add("attributes", fmt.Sprintf("the value of %q is empty or has control characters", name), "")
		}
	}
	if len(o.Attributes) > maxConfigured {
		add("attributes", fmt.Sprintf("has more than %d: SQS takes %d, and hookd needs some", maxConfigured, maxAttributes), "")
	}
	slices.SortStableFunc(issues, func(a, b spec.Issue) int { return strings.Compare(a.Field+a.Message, b.Field+b.Message) })
	return issues
}

// queue is what the queue is called.
func (o *Options) queue() string {
	if o.Name != "" {
		return o.Name
	}
	return path.Base(o.URL.Path)
}

func (o *Options) fifo() bool { return strings.HasSuffix(o.queue(), fifoSuffix) }

var (
	hostPattern = regexp.MustCompile(`^(?:sqs(?:-fips)?\.([a-z0-9-]+)\.|([a-z0-9-]+)\.queue\.)(?:amazonaws\.com|amazonaws\.com\.cn|api\.aws)$`)
	namePattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)
)

// region is the one that the queue's URL names; "" when it names none.
func (o *Options) region() string {
	m := hostPattern.FindStringSubmatch(o.URL.Hostname())
	if m == nil {
		return ""
	}
	return m[1] + m[2]
}

// checkName: with its suffix the name of a FIFO queue has 80 characters at most.
func checkName(s string) error {
	if !namePattern.MatchString(strings.TrimSuffix(s, fifoSuffix)) || len(s) > 80 {
		return errors.New(`is not 1 to 80 letters, digits, "_" and "-", for a FIFO queue with ".fifo" at the end`)
	}
	return nil
}

func checkURL(u url.URL) error {
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return errors.New("is not an http or https URL")
	case checkName(path.Base(u.Path)) != nil:
		return errors.New("does not end in the name of a queue")
	}
	return nil
}

func checkAccount(s string) error {
	if len(s) != 12 || strings.Trim(s, "0123456789") != "" {
		return errors.New("is not 12 digits")
	}
	return nil
}
