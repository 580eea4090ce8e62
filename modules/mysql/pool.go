package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"github.com/hookd/hookd/modules"
)

const (
	// idleAfter is how long nothing must have been sent before connections
	// beyond pool_min_size are closed.
	idleAfter = 5 * time.Minute
	// oldestConn bounds the life of a connection, so that a server that came back
	// behind a load balancer is used again.
	oldestConn = time.Hour
	// envelope is what a statement takes of a packet beside its values, in bytes.
	envelope = 4 << 10
)

// session is what hookd wants of every connection. autocommit may be off on a
// server, and would lose all that was "delivered"; without the strict mode
// values are cut to fit; and times are UTC.
var session = map[string]string{
	"autocommit":               "1",
	"sql_mode":                 "'STRICT_ALL_TABLES,STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,NO_ZERO_DATE,NO_ZERO_IN_DATE'",
	"time_zone":                "'+00:00'",
	"innodb_lock_wait_timeout": "10",
}

// client is a pool of connections. One that broke is replaced; when the server
// is gone the host opens another pool.
type client struct {
	env     modules.Env
	config  *Connection
	target  target
	db      *sql.DB
	server  string // its version
	mariadb bool
	packet  int // bytes of the largest statement that the server takes

	mu     sync.Mutex
	idle   *time.Timer
	closed bool
}

func open(ctx context.Context, env modules.Env, c *Connection) (*client, error) {
	k, err := connect(ctx, env, c)
	if err != nil {
		f := modules.FailureOf(err)
		f.Err = fmt.Errorf("mysql: %s: %w", k.target.addr(), f.Err)
		return nil, &f
	}
	return k, nil
}

// connect always returns a client, for its address.
func connect(ctx context.Context, env modules.Env, c *Connection) (*client, error) {
	k := &client{env: env, config: c}
	var err error
	if k.target, err = c.target(); err != nil {
		return k, modules.Retry(modules.CodeRefused, err)
	}
	tls, err := k.target.tls.Client(strings.Trim(k.target.host, "[]"))
	if err != nil {
		return k, modules.Retry(modules.CodeTLS, err)
	}
	cfg := driver.NewConfig()
	cfg.User, cfg.Passwd, cfg.DBName = k.target.user, k.target.password.Reveal(), k.target.database
	cfg.Net, cfg.Addr, cfg.TLS = "tcp", k.target.addr(), tls
	cfg.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) { return env.Dial(ctx, network, addr) }
	cfg.Params = session
	cfg.MaxAllowedPacket = 0 // ask
	cfg.ClientFoundRows = true
	cfg.Logger = &driver.NopLogger{} // what it would print is also returned
	product, _, _ := strings.Cut(env.Owner, " ")
	cfg.ConnectionAttributes = "program_name:" + strings.NewReplacer(",", " ", ":", " ").Replace(product)
	if err := cfg.Apply(driver.Charset("utf8mb4", "")); err != nil {
		return k, modules.Retry(modules.CodeRefused, err)
	}
	connector, err := driver.NewConnector(cfg)
	if err != nil {
		return k, modules.Retry(modules.CodeRefused, err)
	}
	k.db = sql.OpenDB(connector)
	k.db.SetMaxOpenConns(c.PoolMax)
	k.db.SetMaxIdleConns(c.PoolMax)
	k.db.SetConnMaxLifetime(oldestConn)
	k.idle = time.AfterFunc(idleAfter, k.shrink)
	if err := k.greet(ctx); err != nil {
		_ = k.Close(ctx)
		return k, err
	}
	return k, nil
}

// greet asks what the server is like.
func (k *client) greet(ctx context.Context) error {
	var flush int
	err := k.db.QueryRowContext(ctx, "SELECT VERSION(), @@max_allowed_packet, @@innodb_flush_log_at_trx_commit").Scan(&k.server, &k.packet, &flush)
	if err != nil {
		return k.classify(ctx, err, "", true)
	}
	k.mariadb = strings.Contains(strings.ToLower(k.server), "mariadb")
	k.packet -= envelope
	if flush != 1 && k.env.Log != nil {
		k.env.Log.WarnContext(ctx, "mysql: the server does not write every commit to disk: what it has taken is lost when its machine goes down",
			"address", k.target.addr(), "innodb_flush_log_at_trx_commit", flush)
	}
	return nil
}

// used puts the closing of idle connections off.
func (k *client) used() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.closed {
		k.idle.Reset(idleAfter)
	}
}

// shrink closes idle connections beyond pool_min_size.
func (k *client) shrink() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.closed {
		k.db.SetMaxIdleConns(k.config.PoolMin)
		k.db.SetMaxIdleConns(k.config.PoolMax)
	}
}

// Close ends all connections. Nothing is left to flush: a send returns when its
// rows are committed.
func (k *client) Close(context.Context) error {
	k.mu.Lock()
	k.closed = true
	k.idle.Stop()
	k.mu.Unlock()
	_ = k.db.Close() // how connections end that broke is of no interest
	return nil
}
