package mqtt

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules/internal/link"
)

const (
	plainPort = 1883
	tlsPort   = 8883
	version   = "3.1.1"
	// maxPacket is what MQTT can say about the length of a packet (section 2.2.3).
	maxPacket = 268435455
)

// Connection describes a broker.
type Connection struct {
	Host       string
	Port       int
	User       string
	Password   secret.String
	ClientID   string
	KeepAlive  time.Duration
	Version    string
	TLS        link.TLS
	CAFile     string
	CertFile   string
	KeyFile    string
	Insecure   bool
	InFlight   int
	MaxMessage int64
}

// Fields lists the settings.
func (c *Connection) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&c.Host, "host").Default("localhost").Check(spec.NotEmpty).Doc("Host name or address of the broker."),
		spec.Int(&c.Port, "port").Range(1, 65535).Example(plainPort).Doc("Port of the broker: 1883, or with TLS 8883, when absent."),
		spec.String(&c.User, "username").Alias("user").Example("hookd").Check(checkText).Doc("User to log in as."),
		spec.OptionalSecret(&c.Password, "password").Alias("pass").Doc("Password."),
		spec.String(&c.ClientID, "client_id").Default("hookd").Check(checkClientID).
			Doc("Beginning of the client id. A random part follows, so that no two connections have the same one: the broker would close the older."),
		spec.Duration(&c.KeepAlive, "keepalive").Default(time.Minute).Check(checkKeepAlive).Advanced().
			Doc("How long the connection may be silent before hookd asks whether the broker is there; without an answer within 10s it counts as lost. Whole seconds, at most 65535; 0 never asks."),
		spec.String(&c.Version, "mqtt_version").Default(version).Advanced().
			Doc("Version of the protocol. hookd speaks 3.1.1, which brokers of version 5 take as well, and warns about any other value."),
		c.TLS.Field("tls").Alias("ssl"),
		spec.String(&c.CAFile, "tls_ca_cert_file").Alias("ca_certs").Doc("The same as `tls.ca_file`."),
		spec.String(&c.CertFile, "tls_cert_file").Doc("The same as `tls.cert_file`."),
		spec.String(&c.KeyFile, "tls_key_file").Doc("The same as `tls.key_file`."),
		spec.Bool(&c.Insecure, "tls_insecure").Default(false).Advanced().Doc("The same as `tls.insecure_skip_verify`."),
		spec.Int(&c.InFlight, "max_in_flight").Default(20).Range(1, 10000).Advanced().
			Doc("Messages with QoS 1 or 2 that may wait for the broker's answer at once. Mosquitto closes a connection that has more than 20 with QoS 2 (its `max_inflight_messages`)."),
		spec.Size(&c.MaxMessage, "max_message_size").Example(1<<20).Range(1, maxPacket).Advanced().
			Doc("Payload above which a message is not sent but given up, `too_large`. Set it to the broker's own limit: Mosquitto acknowledges a larger one and drops it. What MQTT can carry, 256 MiB, when absent."),
	}
}

// Validate looks at the settings together.
func (c *Connection) Validate() []spec.Issue {
	var issues []spec.Issue
	add := func(warning bool, field, message, hint string) {
		issues = append(issues, spec.Issue{Field: field, Message: message, Hint: hint, Warning: warning})
	}
	if c.User == "" && !c.Password.IsZero() {
		add(true, "password", "does nothing without a username", "MQTT 3.1.1 has no password without one")
	}
	if c.KeepAlive == 0 {
		add(true, "keepalive", "is off: a connection that is lost without a sign is noticed by the next message only, and with QoS 0 not even then", "")
	}
	if c.Version != version {
		add(true, "mqtt_version", fmt.Sprintf("%q does nothing: hookd speaks MQTT %s", c.Version, version), "brokers of version 5 take 3.1.1 as well; remove it")
	}
	for _, f := range []struct{ name, flat, nested, nestedName string }{
		{"tls_ca_cert_file", c.CAFile, c.TLS.CAFile, "ca_file"},
		{"tls_cert_file", c.CertFile, c.TLS.CertFile, "cert_file"},
		{"tls_key_file", c.KeyFile, c.TLS.KeyFile, "key_file"},
	} {
		switch {
		case f.flat == "":
		case f.nested != "" && f.nested != f.flat:
			add(false, f.name, "and tls."+f.nestedName+" name two files", "keep one")
		case !c.TLS.On():
			add(true, f.name, "does nothing: tls is off", `add "tls": true`)
		}
	}
	if (c.CertFile == "") != (c.KeyFile == "") {
		add(false, "tls_cert_file", "tls_cert_file and tls_key_file go together", "")
	}
	if c.Insecure && c.TLS.On() {
		add(true, "tls_insecure", "accepts any certificate", "set tls_ca_cert_file instead")
	}
	return issues
}

