package cmd

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/server/plan"
)

// Settings is hookd.yaml: what the daemon is told besides its hooks and
// connections.
type Settings struct {
	Listen      string
	AdminListen string
	DataDir     string
	Webhooks    string
	Connections string
	Dev         bool

	Admin      adminSettings
	Reload     reloadSettings
	Queue      queueSettings
	Quarantine quarantineSettings
	Delivery   deliverySettings
	EventLog   eventLogSettings
	Egress     egressSettings
	Limits     limitSettings
	HTTP       httpSettings
	Stats      statsSettings
	OpenAPI    openAPISettings
	Cleanup    cleanupSettings
	Compat     compatSettings
	Log        logSettings
}

// Fields describes hookd.yaml.
func (s *Settings) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&s.Listen, "listen").Default(":8000").Check(address).
			Doc("Address of the public listener."),
		spec.String(&s.AdminListen, "admin_listen").Default("127.0.0.1:8001").Check(addressOrOff).
			Doc("Address of the admin listener, or `off`. On any other address than loopback `admin.token` is required."),
		spec.String(&s.DataDir, "data_dir").Default("./hookd-data").
			Doc("Folder of the queue. It must be on a local disk and belongs to one hookd at a time."),
		spec.String(&s.Webhooks, "webhooks").Default("webhooks.json").
			Doc("File, or folder of files, with the hooks."),
		spec.String(&s.Connections, "connections").Default("connections.json").
			Doc("File, or folder of files, with the connections. It need not be there."),
		spec.Bool(&s.Dev, "dev").
			Doc("For trying out: needs no files, allows loopback destinations, and shows each event as it passes."),
		spec.Object(&s.Admin, "admin").Doc("The admin listener."),
		spec.Object(&s.Reload, "reload").Doc("Reading the files again."),
		spec.Object(&s.Queue, "queue").Doc("Bounds of the queue."),
		spec.Object(&s.Quarantine, "quarantine").Doc("What is kept of requests that a proof refused, to look into them and to accept them after all. They are encrypted."),
		spec.Object(&s.Delivery, "delivery").Doc("What holds for a destination that sets nothing else."),
		spec.Object(&s.EventLog, "event_log").Doc("A table of ClickHouse that every accepted event is written to, besides what its hook does with it."),
		spec.Object(&s.Egress, "egress").Doc("Where hookd may connect to. Addresses are checked when they are dialled, after DNS."),
		spec.Object(&s.Limits, "limits").Doc("What a stranger may send."),
		spec.Object(&s.HTTP, "http").Doc("Answers of the public listener."),
		spec.Object(&s.Stats, "stats").Doc("Who may read `GET /stats`."),
		spec.Object(&s.OpenAPI, "openapi").Doc("`/openapi.json`, `/docs` and `/redoc`."),
		spec.Object(&s.Cleanup, "credential_cleanup").Doc("Credentials in bodies."),
		spec.Object(&s.Compat, "compat").Doc("Behaviour of the original service that hookd does not have by itself."),
		spec.Object(&s.Log, "log").Doc("The daemon's own log, on stderr."),
	}
}

// Validate has the rules that span settings.
func (s *Settings) Validate() []spec.Issue {
	if s.AdminListen == off || s.AdminListen == "" || !s.Admin.Token.IsZero() || isLoopback(s.AdminListen) {
		return nil
	}
	return []spec.Issue{{
		Field:   "admin_listen",
		Message: fmt.Sprintf("%q is not loopback, so that anybody could read and replay events", s.AdminListen),
		Hint:    "set admin.token, or listen on 127.0.0.1:8001",
	}}
}

type adminSettings struct {
	Token secret.String
	Hosts []string
	Pprof bool
}

// Fields describes the admin listener.
func (s *adminSettings) Fields() spec.Fields {
	return spec.Fields{
		spec.Secret(&s.Token, "token").Doc("Bearer token that the admin API asks for. Commands of hookd read it from here too."),
		spec.Strings(&s.Hosts, "hosts").Doc("Values of the Host header that are allowed besides loopback."),
		spec.Bool(&s.Pprof, "pprof").Advanced().Doc("Serve `/debug/pprof`."),
	}
}

type reloadSettings struct {
	Watch    bool
	Debounce time.Duration
	Token    secret.String
}

// Fields describes reloading.
func (s *reloadSettings) Fields() spec.Fields {
	return spec.Fields{
		spec.Bool(&s.Watch, "watch").Doc("Read the files again when they change. Files with errors change nothing."),
		spec.Duration(&s.Debounce, "debounce").Default(3*time.Second).Range(0.1, 3600).
			Doc("How long the files must be quiet before they are read."),
		spec.Secret(&s.Token, "token").Doc("Opens `/admin/reload-config` and `/admin/config-status` on the public listener; closed without it."),
	}
}

type queueSettings struct {
	MaxDisk, MinFree, HistoryBytes int64
	HistoryAge, DeadAge            time.Duration
	UnsafeNoSync                   bool
}

