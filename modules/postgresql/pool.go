package postgresql

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

// client is a pool of connections, opened when they are needed. When the server
// is lost the host opens another pool.
type client struct {
	env    modules.Env
	config *Connection
	target *target

	slots chan struct{} // one for each connection in use
	mu    sync.Mutex
	idle  []*session
	work  sync.WaitGroup // connections that are being closed
}

// session is one connection of the pool. One send has it for itself.
type session struct {
	*pgconn.PgConn
	raw      net.Conn // below TLS
	prepared map[string]bool
	begin    string // what each transaction begins with; "" for nothing
}

// open connects once, so that what is wrong with the connection is seen before
// the first delivery.
func open(ctx context.Context, env modules.Env, c *Connection) (*client, error) {
	t, err := c.target()
	if err != nil {
		return nil, err
	}
	k := &client{env: env, config: c, target: t, slots: make(chan struct{}, max(c.PoolMax, 1))}
	s, err := k.take(ctx)
	if err != nil {
		return nil, err
	}
	k.put(s)
	return k, nil
}

// take gets a session, and connects where none is idle. It waits while all are
// in use.
func (k *client) take(ctx context.Context) (*session, error) {
	select {
	case k.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, link.Ended(ctx, fmt.Errorf("postgresql: %s: all %d connections are in use", k.target.addr(), cap(k.slots)))
	}
	k.mu.Lock()
	if n := len(k.idle); n > 0 {
		s := k.idle[n-1]
		k.idle = k.idle[:n-1]
		k.mu.Unlock()
		return s, nil
	}
	k.mu.Unlock()
	s, err := k.connect(ctx)
	if err != nil {
		<-k.slots
		f := modules.FailureOf(err)
		f.Err = fmt.Errorf("postgresql: %s: %w", k.target.addr(), f.Err)
		return nil, &f
	}
	return s, nil
}

// put gives a session back. One that ended takes the idle ones with it: they led
// to the same server.
func (k *client) put(s *session) {
	if !s.IsClosed() {
		k.mu.Lock()
		k.idle = append(k.idle, s)
		k.mu.Unlock()
		<-k.slots
		return
	}
	k.drop(s)
	<-k.slots
	k.mu.Lock()
	idle := k.idle
	k.idle = nil
	k.mu.Unlock()
	for _, other := range idle {
		k.drop(other)
	}
}

// drop ends a session without a farewell. What the library itself does to end
// one that failed is waited for by Close.
func (k *client) drop(s *session) {
	_ = s.raw.Close()
	if s.IsClosed() {
		k.work.Go(func() { <-s.CleanupDone() })
	}
}

func (k *client) connect(ctx context.Context) (*session, error) {
	// Everything that the library would look up in the environment and the home
	// directory is overwritten.
	cfg, err := pgconn.ParseConfig("host=localhost port=5432 user=x password=x dbname=x sslmode=disable sslcertmode=allow target_session_attrs=any passfile=/dev/null")
	if err != nil {
		return nil, fmt.Errorf("the library's settings; is there a PGSERVICE in the environment? Remove it: %w", err)
	}
	t := k.target
	cfg.Host, cfg.Port, cfg.Database, cfg.User, cfg.Password = t.host, uint16(t.port), t.database, t.user, t.password
	cfg.Fallbacks, cfg.ConnectTimeout, cfg.ValidateConnect, cfg.KerberosSrvName, cfg.KerberosSpn = nil, 0, nil, "", ""
	cfg.SSLNegotiation, cfg.RequireAuth, cfg.ChannelBinding, cfg.MinProtocolVersion, cfg.MaxProtocolVersion = "postgres", "", "prefer", "3.0", "3.0"
	app, _, _ := strings.Cut(k.env.Owner, " ")
	cfg.RuntimeParams = map[string]string{"application_name": app, "client_encoding": "UTF8"}
	maps.Copy(cfg.RuntimeParams, t.params)
	cfg.LookupFunc = func(_ context.Context, host string) ([]string, error) {
		return []string{cmp.Or(t.hostaddr, host)}, nil // the guard resolves
	}
	s := &session{prepared: make(map[string]bool)}
	var (
		over   atomic.Bool
		undial error
	)
	cfg.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if over.Load() {
			return nil, net.ErrClosed // the library wants to cancel a statement whose connection is cut
		}
		s.raw, undial = k.env.Dial(ctx, network, addr)
		return s.raw, undial
	}
	if cfg.TLSConfig, err = t.tlsConfig(); err != nil {
		return nil, modules.Retry(modules.CodeTLS, err)
	}
	if t.mode == SSLPrefer {
		cfg.Fallbacks = []*pgconn.FallbackConfig{{Host: t.host, Port: uint16(t.port)}}
	}
	s.PgConn, err = pgconn.ConnectConfig(ctx, cfg)
	over.Store(true)
	if err != nil && undial != nil {
		return nil, link.Failure(ctx, undial)
	}
	if err != nil {
		return nil, connectFailure(ctx, t, err)
	}
	asked, err := s.Exec(ctx, "SELECT current_setting('synchronous_commit'), current_setting('lock_timeout')").ReadAll()
	if err != nil {
		k.drop(s)
		return nil, connectFailure(ctx, t, err)
	}
	if len(asked) != 1 || len(asked[0].Rows) != 1 {
		k.drop(s)
		return nil, modules.Retry(modules.CodeBadAnswer, errors.New("the server does not tell its settings: is it PostgreSQL?"))
	}
	s.begin = begin(string(asked[0].Rows[0][0]), string(asked[0].Rows[0][1]))
	return s, nil
}

// tlsConfig is the library's configuration; nil for none. Files are read anew.
func (t *target) tlsConfig() (*tls.Config, error) {
	if t.mode == SSLDisable {
		return nil, nil
	}
	settings := t.tls
	settings.Written, settings.Enabled = true, true
	cfg, err := settings.Client(t.host)
	if err != nil {
		return nil, err
	}
	switch t.mode {
	case SSLPrefer, SSLRequire:
		cfg.InsecureSkipVerify = true // #nosec G402 -- what the mode says
	case SSLVerifyCA:
		cfg.InsecureSkipVerify = true // #nosec G402 -- the chain is verified below, without the name
		roots := cfg.RootCAs
		cfg.VerifyConnection = func(cs tls.ConnectionState) error {
			between := x509.NewCertPool()
			for _, c := range cs.PeerCertificates[1:] {
				between.AddCert(c)
			}
			_, err := cs.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between})
			if err != nil {
				return &tls.CertificateVerificationError{UnverifiedCertificates: cs.PeerCertificates, Err: err}
			}
			return nil
		}
	default:
	}
	return cfg, nil
}

// Close ends the connections. Nothing is left to flush: a send returns when its
// rows are committed.
func (k *client) Close(ctx context.Context) error {
	k.mu.Lock()
	idle := k.idle
	k.idle = nil
	k.mu.Unlock()
	var errs []error
	for _, s := range idle {
		stop := context.AfterFunc(ctx, func() { _ = s.raw.Close() })
		if err := s.Close(ctx); err != nil && !errors.Is(err, net.ErrClosed) && ctx.Err() != nil {
			errs = append(errs, fmt.Errorf("postgresql: %s: close: %w", k.target.addr(), err))
		}
		stop()
		<-s.CleanupDone()
	}
	k.work.Wait()
	return errors.Join(errs...)
}
