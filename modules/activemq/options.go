package activemq

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules/internal/link"
)

// Connection describes a broker.
type Connection struct {
	Host        string
	Port        int
	User        string
	Password    secret.String
	Vhost       string
	TLS         link.TLS
	Heartbeat   time.Duration
	Connections int
}

// Fields lists the settings.
func (c *Connection) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&c.Host, "host").Default("localhost").Check(spec.NotEmpty).Doc("Host name or address of the broker."),
		spec.Int(&c.Port, "port").Default(61613).Range(1, 65535).Doc("Port of the broker's STOMP connector; one with TLS usually has another."),
		spec.String(&c.User, "user").Alias("username").Doc("User to log in as; nobody when absent."),
		spec.OptionalSecret(&c.Password, "password").Alias("pass").Doc("Password of the user."),
		spec.String(&c.Vhost, "virtual_host").Alias("vhost").Check(checkName).Advanced().
			Doc("Virtual host to ask for: STOMP's `host` header. The host when absent."),
		c.TLS.Field("tls").Alias("ssl", "use_ssl"),
		spec.Duration(&c.Heartbeat, "heartbeat").Default(10 * time.Second).Check(spec.Between(time.Second, 10*time.Minute)).Advanced().
			Doc("How often both sides give a sign of life. After two and a half times as long without one the connection counts as lost. 1s to 10m; the broker may ask for less."),
		spec.Int(&c.Connections, "connections").Default(8).Range(1, 256).Advanced().
			Doc("Connections to open at most: how many sends can wait for receipts at once."),
	}
}

// Validate looks at the settings together.
func (c *Connection) Validate() []spec.Issue {
	if c.User == "" && !c.Password.IsZero() {
		return []spec.Issue{{Field: "password", Message: "has no user"}}
	}
	return nil
}

// addr is where to connect.
func (c *Connection) addr() string {
	return net.JoinHostPort(c.host(), strconv.Itoa(c.Port))
}

func (c *Connection) host() string { return strings.Trim(c.Host, "[]") }

func (c *Connection) vhost() string {
	if c.Vhost != "" {
		return c.Vhost
	}
	return c.host()
}

// Kind is how a destination hands messages out.
type Kind string

// The kinds of destination.
const (
	Queue Kind = "queue" // each message to one consumer
	Topic Kind = "topic" // each message to all that listen
)

// Options describe one destination.
type Options struct {
	Destination string
	Kind        Kind
	KindSet     bool
	Persistent  bool
	Expiration  time.Duration
	Forward     bool // the sender's headers
	Headers     map[string]string
}

// Fields lists the options.
func (o *Options) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&o.Destination, "destination").Required().Example("orders.created").Check(checkName).
			Doc("Name of the queue or topic; `/queue/orders` and `/topic/orders` name the kind with it."),
		spec.Enum(&o.Kind, "destination_type", Queue, Topic).Default(Queue).Set(&o.KindSet).
			Doc("Whether the destination is a queue, which keeps a message until one consumer has taken it, or a topic, which hands it to all that listen."),
		spec.Bool(&o.Persistent, "persistent").Default(true).Advanced().
			Doc("Have the broker store messages. When false they are lost when it restarts."),
		spec.Duration(&o.Expiration, "expiration").Example(time.Hour).Check(checkExpiration).Advanced().
			Doc("How long a message may wait at the broker before it expires. Without limit when absent."),
		spec.Bool(&o.Forward, "forward_headers").Default(true).
			Doc("Send the sender's headers along: all but credentials and those that mean something to a broker."),
		spec.StringMap(&o.Headers, "headers").Example(map[string]string{"JMSXGroupID": "orders"}).
			Doc("Headers to add to each message; they win over the sender's."),
	}
}

// Validate looks at the options together.
func (o *Options) Validate() []spec.Issue {
	var issues []spec.Issue
	add := func(warning bool, field, message, hint string) {
		issues = append(issues, spec.Issue{Field: field, Message: message, Hint: hint, Warning: warning})
	}
	kind, name := o.target()
	switch {
	case name == "":
		add(false, "destination", "has no name", "")
	case o.KindSet && kind != o.Kind:
		add(false, "destination_type", fmt.Sprintf("is %s, and the destination begins with /%s/", o.Kind, kind), "remove one of them")
	case kind == Topic:
		add(true, "destination", "is a topic: an event that finds no subscriber is lost, and counts as delivered", "a queue keeps it")
	}
	if !o.Persistent {
		add(true, "persistent", "is off: messages are lost when the broker restarts, and count as delivered", "")
	}
	for name := range o.Headers {
		switch key := strings.ToLower(name); {
		case strings.HasPrefix(key, "hookd-"), slices.Contains(ours, key):
			add(false, "headers", fmt.Sprintf("%q is set by hookd", name), "")
		case checkName(name) != nil || strings.Contains(name, ":"):
			add(false, "headers", fmt.Sprintf("%q is no name for a header", name), "")
		}
	}
	slices.SortStableFunc(issues, func(a, b spec.Issue) int { return strings.Compare(a.Field+a.Message, b.Field+b.Message) })
	return issues
}

// target is the kind and the name, whichever way they are written.
func (o *Options) target() (Kind, string) {
	for _, k := range []Kind{Queue, Topic} {
		if name, ok := strings.CutPrefix(o.Destination, "/"+string(k)+"/"); ok {
			return k, name
		}
	}
	return o.Kind, o.Destination
}

// path is the destination as STOMP brokers write it.
func (o *Options) path() string {
	kind, name := o.target()
	return "/" + string(kind) + "/" + name
}

// maxName is far below the length in bytes at which brokers refuse a line.
const maxName = 1024

func checkName(s string) error {
	switch {
	case strings.TrimSpace(s) == "":
		return errors.New("is empty")
	case len(s) > maxName:
		return fmt.Errorf("is longer than %d bytes", maxName)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl):
		return errors.New("holds control characters, or is not UTF-8")
	}
	return nil
}

func checkExpiration(d time.Duration) error {
	if d < time.Millisecond {
		return errors.New("is less than 1 millisecond")
	}
	return nil
}
