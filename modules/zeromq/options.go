package zeromq

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/internal/spec"
)

// Kind is the type of a socket, as ZeroMQ calls it.
type Kind string

// The types that send.
const (
	Pub    Kind = "PUB"
	Push   Kind = "PUSH"
	Req    Kind = "REQ"
	Dealer Kind = "DEALER"
)

const (
	defaultMark = 1000
	maxEndpoint = 512
	maxTopic    = 255
)

// Connection describes a socket that several destinations share.
type Connection struct {
	Endpoint string
	Kind     Kind
	Bind     bool
	Mark     int
}

// Fields lists the settings.
func (c *Connection) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&c.Endpoint, "endpoint").Example("tcp://worker.internal:5555").Check(checkEndpoint).
			Doc("Endpoint of destinations that name none: `tcp://host:port` or `ipc:///path`."),
		spec.Enum(&c.Kind, "socket_type", Pub, Push, Req, Dealer).Default(Pub).Doc("Type of the socket, where the destination does not say."),
		spec.Bool(&c.Bind, "bind").Default(true).
			Doc("Whether the endpoint is hookd's own, which others connect to, where the destination does not say."),
		spec.Int(&c.Mark, "high_water_mark").Default(defaultMark).Range(1, 1_000_000).Advanced().
			Doc("Messages to one peer that it may not have taken yet; more wait. For each socket."),
	}
}

// Options describe one destination.
type Options struct {
	Endpoint string
	Kind     Kind
	KindSet  bool
	Bind     bool
	BindSet  bool
	Topic    string
	Headers  bool // a frame of them
	Forward  bool // the sender's among them
	Confirm  bool
	Require  bool
	Expect   string
	Hosts    []string
}

// Fields lists the options.
func (o *Options) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&o.Endpoint, "endpoint").Example("tcp://127.0.0.1:5555").Check(checkEndpoint).
			Doc("`tcp://host:port` or `ipc:///path`. Required, here or in the connection."),
		spec.Enum(&o.Kind, "socket_type", Pub, Push, Req, Dealer).Set(&o.KindSet).
			Doc("Type of the socket; the connection's, which is `PUB`, when absent."),
		spec.Bool(&o.Bind, "bind").Set(&o.BindSet).
			Doc("`true`: the endpoint is hookd's own and others connect to it. `false`: hookd connects. The connection's, which is `true`, when absent."),
		spec.String(&o.Topic, "topic").Example("github").Check(checkTopic).
			Doc("First frame of each message of a `PUB` socket: what subscribers filter by. Without it they filter by the body."),
		spec.Bool(&o.Headers, "include_headers").Default(false).
			Doc("Send the headers as a JSON object in a frame before the body. Without it a message does not carry its delivery's id."),
		spec.Bool(&o.Forward, "forward_headers").Default(true).
			Doc("With `include_headers`: send the sender's headers along, all but credentials."),
		spec.Bool(&o.Confirm, "confirm").Default(true).Advanced().
			Doc("Count a message when the peer's ZeroMQ has said that it took it. When false it counts when the operating system took it, and is lost when the peer goes away."),
		spec.Bool(&o.Require, "require_subscribers").Alias("require_receivers").Default(false).
			Doc("For `PUB`: fail, and try again, when nobody subscribes to the message."),
		spec.String(&o.Expect, "expect_reply").Example("ok").Advanced().
			Doc("For `REQ`: the reply that means success; any when absent."),
		spec.Strings(&o.Hosts, "allowed_hosts").
			Doc("Host names, addresses and CIDRs that this destination may connect to although the egress policy would refuse them."),
	}
}

// AllowedHosts are this destination's own exceptions from the egress policy.
func (o *Options) AllowedHosts() []string { return o.Hosts }