// tls are the settings of both forms.
func (c *Connection) tls() *link.TLS {
	t := c.TLS
	t.Insecure = t.Insecure || c.Insecure
	t.CAFile = cmp.Or(t.CAFile, c.CAFile)
	t.CertFile = cmp.Or(t.CertFile, c.CertFile)
	t.KeyFile = cmp.Or(t.KeyFile, c.KeyFile)
	return &t
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

// Options describe one destination.
type Options struct {
	Topic       string
	Prefix      string
	QoS         int
	Retained    bool
	Format      string
	Shelly      bool
	DeviceID    string
	Tasmota     bool
	TasmotaType string
	DeviceName  string
	Command     string
}

// Fields lists the options.
func (o *Options) Fields() spec.Fields {
	const placeholdersDoc = "`{uuid}` stands for the delivery's id, `{event}` for the event's, `{hook}` for the hook, `{type}` for the event's type."
	return spec.Fields{
		spec.String(&o.Topic, "topic").Example("webhooks/{hook}/{type}").
			Doc("Topic to publish to. Required without `tasmota_format`. " + placeholdersDoc),
		spec.String(&o.Prefix, "topic_prefix").Example("site-1").Doc("Levels to put before the topic."),
		spec.Int(&o.QoS, "qos").Default(1).Range(0, 2).
			Doc("Quality of service: with 1 and 2 a message counts when the broker has acknowledged it, with 0 when it is written to the socket."),
		spec.Bool(&o.Retained, "retained").Alias("retain").Default(false).
			Doc("Have the broker keep the last message for those who subscribe later. An empty body then removes what is kept."),
		spec.String(&o.Format, "format").Default("json").Advanced().
			Doc("`json` and `raw` are the same: the delivered bytes."),
		spec.Bool(&o.Shelly, "shelly_gen2_format").Default(false).
			Doc("Wrap the body as Shelly's second generation does: `{\"id\": device_id, \"source\": \"webhook\", \"params\": body}`."),
		spec.String(&o.DeviceID, "device_id").Default("webhook").Doc("The `id` of Shelly's form."),
		spec.Bool(&o.Tasmota, "tasmota_format").Default(false).
			Doc("Publish to a topic of Tasmota's, made of the three options below, instead of `topic`."),
		spec.String(&o.TasmotaType, "tasmota_type").Default("cmnd").
			Doc("`cmnd`: topic `cmnd/<device_name>/<command>`. `stat`: `stat/<device_name>/status`. `tele`: `tele/<device_name>/telemetry`."),
		spec.String(&o.DeviceName, "device_name").Default("webhook").Doc("Device in Tasmota's topics."),
		spec.String(&o.Command, "command").Default("webhook").Doc("Command in Tasmota's topic."),
	}
}

// Validate looks at the options together.
func (o *Options) Validate() []spec.Issue {
	var issues []spec.Issue
	add := func(warning bool, field, message string) {
		issues = append(issues, spec.Issue{Field: field, Message: message, Warning: warning})
	}
	field := "topic"
	if o.tasmota() {
		field = "device_name"
	}
	switch err := checkTopic(o.pattern()); {
	case o.Topic == "" && !o.tasmota():
		add(false, field, "is required without tasmota_format")
	case o.Prefix != "" && checkTopic(strings.TrimSpace(o.Prefix)) != nil:
		add(false, "topic_prefix", checkTopic(strings.TrimSpace(o.Prefix)).Error())
	case err != nil:
		add(false, field, err.Error())
	}
	if o.QoS == 0 {
		add(true, "qos", "is 0: a message counts as delivered when it is written to the socket, and what the network or the broker loses then is lost")
	}
	if o.Format != "json" && o.Format != "raw" {
		add(true, "format", fmt.Sprintf("%q is neither json nor raw, which are the same", o.Format))
	}
	if o.Shelly && o.Tasmota {
		add(true, "tasmota_format", "does nothing beside shelly_gen2_format")
	}
	if t := o.TasmotaType; o.tasmota() && t != "cmnd" && t != "stat" && t != "tele" {
		add(true, "tasmota_type", fmt.Sprintf("%q is taken as tele", t))
	}
	return issues
}

// tasmota reports whether Tasmota's form is used: Shelly's wins.
func (o *Options) tasmota() bool { return o.Tasmota && !o.Shelly }

func checkClientID(s string) error {
	const most = 1024
	if len(s) > most {
		return fmt.Errorf("is longer than %d bytes", most)
	}
	return checkText(s)
}

func checkKeepAlive(d time.Duration) error {
	if d > 65535*time.Second {
		return errors.New("is more than 65535 seconds")
	}
	return nil
}
