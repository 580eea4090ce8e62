package clickhouse

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
	"github.com/hookd/hookd/modules/internal/rows"
)

// Protocol is how the server is spoken to.
type Protocol string

// The protocols.
const (
	Native Protocol = "native"
	HTTP   Protocol = "http"
)

// Ports where ClickHouse listens by default.
const (
	nativePort    = 9000
	nativeTLSPort = 9440
	httpPort      = 8123
	httpTLSPort   = 8443
)

// Connection describes a server.
type Connection struct {
	Host        string
	Port        int
	Protocol    Protocol // "" is by the port
	Database    string
	User        string
	Password    secret.String
	TLS         link.TLS
	Connections int
	Settings    map[string]string
}

// Fields lists the settings.
func (c *Connection) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&c.Host, "host").Default("localhost").Check(notEmpty).Doc("Host name or address of the server."),
		spec.Int(&c.Port, "port").Range(1, 65535).Example(nativePort).
			Doc("Port of the server: 9000 (with TLS 9440), or for HTTP 8123 (with TLS 8443), when absent."),
		spec.Enum(&c.Protocol, "protocol", Native, HTTP).
			Doc("Protocol to speak. When absent it follows from the port: `http` for 8123 and 8443, `native` for any other."),
		spec.String(&c.Database, "database").Alias("db").Default("default").Check(notEmpty).Doc("Database that the tables are in. It must be there."),
		spec.String(&c.User, "user").Alias("username").Default("default").Check(notEmpty).Doc("User to log in as."),
		spec.OptionalSecret(&c.Password, "password").Alias("pass").Doc("Password; none when absent."),
		c.TLS.Field("tls").Alias("ssl", "secure"),
		spec.Int(&c.Connections, "connections").Default(4).Range(1, 64).Advanced().
			Doc("Connections to open at most: how many inserts can be under way at once."),
		spec.StringMap(&c.Settings, "settings").Check(checkSettings).Advanced().
			Doc("Settings of ClickHouse to send with each insert, such as `insert_quorum`."),
	}
}

// protocol is how to speak.
func (c *Connection) protocol() Protocol {
	switch {
	case c.Protocol != "":
		return c.Protocol
	case c.Port == httpPort, c.Port == httpTLSPort:
		return HTTP
	}
	return Native
}

// addr is where to connect.
func (c *Connection) addr() string {
	port := c.Port
	switch on, http := c.TLS.On(), c.protocol() == HTTP; {
	case port != 0:
	case http && on:
		port = httpTLSPort
	case http:
		port = httpPort
	case on:
		port = nativeTLSPort
	default:
		port = nativePort
	}
	return net.JoinHostPort(strings.Trim(c.Host, "[]"), strconv.Itoa(port))
}

// Engine is the table engine of a table that hookd creates.
type Engine string

// The engines.
const (
	Replacing Engine = "ReplacingMergeTree"
	MergeTree Engine = "MergeTree"
)

// Options describe one destination.
type Options struct {
	Table          string
	Create         bool
	Engine         Engine
	IncludeHeaders bool
	BatchSize      int
	FlushInterval  time.Duration
	Schema         any
}

// Fields lists the options.
func (o *Options) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&o.Table, "table").Default("webhook_logs").Check(tableName).
			Doc("Table to insert into: 1 to 200 letters, digits and underscores."),
		spec.Any(&o.Schema, "schema").Example(map[string]any{"fields": map[string]any{
			"amount": map[string]any{"column": "amount", "type": "numeric(12,2)", "path": "data.amount", "constraints": []any{rows.NotNull}},
		}}).
			Doc("Columns to fill from the body, instead of `payload` and `headers`: `{\"column\": \"type\"}`, or `fields` as described above."),
		spec.Bool(&o.Create, "create").Default(true).Doc("Create the table where it is missing, and the columns of `schema` that are. What is there is never changed or dropped."),
		spec.Enum(&o.Engine, "engine", Replacing, MergeTree).Default(Replacing).Advanced().
			Doc("Engine of a table that is created. With `MergeTree` the server never drops a repeat."),
		spec.Bool(&o.IncludeHeaders, "include_headers").Default(true).
			Doc("Write the sender's headers, all but credentials, into the column `headers`, which is `{}` otherwise. Without a `schema`."),
		spec.Int(&o.BatchSize, "batch_size").Default(batchItems).Range(1, batchItems).
			Doc("Rows of one insert at most. As many deliveries that wait are inserted at once."),
		spec.Duration(&o.FlushInterval, "flush_interval").Default(200 * time.Millisecond).Check(checkInterval).
			Doc("Time between two inserts into the table, unless `batch_size` rows wait: an insert makes a part, and ClickHouse refuses " +
				"inserts when there are too many. Up to 10s; 0 inserts at once."),
		spec.Ignored("include_timestamp", "the timestamp is always written: the table is sorted by it"),
	}
}

// maxTable leaves room for what ClickHouse appends to names of files.
const maxTable = 200

func tableName(s string) error {
	if s == "" || len(s) > maxTable || strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
		return fmt.Errorf("is not 1 to %d letters, digits and underscores", maxTable)
	}
	return nil
}

func checkInterval(d time.Duration) error {
	if d > 10*time.Second {
		return errors.New("is longer than 10 seconds")
	}
	return nil
}

// ours are settings on which it depends that nothing is lost.
var ours = []string{settingAsync, settingToken}

func checkSettings(m map[string]string) error {
	for name := range m {
		switch {
		case slices.Contains(ours, name):
			return fmt.Errorf("%q is set by hookd", name)
		case name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "":
			return fmt.Errorf("%q is no name of a setting", name)
		}
	}
	return nil
}

func notEmpty(s string) error {
	if strings.TrimSpace(s) == "" {
		return errors.New("is empty")
	}
	return nil
}
