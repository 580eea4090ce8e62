package mysql

import (
	"errors"
	"net"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules/internal/link"
)

const (
	defaultPort = 3306
	// maxPool is more connections than one server gives to one client.
	maxPool = 1000
)

// Connection describes a server and a database on it.
type Connection struct {
	Text     secret.String // instead of the parts
	Host     string
	Port     int
	Database string
	User     string
	Password secret.String
	PoolMin  int
	PoolMax  int
	TLS      link.TLS
	CAFile   string
	CertFile string
	KeyFile  string
	partsSet [5]bool // which parts were written
}

// Fields lists the settings.
func (c *Connection) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&c.Host, "host").Set(&c.partsSet[0]).Default("localhost").Check(notEmpty).Doc("Host name or address of the server."),
		spec.Int(&c.Port, "port").Set(&c.partsSet[1]).Default(defaultPort).Range(1, 65535).Doc("Port of the server."),
		spec.String(&c.Database, "database").Alias("dbname", "db").Set(&c.partsSet[2]).Default("mysql").Check(identifier).
			Doc("Database (schema) that the tables are in. Name one: the default is the server's own, as the original service had it."),
		spec.String(&c.User, "user").Alias("username").Set(&c.partsSet[3]).Default("root").Check(notEmpty).Doc("User to log in as."),
		spec.OptionalSecret(&c.Password, "password").Alias("pass").Set(&c.partsSet[4]).Doc("Password of the user; none when absent."),
		spec.Secret(&c.Text, "connection_string").Alias("dsn", "url").Advanced().
			Doc("All of that as one text, instead: `mysql://user:password@host:3306/database?tls=true`, with user and password percent-encoded. " +
				"`tls` is `true`, `false` or `skip-verify`; the settings of `tls` win over it."),
		c.TLS.Field("tls").Alias("ssl"),
		spec.String(&c.CAFile, "ssl_ca_cert").Alias("ssl_ca").Advanced().Doc("The original service's name of `tls.ca_file`."),
		spec.String(&c.CertFile, "ssl_cert").Advanced().Doc("The original service's name of `tls.cert_file`."),
		spec.String(&c.KeyFile, "ssl_key").Advanced().Doc("The original service's name of `tls.key_file`."),
		spec.Int(&c.PoolMin, "pool_min_size").Default(2).Range(0, maxPool).Advanced().
			Doc("Connections that stay open when nothing was sent for five minutes. They are opened when they are first needed."),
		spec.Int(&c.PoolMax, "pool_max_size").Alias("max_connections").Default(10).Range(1, maxPool).Advanced().
			Doc("Connections to open at most: how many batches are written at once."),
	}
}

// Validate looks at the settings together.
func (c *Connection) Validate() []spec.Issue {
	var issues []spec.Issue
	add := func(warning bool, field, message, hint string) {
		issues = append(issues, spec.Issue{Field: field, Message: message, Hint: hint, Warning: warning})
	}
	database := c.Database
	if !c.Text.IsZero() {
		for i, name := range []string{"host", "port", "database", "user", "password"} {
			if c.partsSet[i] {
				add(false, name, "goes with connection_string, which has it already", "remove one of the two")
			}
		}
		t, err := parseText(c.Text)
		if err != nil {
			add(false, "connection_string", err.Error(), "")
		} else {
			database = t.database
		}
	}
	if strings.EqualFold(database, "mysql") {
		add(true, "database", "is the server's own: events do not belong there", `name another: "database": "webhooks"`)
	}
	if c.PoolMin > c.PoolMax {
		add(false, "pool_min_size", "is more than pool_max_size", "")
	}
	for _, f := range []struct{ name, old, now string }{
		{"ssl_ca_cert", c.CAFile, c.TLS.CAFile}, {"ssl_cert", c.CertFile, c.TLS.CertFile}, {"ssl_key", c.KeyFile, c.TLS.KeyFile},
	} {
		switch {
		case f.old == "":
		case f.now != "":
			add(false, f.name, "is set in tls, too", "remove one of the two")
		case !c.TLS.On():
			add(true, f.name, "is not used: TLS is off", `add "ssl": true`)
		}
	}
	if (c.CertFile == "") != (c.KeyFile == "") {
		add(false, "ssl_cert", "ssl_cert and ssl_key go together", "")
	}
	return issues
}

// target is where to connect to and as whom.
type target struct {
	host, database, user string
	port                 int
	password             secret.String
	tls                  link.TLS
}

func (t target) addr() string {
	return net.JoinHostPort(strings.Trim(t.host, "[]"), strconv.Itoa(t.port))
}

// target puts the two forms together.
func (c *Connection) target() (target, error) {
	t := target{host: c.Host, port: c.Port, database: c.Database, user: c.User, password: c.Password}
	if !c.Text.IsZero() {
		var err error
		if t, err = parseText(c.Text); err != nil {
			return target{}, err
		}
	}
	if c.TLS.Written {
		t.tls = c.TLS
	}
	fill := func(into *string, from string) {
		if *into == "" {
			*into = from
		}
	}
	fill(&t.tls.CAFile, c.CAFile)
	fill(&t.tls.CertFile, c.CertFile)
	fill(&t.tls.KeyFile, c.KeyFile)
	return t, nil
}

func notEmpty(s string) error {
	if strings.TrimSpace(s) == "" {
		return errors.New("is empty")
	}
	return nil
}

// maxIdentifier is the length of the longest name, in characters.
const maxIdentifier = 64

// identifier checks the name of a database, a table or a column. All others can
// be quoted.
func identifier(s string) error {
	switch {
	case s == "":
		return errors.New("is empty")
	case utf8.RuneCountInString(s) > maxIdentifier:
		return errors.New("is longer than 64 characters")
	case !utf8.ValidString(s):
		return errors.New("is not UTF-8")
	case strings.HasSuffix(s, " "):
		return errors.New("ends with a space")
	}
	for _, r := range s {
		if r == 0 || r > 0xffff {
			return errors.New("has a character that no name may have")
		}
	}
	return nil
}