// Fields describes the queue.
func (s *queueSettings) Fields() spec.Fields {
	return spec.Fields{
		spec.Size(&s.MaxDisk, "max_disk").Default(10<<30).Range(16<<20, 1<<60).Doc("Disk that the queue may use. Beyond it requests are answered 503."),
		spec.Size(&s.MinFree, "min_free").Default(512<<20).Range(0, 1<<60).Doc("Free disk below which requests are answered 503."),
		spec.Duration(&s.HistoryAge, "history_age").Default(72*time.Hour).Range(0, 10*365*86400).Doc("How long settled events can be looked at and replayed."),
		spec.Size(&s.HistoryBytes, "history_bytes").Default(2<<30).Range(0, 1<<60).Doc("Disk that settled events may use; the oldest go first."),
		spec.Duration(&s.DeadAge, "dead_age").Default(30*24*time.Hour).Range(3600, 10*365*86400).Doc("How long dead letters are kept."),
		spec.Bool(&s.UnsafeNoSync, "unsafe_no_sync").Advanced().Doc("Do not wait for the disk. A power cut then loses events that senders were told are safe."),
	}
}

type quarantineSettings struct {
	Enabled               bool
	MaxEntries, PerMinute int
	MaxBytes, MaxBody     int64
	MaxAge                time.Duration
}

// Fields describes the quarantine.
func (s *quarantineSettings) Fields() spec.Fields {
	return spec.Fields{
		spec.Bool(&s.Enabled, "enabled").Default(true).Doc("Keep them. A hook without a proof refuses nothing by one, so that nothing of it is kept."),
		spec.Int(&s.MaxEntries, "max_entries").Default(1000).Range(1, 100000).Doc("Requests; the oldest of the hook that has most go first."),
		spec.Size(&s.MaxBytes, "max_bytes").Default(64<<20).Range(1<<20, 1<<40).Doc("Disk that they may use."),
		spec.Size(&s.MaxBody, "max_body").Default(1<<20).Range(0, 8<<20).Doc("Size of a body that is kept; of a larger one only facts are, and it cannot be retried."),
		spec.Int(&s.PerMinute, "per_minute").Default(60).Range(1, 60000).Doc("Requests of one hook that are kept by the minute."),
		spec.Duration(&s.MaxAge, "max_age").Default(72*time.Hour).Range(60, 365*86400).Doc("How long they are kept."),
	}
}

type deliverySettings struct {
	Timeout, Grace      time.Duration
	Concurrency, Global int
}

// Fields describes the defaults of destinations.
func (s *deliverySettings) Fields() spec.Fields {
	return spec.Fields{
		spec.Duration(&s.Timeout, "timeout").Default(30*time.Second).Range(0.1, 3600).Doc("Time for one attempt."),
		spec.Int(&s.Concurrency, "concurrency").Default(16).Range(1, 10000).Doc("Attempts at once of one lane."),
		spec.Int(&s.Global, "global").Default(512).Range(1, 100000).Doc("Attempts at once of all lanes."),
		spec.Duration(&s.Grace, "grace").Default(25*time.Second).Range(0, 3600).Doc("Time for attempts under way when hookd stops; what is not done then goes back to the queue."),
	}
}

type eventLogSettings struct {
	Connection, Table string

	node *spec.Node // where it is written
}

// settings are what the plan reads.
func (s *eventLogSettings) settings() plan.EventLogSettings {
	return plan.EventLogSettings{Connection: s.Connection, Table: s.Table, Node: s.node}
}

// Fields describes the event log.
func (s *eventLogSettings) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&s.Connection, "connection").Example("clickhouse_analytics").
			Doc("Connection of the type `clickhouse`, by its name in connections.json. Without it there is no event log. Rows that cannot be written in time are dropped and counted; no delivery waits for them."),
		spec.String(&s.Table, "table").Default("webhook_logs").Doc("Table, which is created where it is missing, as the module `clickhouse` describes it; the `id` is the event's."),
	}
}

type egressSettings struct {
	Allow                       []string
	AllowLoopback, AllowPrivate bool
}

// Fields describes the egress policy.
func (s *egressSettings) Fields() spec.Fields {
	return spec.Fields{
		spec.Strings(&s.Allow, "allow").Check(each(netguard.CheckEntry)).Example([]string{"10.0.0.0/8", "hooks.internal"}).
			Doc("Host names, addresses and CIDRs that destinations may reach although they are not public."),
		spec.Bool(&s.AllowLoopback, "allow_loopback").Doc("Allow loopback addresses."),
		spec.Bool(&s.AllowPrivate, "allow_private").Doc("Allow private addresses (RFC 1918, RFC 4193)."),
	}
}

const off = "off"

// address is "host:port", where the host may be missing.
func address(s string) error {
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return fmt.Errorf("%q is not host:port", s)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q is not a port: 0 to 65535", port)
	}
	return nil
}

func addressOrOff(s string) error {
	if s == off {
		return nil
	}
	return address(s)
}

func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

func httpURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("not an http or https URL")
	}
	return nil
}
