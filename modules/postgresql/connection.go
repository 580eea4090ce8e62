package postgresql

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules/internal/link"
)

// SSLMode is libpq's word for how TLS is used.
type SSLMode string

// The modes, weakest first.
const (
	SSLDisable    SSLMode = "disable"
	SSLAllow      SSLMode = "allow" // taken as prefer
	SSLPrefer     SSLMode = "prefer"
	SSLRequire    SSLMode = "require"
	SSLVerifyCA   SSLMode = "verify-ca"
	SSLVerifyFull SSLMode = "verify-full"
)

var sslModes = []SSLMode{SSLDisable, SSLAllow, SSLPrefer, SSLRequire, SSLVerifyCA, SSLVerifyFull}

const plainPort = 5432

// Connection describes a server and a database.
type Connection struct {
	DSN      secret.String
	Host     string
	HostSet  bool
	Port     int
	Database string
	User     string
	Password secret.String
	TLS      link.TLS
	CA       string
	Cert     string
	Key      string
	Mode     SSLMode
	PoolMax  int
	Prepare  bool
}

// Fields lists the settings.
func (c *Connection) Fields() spec.Fields {
	return spec.Fields{
		spec.Secret(&c.DSN, "connection_string").Alias("dsn", "url").
			Doc("Everything in one: `postgresql://user:password@host:5432/database?sslmode=verify-full`, or `host=... port=... dbname=... user=... password=...`. It wins over the settings below."),
		spec.String(&c.Host, "host").Set(&c.HostSet).Default("localhost").Doc("Host name or address of the server."),
		spec.Int(&c.Port, "port").Default(plainPort).Range(1, 65535).Doc("Port of the server."),
		spec.String(&c.Database, "database").Alias("dbname", "db").Default("postgres").Doc("Database."),
		spec.String(&c.User, "user").Alias("username").Default("postgres").Doc("Role to log in as."),
		spec.OptionalSecret(&c.Password, "password").Alias("pass").Doc("Password of the role."),
		c.TLS.Field("ssl").Alias("tls"),
		spec.Enum(&c.Mode, "sslmode", sslModes...).
			Doc("As libpq has it. `verify-full` when `ssl` is on or `ssl_ca_cert` is set; else `prefer`, which takes TLS where the server has it and proves nothing about the server."),
		spec.String(&c.CA, "ssl_ca_cert").Alias("sslrootcert").Doc("PEM file with the authorities to trust."),
		spec.String(&c.Cert, "ssl_cert").Alias("sslcert").Doc("PEM file with the certificate that hookd shows."),
		spec.String(&c.Key, "ssl_key").Alias("sslkey").Doc("PEM file with the key of `ssl_cert`."),
		spec.Int(&c.PoolMax, "pool_max_size").Alias("max_connections").Default(10).Range(1, 500).
			Doc("Connections to open at most."),
		spec.Bool(&c.Prepare, "prepared_statements").Default(true).Advanced().
			Doc("Prepare a statement once for each connection. Switch it off behind a PgBouncer older than 1.21 that pools transactions."),
		spec.Ignored("pool_min_size", "connections are opened when they are needed"),
	}
}

// Validate looks at the settings together.
func (c *Connection) Validate() []spec.Issue {
	var issues []spec.Issue
	_, err := c.target()
	var bad *badDSN
	switch {
	case errors.As(err, &bad):
		issues = append(issues, spec.Issue{Field: "connection_string", Message: bad.reason})
	case err != nil:
		issues = append(issues, spec.Issue{Field: "ssl_cert", Message: err.Error()})
	}
	if !c.DSN.IsZero() && c.HostSet {
		issues = append(issues, spec.Issue{Field: "host", Warning: true, Message: "does nothing beside connection_string", Hint: "remove one of them"})
	}
	return issues
}

// target is where to connect and how, once the two ways of writing are one.
type target struct {
	host, database, user, password string
	hostaddr                       string // where to connect, if not to host; "" for none
	port                           int
	mode                           SSLMode
	tls                            link.TLS
	params                         map[string]string // of the session
}

func (t *target) addr() string { return net.JoinHostPort(t.host, strconv.Itoa(t.port)) }

