// Package redisconn is what the modules for Redis share: the connection, its
// settings, and what an answer of the server means.
package redisconn

import (
	"net"
	"strconv"
	"strings"

	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules/internal/link"
)

// Types are the values of "type" for a connection to Redis. The original
// service knew redis-rq, its documentation redis-publish, and it compared
// neither with the module.
func Types() []string { return []string{"redis", "redis-rq", "redis-publish"} }

const defaultPort = 6379

// Connection describes a server.
type Connection struct {
	Host        string
	Port        int
	User        string
	Password    secret.String
	DB          int
	TLS         link.TLS
	Connections int
	Hosts       []string
}

// Fields lists the settings.
func (c *Connection) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&c.Host, "host").Default("localhost").Check(spec.NotEmpty).Doc("Host name or address of the server."),
		spec.Int(&c.Port, "port").Default(defaultPort).Range(1, 65535).Doc("Port of the server."),
		spec.String(&c.User, "username").Alias("user").Doc("User of the server's access list (Redis 6 or newer); `default` when absent."),
		spec.OptionalSecret(&c.Password, "password").Alias("pass").Doc("Password of the user, or the one that all share (`requirepass`)."),
		spec.Int(&c.DB, "db").Alias("database").Default(0).Range(0, 1<<20).Doc("Number of the database. Channels are the same in all of them."),
		c.TLS.Field("tls").Alias("ssl"),
		spec.Int(&c.Connections, "connections").Default(8).Range(1, 1024).Advanced().
			Doc("TCP connections to open at most: how many sends can wait for the server at once. Each takes a batch at a time."),
		spec.Strings(&c.Hosts, "allowed_hosts").Advanced().
			Doc("Host names, addresses or CIDRs that may be reached although the egress policy would refuse them."),
	}
}

// Validate looks at the settings together.
func (c *Connection) Validate() []spec.Issue {
	if c.User != "" && c.Password.IsZero() {
		return []spec.Issue{{Field: "username", Message: "does nothing without a password", Warning: true}}
	}
	return nil
}

// AllowedHosts is what the egress policy opens for this connection.
func (c *Connection) AllowedHosts() []string { return c.Hosts }

func (c *Connection) host() string { return strings.Trim(c.Host, "[]") }

func (c *Connection) addr() string { return net.JoinHostPort(c.host(), strconv.Itoa(c.Port)) }
