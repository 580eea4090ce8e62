package gcppubsub

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules/internal/link"
	"github.com/hookd/hookd/modules/internal/pattern"
)

const (
	service        = "pubsub.googleapis.com:443"
	metadataServer = "169.254.169.254"
)

// Connection describes a project and who publishes there.
type Connection struct {
	Project  string
	Path     string
	JSON     secret.String
	Metadata bool
	Endpoint string
	Emulator string
	TLS      link.TLS
}

// Fields lists the settings.
func (c *Connection) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&c.Project, "project_id").Required().Example("my-project").Check(checkProject).Doc("Project of the topics."),
		spec.String(&c.Path, "credentials_path").Alias("credentials_file").
			Doc("File with the credentials: the key of a service account, or another kind that Google's tools write."),
		spec.Secret(&c.JSON, "credentials_json").Alias("credentials").Doc("The content of such a file, instead of its path."),
		spec.Bool(&c.Metadata, "instance_metadata").Default(false).Advanced().
			Doc("Take credentials from the metadata service of the machine. It opens that service's address, which hookd otherwise never connects to."),
		spec.String(&c.Endpoint, "endpoint").Example("europe-west1-pubsub.googleapis.com:443").Check(checkAddr).Advanced().
			Doc("Host and port to connect to, with TLS, instead of the global endpoint. Messages are stored in a region only through that region's endpoint."),
		spec.String(&c.Emulator, "emulator_host").Example("localhost:8085").Check(checkAddr).
			Doc("Host and port of an emulator: no TLS, no credentials. Not for anything that matters."),
		c.TLS.Field("tls").Advanced(),
		spec.Ignored("topic_id", "the topic is an option of each destination"),
	}
}

// Validate looks at the settings together.
func (c *Connection) Validate() []spec.Issue {
	var issues []spec.Issue
	add := func(field, message string) { issues = append(issues, spec.Issue{Field: field, Message: message}) }
	sources := 0
	for _, there := range []bool{c.Path != "", !c.JSON.IsZero(), c.Metadata} {
		if there {
			sources++
		}
	}
	if sources > 1 {
		add("credentials_path", "credentials_path, credentials_json and instance_metadata exclude each other")
	}
	if c.Emulator != "" && (c.Endpoint != "" || c.TLS.On()) {
		add("emulator_host", "excludes endpoint and tls")
	}
	return issues
}

// AllowedHosts opens the metadata service where that is asked for.
func (c *Connection) AllowedHosts() []string {
	if !c.Metadata {
		return nil
	}
	return []string{metadataServer}
}

// Options describe one destination.
type Options struct {
	Topic      string
	Key        string
	Create     bool
	Forward    bool
	Attributes map[string]string
}

// Fields lists the options.
func (o *Options) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&o.Topic, "topic").Alias("topic_id").Required().Example("webhooks").Check(checkTopic).
			Doc("Topic to publish to: its name, or `projects/PROJECT/topics/NAME` for one of another project."),
		spec.String(&o.Key, "ordering_key").Example("{header:x-account}").Check(pattern.Check).
			Doc("Messages with the same key keep their order. " + pattern.Doc + " Without order when absent."),
		spec.Bool(&o.Create, "create").Default(false).
			Doc("Create the topic where it is missing. Without it a missing topic is a failure that is tried again."),
		spec.Bool(&o.Forward, "forward_headers").Default(true).Doc("Send the sender's headers along: all but credentials."),
		spec.StringMap(&o.Attributes, "attributes").Doc("Attributes to add to each message; they win over the sender's headers."),
		spec.Ignored("project_id", "the project is set in the connection; another one is part of the topic: projects/PROJECT/topics/NAME"),
	}
}

// Validate looks at the options together.
func (o *Options) Validate() []spec.Issue {
	var issues []spec.Issue
	for name, v := range o.Attributes {
		switch {
		case own(strings.ToLower(name)):
			issues = append(issues, spec.Issue{Field: "attributes", Message: fmt.Sprintf("%q is set by hookd", name)})
		case !fits(name, v):
			issues = append(issues, spec.Issue{
				Field:   "attributes",
				Message: fmt.Sprintf("%q does not fit: names have 1 to %d bytes and do not begin with goog, values have at most %d", name, maxName, maxValue),
			})
		}
	}
	if len(o.Attributes) > maxAttributes/2 {
		issues = append(issues, spec.Issue{Field: "attributes", Message: fmt.Sprintf("has more than %d", maxAttributes/2)})
	}
	slices.SortStableFunc(issues, func(a, b spec.Issue) int { return strings.Compare(a.Message, b.Message) })
	return issues
}

// topic is its full name.
func (o *Options) topic(project string) string {
	if strings.HasPrefix(o.Topic, "projects/") {
		return o.Topic
	}
	return "projects/" + project + "/topics/" + o.Topic
}

// Names of resources: Pub/Sub documentation, "Create a topic".
var (
	projectPattern = regexp.MustCompile(`^(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$`)
	topicPattern   = regexp.MustCompile(`^(?:projects/[a-z0-9.:-]+/topics/)?[A-Za-z][A-Za-z0-9_.~+%-]{0,254}$`)
)

func checkProject(s string) error {
	if !projectPattern.MatchString(s) {
		return errors.New("is no project id: 6 to 30 lower-case letters, digits and hyphens")
	}
	return nil
}

// checkTopic lets shorter names through than Google does, as the original
// service did.
func checkTopic(s string) error {
	if !topicPattern.MatchString(s) {
		return errors.New("is no name of a topic: a letter, then letters, digits and - _ . ~ + %, at most 255")
	}
	return nil
}

func checkAddr(s string) error {
	if host, port, err := net.SplitHostPort(s); err != nil || host == "" || port == "" {
		return errors.New("is not a host and a port")
	}
	return nil
}

// fits reports an attribute that Pub/Sub takes.
func fits(name, v string) bool {
	return name != "" && len(name) <= maxName && len(v) <= maxValue && utf8.ValidString(name+v) && !strings.HasPrefix(name, "goog")
}