// Validate looks at the options together.
func (o *Options) Validate() []spec.Issue {
	var issues []spec.Issue
	add := func(warning bool, field, message, hint string) {
		issues = append(issues, spec.Issue{Field: field, Message: message, Hint: hint, Warning: warning})
	}
	for _, h := range o.Hosts {
		if err := netguard.CheckEntry(h); err != nil {
			add(false, "allowed_hosts", err.Error(), "")
		}
	}
	if o.Topic != "" && o.KindSet && o.Kind != Pub {
		add(true, "topic", fmt.Sprintf("does nothing with %s: only PUB has topics", o.Kind), "remove it")
	}
	if o.Expect != "" && o.KindSet && o.Kind != Req {
		add(true, "expect_reply", fmt.Sprintf("does nothing with %s: only REQ has replies", o.Kind), "remove it")
	}
	if !o.Confirm {
		add(true, "confirm", "is off: messages are lost when the peer goes away, and count as delivered", "")
	}
	if e, err := parse(o.Endpoint); err == nil {
		switch err := e.usable(o.Bind); {
		case o.BindSet && err != nil:
			add(false, "endpoint", err.Error(), "")
		case e.open() && (o.Bind || !o.BindSet):
			issues = append(issues, openToAll)
		}
	}
	if strings.HasPrefix(o.Endpoint, "inproc://") {
		issues = append(issues, reachesNobody)
	}
	slices.SortStableFunc(issues, func(a, b spec.Issue) int { return strings.Compare(a.Field+a.Message, b.Field+b.Message) })
	return issues
}

// Validate looks at the settings together.
func (c *Connection) Validate() []spec.Issue {
	switch e, err := parse(c.Endpoint); {
	case err == nil && c.Bind && e.open():
		return []spec.Issue{openToAll}
	case err == nil && e.network == "inproc":
		return []spec.Issue{reachesNobody}
	}
	return nil
}

// reachesNobody is no error: the original service's files load, and it took such
// an endpoint.
var reachesNobody = spec.Issue{
	Field: "endpoint", Warning: true, Message: "reaches sockets of hookd's own process only, and it has none that receive: every event becomes a dead letter",
	Hint: "ipc:// reaches other processes of this machine",
}

var openToAll = spec.Issue{
	Field: "endpoint", Warning: true, Message: "is bound on all addresses: who can reach this machine can connect, and gets events",
	Hint: "name the address of one network",
}

// endpoint is where a socket is.
type endpoint struct {
	network string // tcp, unix or inproc
	addr    string // as package net has it
	text    string
}

func checkEndpoint(s string) error {
	_, err := parse(s)
	return err
}

func parse(s string) (endpoint, error) {
	if len(s) > maxEndpoint {
		return endpoint{}, fmt.Errorf("is longer than %d bytes", maxEndpoint)
	}
	scheme, addr, ok := strings.Cut(s, "://")
	if !ok || addr == "" || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return endpoint{}, errors.New("is no endpoint: tcp://host:port or ipc:///path")
	}
	e := endpoint{network: scheme, addr: addr, text: s}
	switch scheme {
	case "tcp":
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			return endpoint{}, errors.New("is no endpoint: tcp://host:port, with an IPv6 address in brackets")
		}
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return endpoint{}, errors.New("has no port from 1 to 65535")
		}
		if host == "*" {
			host = ""
		}
		e.addr = net.JoinHostPort(host, port)
	case "ipc":
		e.network = "unix"
		if len(addr) > 100 {
			return endpoint{}, errors.New("has a path of more than 100 bytes, which no system takes for a socket")
		}
	case "inproc":
	default:
		return endpoint{}, errors.New("is neither tcp nor ipc")
	}
	return e, nil
}

// open reports an endpoint that is bound on all addresses.
func (e endpoint) open() bool {
	host, _, err := net.SplitHostPort(e.addr)
	if err != nil || e.network != "tcp" {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "" || err == nil && ip.IsUnspecified()
}

// usable reports what keeps the endpoint from being used so.
func (e endpoint) usable(bind bool) error {
	if e.open() && !bind {
		return errors.New("stands for all addresses of this machine, which nobody can connect to")
	}
	return nil
}

func checkTopic(s string) error {
	if len(s) > maxTopic {
		return fmt.Errorf("is longer than %d bytes", maxTopic)
	}
	return nil
}
