package clickhouse

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

// Settings that hookd sends where the server knows them.
const (
	settingAsync = "async_insert"
	settingToken = "insert_deduplication_token" // #nosec G101 -- the name of a setting
)

// client is an open connection: a few slots, each with a connection of its own
// that is opened when it is needed and anew when it was lost.
type client struct {
	env    modules.Env
	config *Connection
	addr   string
	all    []*slot
	busy   chan struct{}  // one for each slot in use
	work   sync.WaitGroup // inserts under way

	mu    sync.Mutex
	idle  []*slot         // the last one used is used first
	known map[string]bool // settings of ours and types that the server knows; nil is not asked yet
}

func open(ctx context.Context, env modules.Env, c *Connection) (*client, error) {
	k, err := newClient(ctx, env, c, c.Connections)
	if err == nil {
		_, err = k.settings(ctx)
		if err != nil {
			err = errors.Join(err, k.Close(ctx))
		}
	}
	if err != nil {
		return nil, err
	}
	return k, nil
}

func newClient(ctx context.Context, env modules.Env, c *Connection, connections int) (*client, error) {
	k := &client{env: env, config: c, addr: c.addr(), busy: make(chan struct{}, connections)}
	cfg, err := c.TLS.Client(strings.Trim(c.Host, "[]"))
	if err != nil {
		return nil, modules.Retry(modules.CodeTLS, fmt.Errorf("clickhouse: %s: %w", k.addr, err))
	}
	for range connections {
		s, err := newSlot(k, cfg)
		if err != nil {
			return nil, errors.Join(modules.Retry(modules.CodeUnknown, fmt.Errorf("clickhouse: %s: %w", k.addr, err)), k.Close(ctx))
		}
		k.all, k.idle = append(k.all, s), append(k.idle, s)
	}
	return k, nil
}

// Close ends the connections. Nothing is left to flush: a send returns when its
// rows are stored.
func (k *client) Close(context.Context) error {
	k.work.Wait() // those whose sends have ended are ending
	var errs []error
	for _, s := range k.all {
		errs = append(errs, s.db.Close())
		s.cut()
	}
	return errors.Join(errs...)
}

// do runs f with a connection that nobody else uses meanwhile. f ends soon after
// ctx does.
func (k *client) do(ctx context.Context, f func(driver.Conn) error) error {
	select {
	case k.busy <- struct{}{}:
	case <-ctx.Done():
		return link.Ended(ctx, fmt.Errorf("clickhouse: %s: all %d connections are busy", k.addr, cap(k.busy)))
	}
	s := k.take()
	defer k.put(s)
	if err := ctx.Err(); err != nil {
		return link.Ended(ctx, fmt.Errorf("clickhouse: %s: not asked", k.addr))
	}
	err := link.Bounded(ctx, s.cut, func() error { return f(s.db) })
	if err != nil {
		s.cut() // what failed half-way is not used again
		return k.failure(ctx, err)
	}
	return nil
}

func (k *client) take() *slot {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := len(k.idle) - 1
	s := k.idle[n]
	k.idle = k.idle[:n]
	return s
}

func (k *client) put(s *slot) {
	k.mu.Lock()
	k.idle = append(k.idle, s)
	k.mu.Unlock()
	<-k.busy
}

// settings tells which of hookd's settings the server knows, and of its newer
// types. It asks once: a server that refused an unknown one would take nothing
// at all.
func (k *client) settings(ctx context.Context) (map[string]bool, error) {
	k.mu.Lock()
	known := k.known
	k.mu.Unlock()
	if known != nil {
		return known, nil
	}
	known = make(map[string]bool)
	err := k.do(ctx, func(db driver.Conn) error {
		rows, err := db.Query(ctx, "SELECT name FROM system.settings WHERE name IN ('"+settingAsync+"', '"+settingToken+"')"+
			" UNION ALL SELECT name FROM system.data_type_families WHERE name IN ('"+typeStamp64+"', '"+typeDate32+"')")
		if err != nil {
			return err
		}
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				return errors.Join(err, rows.Close())
			}
			known[name] = true
		}
		return errors.Join(rows.Err(), rows.Close())
	})
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.known = known
	return known, nil
}

// forget has the server asked again: another one may be there by now.
func (k *client) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.known = nil
}

// slot is one connection at most.
type slot struct {
	db driver.Conn

	mu  sync.Mutex
	raw net.Conn // below TLS; the last one dialled
}

func newSlot(k *client, cfg *tls.Config) (*slot, error) {
	s := &slot{}
	product, version, _ := strings.Cut(k.env.Owner, "/")
	version, _, _ = strings.Cut(version, " ")
	o := &ch.Options{
		Addr:         []string{k.addr},
		Auth:         ch.Auth{Database: k.config.Database, Username: k.config.User, Password: k.config.Password.Reveal()},
		MaxOpenConns: 1, MaxIdleConns: 1, ConnMaxLifetime: time.Hour,
		Compression: &ch.Compression{Method: ch.CompressionLZ4},
	}
	o.ClientInfo.Products = []struct{ Name, Version string }{{product, version}}
	o.DialContext = func(ctx context.Context, addr string) (net.Conn, error) {
		raw, conn, err := link.Dial(ctx, k.env, addr, cfg)
		if err == nil {
			s.set(raw)
		}
		return conn, err
	}
	if k.config.protocol() == HTTP {
		o.Protocol, o.TLS = ch.HTTP, cfg
		o.DialContext = func(ctx context.Context, addr string) (net.Conn, error) {
			raw, _, err := link.Dial(ctx, k.env, addr, nil) // TLS is the transport's
			if err == nil {
				s.set(raw)
			}
			return raw, err
		}
		o.TransportFunc = func(t *http.Transport) (http.RoundTripper, error) {
			t.Proxy = nil // the environment has no say
			return stay{t}, nil
		}
	}
	var err error
	s.db, err = ch.Open(o)
	return s, err
}

// set notes the connection in use, and ends the one before.
func (s *slot) set(raw net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.raw != nil {
		_ = s.raw.Close()
	}
	s.raw = raw
}

// cut ends the connection; the next use opens another one.
func (s *slot) cut() { s.set(nil) }

// stay follows no redirection: it would carry the password elsewhere, and a
// payload into nowhere. Nor does it take another protocol, see netguard.Transport.
type stay struct{ t *http.Transport }

func (r stay) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := r.t.RoundTrip(req)
	if err == nil && (resp.StatusCode/100 == 3 || resp.StatusCode == http.StatusSwitchingProtocols) {
		_ = resp.Body.Close()
		return nil, &redirected{status: resp.Status}
	}
	return resp, err
}

// CloseIdleConnections lets http.Client reach the transport's.
func (r stay) CloseIdleConnections() { r.t.CloseIdleConnections() }

type redirected struct{ status string }

func (e *redirected) Error() string {
	return "answered " + strconv.Quote(e.status) + ", which leads elsewhere and is not followed: name the server itself"
}
