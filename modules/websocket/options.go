package websocket

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/internal/spec"
)

// Format is what a message holds.
type Format string

// The formats. The original service took every other word for raw.
const (
	JSON Format = "json"
	Raw  Format = "raw"
)

// Frame is the type of message that a delivery becomes.
type Frame string

// The types.
const (
	Auto   Frame = "auto"
	Text   Frame = "text"
	Binary Frame = "binary"
)

const maxTimeout = 10 * time.Minute

// Connection describes a server that several destinations share.
type Connection struct{ Server Server }

// Fields lists the settings.
func (c *Connection) Fields() spec.Fields { return c.Server.fields(c.Server.url().Required()) }

// Validate looks at the settings together.
func (c *Connection) Validate() []spec.Issue { return c.Server.issues() }

// Options describe one destination.
type Options struct {
	Server Server
	Hosts  []string

	Format  Format
	Frame   Frame
	Headers bool // in the envelope
	Forward bool // the sender's among them
	MaxSize int64

	Wait    bool // for a reply
	MatchID bool
	Expect  string
	Confirm bool // by ping and pong
	Timeout time.Duration

	Sockets     int
	Ping        time.Duration
	MaxReply    int64
	RejectCodes []string
}

// Fields lists the options.
func (o *Options) Fields() spec.Fields {
	return append(o.Server.fields(o.Server.url()), spec.Fields{
		spec.String(&o.Format, "format").Default(JSON).
			Doc("`json`: an object with the delivered body as `payload`. `raw`, or any other word: the delivered bytes and nothing else."),
		spec.Enum(&o.Frame, "frame", Auto, Text, Binary).Alias("message_type").Default(Auto).
			Doc("Type of the messages. `auto`: text where the bytes are UTF-8, and else binary; with `text` those that are not are given up."),
		spec.Bool(&o.Headers, "include_headers").Default(false).
			Doc("With `json`: send `headers`, too. Without it, or `match_id`, a message does not carry its delivery's id."),
		spec.Bool(&o.Forward, "forward_headers").Default(true).
			Doc("With `include_headers`: the sender's headers are among them, all but credentials."),
		spec.Bool(&o.Wait, "wait_for_response").Default(false).
			Doc("A delivery counts when the server has replied. The one to choose where each event counts."),
		spec.String(&o.Expect, "expect_reply").Example("ok").
			Doc("With `wait_for_response`: the reply that means success; any when absent."),
		spec.Bool(&o.MatchID, "match_id").Default(false).
			Doc("With `wait_for_response` and `json`: send the delivery's id as `id`, and take only that message for the reply which is a JSON object with the same `id`. Many are under way at once, and what else the server says is not taken for a reply. A reply with an `error` is none."),
		spec.Bool(&o.Confirm, "confirm").Default(true).
			Doc("Without `wait_for_response`: a delivery counts when the server has answered a ping that was sent behind it. When false it counts when the operating system has it, and is lost when the connection is."),
		spec.Duration(&o.Timeout, "timeout").Default(10 * time.Second).Check(checkTimeout).
			Doc("How long one attempt may take: to connect, and then to send and be confirmed."),
		spec.Strings(&o.Hosts, "allowed_hosts").Check(checkHosts).
			Doc("Host names, addresses or CIDRs that this destination may reach although the egress policy would refuse them."),
		spec.Int(&o.Sockets, "max_connections").Default(1).Range(1, 64).
			Doc("Connections to keep. With one, deliveries that do not overtake each other in hookd do not on the way; without `match_id` it also means that one reply is waited for at a time."),
		spec.Duration(&o.Ping, "ping_interval").Default(20 * time.Second).Advanced().
			Doc("How often hookd sends a ping over a connection that is idle. Nothing heard for as long again, or a second, means that it is lost. 0 never asks."),
		spec.Size(&o.MaxSize, "max_message_size").Example(1<<20).Range(1, 1<<30).Advanced().
			Doc("Message above which a delivery is not sent but given up, `too_large`. Servers have limits of their own, 1 MiB for example, and close the connection over a message above it."),
		spec.Size(&o.MaxReply, "max_reply_size").Default(1<<20).Range(1, 64<<20).Advanced().
			Doc("A message of the server above this ends the connection."),
		spec.Strings(&o.RejectCodes, "reject_codes").Example([]string{"4400"}).Check(checkCodes).Advanced().
			Doc("Close codes by which the server says that it will never take a delivery, beside 1003, 1007 and 1009."),
		spec.Ignored("max_retries", "hookd tries again by itself: `retry.max_attempts`"),
		spec.Ignored("path", "the path is a part of `url`"),
		spec.Ignored("broadcast", "hookd connects to one server, which can"),
	}...)
}

// Standalone reports whether no connection is needed.
func (o *Options) Standalone() bool { return o.Server.URL != (url.URL{}) }

// AllowedHosts are this destination's own exceptions from the egress policy.
func (o *Options) AllowedHosts() []string { return o.Hosts }

// Validate looks at the options together.
func (o *Options) Validate() []spec.Issue {
	issues := o.Server.issues()
	add := func(wrong bool, warning bool, field, message, hint string) {
		if wrong {
			issues = append(issues, spec.Issue{Field: field, Message: message, Hint: hint, Warning: warning})
		}
	}
	add(o.Format != JSON && o.Format != Raw, true, "format", fmt.Sprintf("%q is the same as raw", o.Format), `write "json" or "raw"`)
	add(o.Format != JSON && o.Headers, true, "include_headers", "does nothing: only json has a place for headers", "")
	add(!o.Wait && o.Expect != "", false, "expect_reply", "no reply is waited for", `add "wait_for_response": true`)
	add(!o.Wait && o.MatchID, false, "match_id", "no reply is waited for", `add "wait_for_response": true`)
	add(o.Format != JSON && o.MatchID, false, "match_id", "only json has a place for the id", `write "format": "json"`)
	add(o.MatchID && o.Expect != "", false, "expect_reply", "and match_id do not go together: replies with an id differ", "keep one")
	add(!o.Confirm && !o.Wait, true, "confirm", "is off: events are lost when the connection is, and count as delivered", "")
	add(o.Server.URL == (url.URL{}) && o.Server.TLS.Written, false, "tls", "belongs to the url, which is the connection's", "write it there")
	slices.SortStableFunc(issues, func(a, b spec.Issue) int { return strings.Compare(a.Field+a.Message, b.Field+b.Message) })
	return issues
}

func checkTimeout(d time.Duration) error {
	if d <= 0 || d > maxTimeout {
		return errors.New("is not above 0 and at most 10 minutes")
	}
	return nil
}

func checkHosts(all []string) error {
	var errs []error
	for _, h := range all {
		errs = append(errs, netguard.CheckEntry(h))
	}
	return errors.Join(errs...)
}

// checkCodes takes the codes that a server can choose for its own reasons.
func checkCodes(all []string) error {
	for _, s := range all {
		if n, err := strconv.Atoi(s); err != nil || n != closePolicy && (n < 3000 || n > 4999) {
			return errors.New("holds what is neither 1008 nor a code from 3000 to 4999")
		}
	}
	return nil
}
