package rabbitmq

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules/internal/link"
)

const (
	plainPort = 5672
	tlsPort   = 5671
	guest     = "guest" // RabbitMQ's account for connections from its own machine
)

// Connection describes a broker.
type Connection struct {
	Host      string
	Port      int
	User      string
	Password  secret.String
	Vhost     string
	TLS       link.TLS
	Heartbeat time.Duration
	Channels  int
}

// Fields lists the settings.
func (c *Connection) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&c.Host, "host").Default("localhost").Check(spec.NotEmpty).Doc("Host name or address of the broker."),
		spec.Int(&c.Port, "port").Range(1, 65535).Example(plainPort).Doc("Port of the broker: 5672, or with TLS 5671, when absent."),
		spec.String(&c.User, "user").Alias("username").Default(guest).Check(spec.NotEmpty).Doc("User to log in as."),
		spec.Secret(&c.Password, "pass").Alias("password").Doc("Password; `guest` when absent."),
		spec.String(&c.Vhost, "vhost").Alias("virtual_host").Default("/").Check(shortText).Doc("Virtual host, as it is called and not percent-encoded."),
		c.TLS.Field("tls").Alias("ssl"),
		spec.Duration(&c.Heartbeat, "heartbeat").Default(10 * time.Second).Check(spec.Between(time.Second, 10*time.Minute)).Advanced().
			Doc("After twice to three times as long without a sign of life the connection counts as lost. 1s to 10m; the broker may ask for less."),
		spec.Int(&c.Channels, "channels").Default(16).Range(1, 1024).Advanced().
			Doc("AMQP channels to open at most on the connection: how many sends can wait for confirms at once."),
	}
}

// addr is where to connect.
func (c *Connection) addr() string {
	port := c.Port
	switch {
	case port != 0:
	case c.TLS.On():
		port = tlsPort
	default:
		port = plainPort
	}
	return net.JoinHostPort(strings.Trim(c.Host, "[]"), strconv.Itoa(port))
}

func (c *Connection) password() string {
	if c.Password.IsZero() {
		return guest
	}
	return c.Password.Reveal()
}

// QueueType is how the broker keeps a queue.
type QueueType string

// The types of a queue.
const (
	Classic QueueType = "classic"
	Quorum  QueueType = "quorum"
)

// Options describe one destination.
type Options struct {
	Queue      string
	Exchange   string
	RoutingKey string
	KeySet     bool // RoutingKey was written, perhaps as ""
	Declare    bool
	QueueType  QueueType
	Mandatory  bool
	Persistent bool
	Expiration time.Duration
	Forward    bool // the sender's headers
	Headers    map[string]string
}

// Fields lists the options.
func (o *Options) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&o.Queue, "queue_name").Alias("queue").Example("webhooks").Check(shortText).
			Doc("Queue to publish to. Required without `exchange`."),
		spec.String(&o.Exchange, "exchange").Example("events").Check(shortText).
			Doc("Exchange to publish to, instead of straight to the queue. It must be there."),
		spec.String(&o.RoutingKey, "routing_key").Set(&o.KeySet).Example("github.push").Check(shortText).
			Doc("Routing key for the exchange; the queue's name when absent."),
		spec.Bool(&o.Declare, "declare").Default(true).
			Doc("Declare the queue, durable, where it is missing, and bind it to the exchange where there is one."),
		spec.Enum(&o.QueueType, "queue_type", Classic, Quorum).Default(Classic).Advanced().
			Doc("Type of a queue that is declared."),
		spec.Bool(&o.Mandatory, "mandatory").Default(true).Advanced().
			Doc("Fail when no queue takes a message. When false such messages are lost without a sign."),
		spec.Bool(&o.Persistent, "persistent").Default(true).Advanced().
			Doc("Have the broker write messages to disk. When false they are lost when it restarts."),
		spec.Duration(&o.Expiration, "expiration").Example(time.Hour).Check(checkExpiration).Advanced().
			Doc("How long a message may wait in the queue before the broker drops it. Without limit when absent."),
		spec.Bool(&o.Forward, "forward_headers").Default(true).
			Doc("Send the sender's headers along: all but credentials."),
		spec.Headers(&o.Headers, "headers").Doc("Headers to add to each message; they win over the sender's."),
	}
}

// Validate looks at the options together.
func (o *Options) Validate() []spec.Issue {
	var issues []spec.Issue
	add := func(warning bool, field, message, hint string) {
		issues = append(issues, spec.Issue{Field: field, Message: message, Hint: hint, Warning: warning})
	}
	switch {
	case o.Queue == "" && o.Exchange == "":
		add(false, "queue_name", "is required without exchange", "")
	case o.Exchange == "" && o.KeySet && o.RoutingKey != o.Queue:
		add(false, "routing_key", "needs an exchange: without one the queue's name is the key", `add "exchange", or remove it`)
	case o.Declare && strings.HasPrefix(o.Queue, "amq."):
		add(false, "queue_name", `begins with "amq.", which the broker keeps for itself`, `"declare": false publishes to one that is there`)
	}
	if !o.Mandatory {
		add(true, "mandatory", "is off: a message that no queue takes is lost, and counts as delivered", "")
	}
	if !o.Persistent {
		add(true, "persistent", "is off: messages are lost when the broker restarts, and count as delivered", "")
	}
	for name := range o.Headers {
		switch key := strings.ToLower(name); {
		case strings.HasPrefix(key, "hookd-"), key == "traceparent":
			add(false, "headers", fmt.Sprintf("%q is set by hookd", name), "")
		case !validName(name):
			add(false, "headers", fmt.Sprintf("%q is no name for a header: 1 to %d bytes of UTF-8", name, maxShort), "")
		}
	}
	slices.SortStableFunc(issues, func(a, b spec.Issue) int { return strings.Compare(a.Field+a.Message, b.Field+b.Message) })
	return issues
}

// key is the routing key.
func (o *Options) key() string {
	if o.Exchange != "" && o.KeySet {
		return o.RoutingKey
	}
	return o.Queue
}

// target is what the destination is called in messages for people.
func (o *Options) target() string {
	if o.Exchange == "" {
		return fmt.Sprintf("queue %q", o.Queue)
	}
	return fmt.Sprintf("exchange %q with the routing key %q", o.Exchange, o.key())
}

// maxShort is the length in bytes of AMQP's short strings: names and keys.
const maxShort = 255

func shortText(s string) error {
	switch {
	case len(s) > maxShort:
		return fmt.Errorf("is longer than %d bytes", maxShort)
	case !utf8.ValidString(s):
		return errors.New("is not UTF-8")
	}
	return nil
}

func validName(s string) bool { return s != "" && shortText(s) == nil }

func checkExpiration(d time.Duration) error {
	// RabbitMQ takes milliseconds below 2^32.
	if d < time.Millisecond || d.Milliseconds() >= 1<<32 {
		return errors.New("is not between 1 millisecond and 49 days")
	}
	return nil
}
