package kafka

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules/internal/link"
)

const defaultPort = "9092"

// Protocol is Kafka's own word for TLS and SASL together.
type Protocol string

// The protocols.
const (
	Plaintext     Protocol = "PLAINTEXT"
	SSL           Protocol = "SSL"
	SASLPlaintext Protocol = "SASL_PLAINTEXT"
	SASLSSL       Protocol = "SASL_SSL"
)

// Mechanism is how hookd proves who it is.
type Mechanism string

// The mechanisms.
const (
	Plain       Mechanism = "PLAIN"
	ScramSHA256 Mechanism = "SCRAM-SHA-256"
	ScramSHA512 Mechanism = "SCRAM-SHA-512"
)

// Connection describes a cluster.
type Connection struct {
	Servers    []string
	Protocol   Protocol
	TLS        link.TLS
	Mechanism  Mechanism
	User       string
	Password   secret.String
	ClientID   string
	Timeout    time.Duration
	Idempotent bool
}

// Fields lists the settings.
func (c *Connection) Fields() spec.Fields {
	return spec.Fields{
		spec.Strings(&c.Servers, "bootstrap_servers").Alias("brokers").Default([]string{"localhost:" + defaultPort}).Check(checkServers).
			Doc("Brokers to ask for the cluster first: a list, or a text with commas; port 9092 when it has none. The brokers' own addresses come from the cluster and must be reachable too."),
		c.TLS.Field("tls").Alias("ssl"),
		spec.Enum(&c.Mechanism, "sasl_mechanism", Plain, ScramSHA256, ScramSHA512).
			Doc("How to log in. Required with `sasl_username`."),
		spec.String(&c.User, "sasl_username").Alias("username", "sasl_plain_username").Doc("User to log in as; without it hookd does not log in."),
		spec.Secret(&c.Password, "sasl_password").Alias("password", "sasl_plain_password").Doc("Password of `sasl_username`."),
		spec.Enum(&c.Protocol, "security_protocol", Plaintext, SSL, SASLPlaintext, SASLSSL).Advanced().
			Doc("Kafka's word for the same: `SSL` and `SASL_SSL` turn TLS on, with the system's authorities where `tls` says nothing."),
		spec.String(&c.ClientID, "client_id").Default("hookd").Check(checkClientID).Advanced().
			Doc("What the brokers call hookd in logs, metrics and quotas."),
		spec.Duration(&c.Timeout, "request_timeout").Default(10 * time.Second).Check(spec.Between(time.Second, 5*time.Minute)).Advanced().
			Doc("How long the brokers may take to store a message on all in-sync replicas. 1s to 5m; below the destination's time-out, or that one ends first and the connection is opened anew."),
		spec.Bool(&c.Idempotent, "idempotent").Default(true).Advanced().
			Doc("Number the messages, so that the brokers drop what a broken connection repeats. Brokers before 2.8 ask for the right IdempotentWrite; false does without it."),
	}
}

// Validate looks at the settings together.
func (c *Connection) Validate() []spec.Issue {
	var issues []spec.Issue
	add := func(warning bool, field, message, hint string) {
		issues = append(issues, spec.Issue{Field: field, Message: message, Hint: hint, Warning: warning})
	}
	login := c.User != ""
	switch {
	case login && c.Mechanism == "":
		add(false, "sasl_mechanism", "is required with sasl_username", "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, as the cluster has it")
	case login && c.Password.IsZero():
		add(false, "sasl_password", "is required with sasl_username", "")
	case !login && (c.Mechanism != "" || !c.Password.IsZero()):
		add(false, "sasl_username", "is required to log in", "")
	case !login && (c.Protocol == SASLPlaintext || c.Protocol == SASLSSL):
		add(false, "security_protocol", "logs in, and there is no sasl_username", "")
	case login && (c.Protocol == Plaintext || c.Protocol == SSL):
		add(false, "security_protocol", "does not log in, and there is a sasl_username", "use SASL_PLAINTEXT or SASL_SSL, or leave it out")
	}
	switch {
	case (c.Protocol == Plaintext || c.Protocol == SASLPlaintext) && c.TLS.On():
		add(false, "security_protocol", "has no TLS, and tls is on", "use SSL or SASL_SSL, or leave it out")
	case (c.Protocol == SSL || c.Protocol == SASLSSL) && c.TLS.Written && !c.TLS.Enabled:
		add(false, "security_protocol", "has TLS, and tls is off", "")
	}
	if c.Mechanism == Plain && !c.tls().On() {
		add(true, "sasl_mechanism", "sends the password readable over the network", "turn tls on, or use SCRAM")
	}
	return issues
}

// tls are the settings that hold.
func (c *Connection) tls() *link.TLS {
	t := c.TLS
	if !t.Written && (c.Protocol == SSL || c.Protocol == SASLSSL) {
		t.Written, t.Enabled = true, true
	}
	return &t
}

// addrs are where to connect first.
func (c *Connection) addrs() []string {
	var all []string
	for _, text := range c.Servers {
		for addr := range strings.SplitSeq(text, ",") {
			if addr = strings.TrimSpace(addr); addr == "" {
				continue
			}
			if _, _, err := net.SplitHostPort(addr); err != nil {
				addr = net.JoinHostPort(strings.Trim(addr, "[]"), defaultPort)
			}
			if !slices.Contains(all, addr) {
				all = append(all, addr)
			}
		}
	}
	return all
}

func checkServers(servers []string) error {
	addrs := (&Connection{Servers: servers}).addrs()
	if len(addrs) == 0 {
		return errors.New("is empty")
	}
	for _, addr := range addrs {
		host, port, err := net.SplitHostPort(addr)
		if n, bad := strconv.Atoi(port); err != nil || host == "" || strings.ContainsAny(host, "/ ") || bad != nil || n < 1 || n > 65535 {
			return fmt.Errorf("%q is no host or host:port", addr)
		}
	}
	return nil
}

func checkClientID(id string) error {
	if id == "" || len(id) > 249 || strings.ContainsFunc(id, func(r rune) bool { return r < ' ' || r > '~' }) {
		return errors.New("is not 1 to 249 printable ASCII characters")
	}
	return nil
}