func (c *Connection) target() (*target, error) {
	t := &target{
		host: strings.Trim(cmp.Or(c.Host, "localhost"), "[]"), port: cmp.Or(c.Port, plainPort), database: c.Database, user: c.User,
		password: c.Password.Reveal(), mode: c.Mode, tls: c.TLS, params: map[string]string{},
	}
	t.tls.CAFile, t.tls.CertFile, t.tls.KeyFile = cmp.Or(t.tls.CAFile, c.CA), cmp.Or(t.tls.CertFile, c.Cert), cmp.Or(t.tls.KeyFile, c.Key)
	if !c.DSN.IsZero() {
		if err := t.parse(c.DSN.Reveal()); err != nil {
			return nil, err
		}
	}
	if (t.tls.CertFile == "") != (t.tls.KeyFile == "") {
		return nil, errors.New("ssl_cert and ssl_key go together")
	}
	switch off := t.tls.Written && !t.tls.Enabled; {
	case t.mode == "" && off:
		t.mode = SSLDisable
	case t.mode == "" && (t.tls.On() || t.tls.CAFile != ""):
		t.mode = SSLVerifyFull
	case t.mode == SSLRequire && t.tls.CAFile != "":
		t.mode = SSLVerifyCA // as in libpq
	case t.mode == "", t.mode == SSLAllow:
		t.mode = SSLPrefer
	}
	return t, nil
}

// badDSN says what is wrong with a connection string, without showing it.
type badDSN struct{ reason string }

func (e *badDSN) Error() string { return "connection_string " + e.reason }

// parse reads a connection string of either form. Nothing is taken from the
// environment, from service files or from password files.
func (t *target) parse(s string) error {
	set := make(map[string]string)
	if scheme, _, ok := strings.Cut(s, "://"); ok && (scheme == "postgres" || scheme == "postgresql") {
		u, err := url.Parse(s)
		if err != nil {
			return &badDSN{"is not a URL; what is special in a password is percent-encoded"} // the error would show the string
		}
		set["host"], set["port"], set["dbname"], set["user"] = u.Hostname(), u.Port(), strings.TrimPrefix(u.Path, "/"), u.User.Username()
		set["password"], _ = u.User.Password()
		for key, vs := range u.Query() {
			set[key] = vs[len(vs)-1]
		}
	} else if err := words(s, set); err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(set)) {
		if set[key] == "" {
			continue
		}
		if err := t.set(key, set[key]); err != nil {
			return err
		}
	}
	if set["host"] == "" && t.hostaddr != "" {
		t.host = t.hostaddr
	}
	if t.database == "" {
		t.database = t.user
	}
	return nil
}

func (t *target) set(key, v string) error {
	switch key {
	case "host", "hostaddr":
		if strings.ContainsAny(v, "/,") {
			return &badDSN{"names a socket or several hosts; one host is taken"}
		}
		if v = strings.Trim(v, "[]"); key == "hostaddr" {
			t.hostaddr = v
		} else {
			t.host = v
		}
	case "port":
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > 65535 {
			return &badDSN{"has a port that is none"}
		}
		t.port = n
	case "dbname", "database":
		t.database = v
	case "user":
		t.user = v
	case "password":
		t.password = v
	case "sslmode":
		if t.mode = SSLMode(v); !slices.Contains(sslModes, t.mode) {
			return &badDSN{"has an sslmode that is none of disable, allow, prefer, require, verify-ca, verify-full"}
		}
	case "ssl":
		t.tls.Written, t.tls.Enabled = true, v == "true"
	case "sslrootcert":
		t.tls.CAFile = v
	case "sslcert":
		t.tls.CertFile = v
	case "sslkey":
		t.tls.KeyFile = v
	case "application_name", "options", "search_path", "statement_timeout", "lock_timeout":
		t.params[key] = v
	case "connect_timeout", "target_session_attrs", "channel_binding", "gssencmode":
		// hookd has its own time-outs, needs a server that can be written to,
		// and binds the channel where it can.
	default:
		return &badDSN{fmt.Sprintf("has a setting that is not known, %.20q", key)}
	}
	return nil
}

// words reads key=value pairs, with libpq's quotes.
func words(s string, set map[string]string) error {
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		key, rest, ok := strings.Cut(s, "=")
		key = strings.TrimSpace(key)
		if !ok || key == "" || strings.ContainsAny(key, " \t\n'") {
			return &badDSN{"is neither a postgresql:// URL nor words of the form key=value"}
		}
		rest = strings.TrimLeft(rest, " \t\n")
		var v strings.Builder
		quoted := strings.HasPrefix(rest, "'")
		i, closed := 0, !quoted
		if quoted {
			i = 1
		}
		for end := false; i < len(rest) && !end; i++ {
			switch c := rest[i]; {
			case c == '\\' && i+1 < len(rest):
				i++
				v.WriteByte(rest[i])
			case quoted && c == '\'':
				closed, end = true, true
			case quoted || c != ' ' && c != '\t' && c != '\n':
				v.WriteByte(c)
			default:
				end = true
			}
		}
		if !closed {
			return &badDSN{"has a quote that is not closed"}
		}
		set[key], s = v.String(), rest[min(i, len(rest)):]
	}
	return nil
}
