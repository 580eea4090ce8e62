package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/config"
	"github.com/hookd/hookd/internal/diag"
	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/internal/queue/pebble"
	"github.com/hookd/hookd/internal/record"
	"github.com/hookd/hookd/server/admin"
	"github.com/hookd/hookd/server/captures"
	"github.com/hookd/hookd/server/conn"
	"github.com/hookd/hookd/server/deliver"
	"github.com/hookd/hookd/server/edge"
	"github.com/hookd/hookd/server/ingest"
	"github.com/hookd/hookd/server/ingest/limit"
	"github.com/hookd/hookd/server/plan"
	"github.com/hookd/hookd/server/quarantine"
)

// reloadAll reads all files again.
var reloadAll = admin.ReloadRequest{}

// daemon is the running parts.
type daemon struct {
	o   Options
	log *slog.Logger

	queue    *pebble.Queue
	recorder *record.Recorder
	pool     *conn.Pool
	engine   *deliver.Engine
	current  *plan.Current
	reload   *reloader

	quarantine *quarantine.Store // nil: off
	eventLog   *eventLog         // nil: off

	edge   edge.Options
	public *http.Server
	admin  *http.Server // nil when it is off

	draining atomic.Bool
	stopping chan struct{} // closed when nothing is delivered any more
	problems diag.List     // warnings of the first load
	sources  config.Sources
}

// newDaemon makes all parts and puts the first plan into force. Nothing listens
// yet. On an error everything is closed again.
func newDaemon(ctx context.Context, o Options) (d *daemon, err error) {
	d = &daemon{o: o, log: o.Log, stopping: make(chan struct{})}
	cfg, problems, sources := o.load(ctx)
	if cfg == nil {
		return nil, &ConfigError{Problems: problems, Sources: sources}
	}
	d.sources = sources
	egress, operator, err := guards(o.Egress, o.Dev)
	if err != nil {
		return nil, err
	}

	d.queue, err = pebble.Open(ctx, pebble.Options{
		Dir: filepath.Join(o.DataDir, "queue"), MaxDisk: o.Queue.MaxDisk, MinFree: o.Queue.MinFree,
		HistoryAge: o.Queue.HistoryAge, HistoryBytes: o.Queue.HistoryBytes, DeadAge: o.Queue.DeadAge,
		UnsafeNoSync: o.Queue.UnsafeNoSync, Log: o.Log,
	})
	if err != nil {
		return nil, fmt.Errorf("queue: %w", err)
	}
	opened := d // a return of nil comes before what is deferred
	defer func() {
		if err != nil {
			err = errors.Join(err, opened.close(context.WithoutCancel(ctx)))
			d = nil
		}
	}()
	d.recorder = record.New(0)
	if o.EventLog.Connection != "" {
		d.eventLog = newEventLog(o.Log, d.recorder, d.queue)
	}
	d.pool = conn.NewPool(conn.Options{Log: o.Log})
	d.engine = deliver.New(deliver.Options{
		Queue: d.queue, Recorder: d.recorder, Log: o.Log, Concurrency: o.Delivery.Global, Grace: o.Delivery.Grace,
	})
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails since Go 1.24
	d.current = plan.NewCurrent(plan.Deps{
		Modules: o.Modules, Auth: o.Auth, Log: o.Log, Owner: "hookd/" + o.Version + " (" + host + ")",
		AuthEnv: auth.Env{
			Log: o.Log, HTTP: egress.Transport(netguard.TransportOptions{}), Captures: captures.New(SecretsDir(o.DataDir), o.Log),
		},
		Egress: egress, Operator: operator, Pool: d.pool, Limiters: &limit.Registry{},
		MaxBody: o.Limits.Body, Depth: o.Limits.Depth, String: o.Limits.String, Timeout: o.Delivery.Timeout, Concurrency: o.Delivery.Concurrency,
		CleanupDefault: o.CleanupDefault, EventLog: o.EventLog, OriginalStatus: o.Compat.StatusCodes == "original", Key: key,
	})
	problems = append(problems, d.current.Swap(ctx, cfg, d.take)...)
	if problems.HasErrors() {
		return nil, &ConfigError{Problems: problems, Sources: sources}
	}
	d.problems = problems
	d.reload = &reloader{d: d, last: time.Now()}
	d.openQuarantine()
	if err := d.listeners(); err != nil {
		return nil, err
	}
	return d, nil
}

// SecretsDir is where a daemon with the data folder keeps the secrets that
// senders hand over in handshakes.
func SecretsDir(dataDir string) string { return filepath.Join(dataDir, "secrets") }

// guards makes the two egress policies: of what hooks name, and of what the
// operator wrote into connections.json.
func guards(e Egress, dev bool) (egress, operator *netguard.Guard, err error) {
	allow := e.Allow
	if e.AllowPrivate {
		allow = append(allow[:len(allow):len(allow)], netguard.Private()...)
	}
	if egress, err = netguard.New(netguard.Policy{AllowLoopback: e.AllowLoopback || dev, Allow: allow}); err != nil {
		return nil, nil, fmt.Errorf("egress.allow: %w", err)
	}
	if operator, err = netguard.New(netguard.Policy{Operator: true, Allow: allow}); err != nil {
		return nil, nil, fmt.Errorf("egress.allow: %w", err)
	}
	return egress, operator, nil
}

// take puts a plan's right half and its names into force.
func (d *daemon) take(p *plan.Plan) {
	d.recorder.Configure(p.HookIDs(), p.LaneNames())
	if d.eventLog != nil {
		d.eventLog.plan.Store(p.EventLog)
	}
	if err := d.engine.Apply(p.Lanes); err != nil {
		// The plan made the lanes: this is a fault of ours, not of the files.
		d.log.Error("lanes of the plan refused", "error", err)
	}
}

// listeners makes the two HTTP servers.
func (d *daemon) listeners() error {
	gate := &ingest.Gate{
		Hooks: d.current, Queue: d.queue, Recorder: d.recorder, Log: d.log,
		Waiter: waiter{queue: d.queue, recorder: d.recorder},
	}
	var kept admin.Quarantine // not a nil pointer in an interface
	if d.quarantine != nil {
		gate.Quarantine, kept = d.quarantine, refused{d: d, gate: gate}
	}
	var rows func() admin.EventLogStats
	if d.eventLog != nil {
		rows = d.eventLog.stats
	}
	mount, err := d.routes()
	if err != nil {
		return err
	}
	l := d.o.Limits
	d.edge = edge.Options{
		Gate: gate, Log: d.log, Draining: d.draining.Load, Ready: d.ready, Health: d.health, Mount: mount,
		Security: edge.Security{
			CSP: d.o.Edge.CSP, ForceHTTPS: d.o.Edge.ForceHTTPS,
			HSTSMaxAge: d.o.Edge.HSTSMaxAge, HSTSSubDomains: d.o.Edge.HSTSSubdomains, HSTSPreload: d.o.Edge.HSTSPreload,
		},
		Origins: d.o.Edge.CORSOrigins, TrustedProxies: d.o.Edge.TrustedProxies,
		HeaderTimeout: l.HeaderTime, BodyTimeout: l.BodyTime, IdleTimeout: l.IdleTime, WriteTimeout: l.WriteTime,
		MinRate: unlimited(int(l.MinBodyRate)), MaxHeader: l.Header, MaxConns: unlimited(l.ConnsPerIP),
	}
	if n := d.o.Edge.RootRateLimit; n > 0 {
		d.edge.RootLimit = limit.New(limit.Rule{Max: n, Window: time.Minute, PerClient: true})
	}
	d.public = edge.NewServer(d.edge)
	if d.o.Admin.Listen == "" {
		return nil
	}
	handler, err := admin.New(admin.Options{
		Addr: d.o.Admin.Listen, Token: d.o.Admin.Token, Hosts: d.o.Admin.Hosts, Version: d.o.Version, Started: time.Now(),
		Store: d.queue, Recorder: d.recorder, Lanes: laneControl{d}, Hooks: d.hooks, Config: d.configuration, Reload: d.reload.reload,
		Quarantine: kept, EventLog: rows,
		Ready: d.ready, Stopping: d.stopping, Pprof: d.o.Admin.Pprof, Log: d.log,
	})
	if err != nil {
		return err
	}
	d.admin = &http.Server{
		Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: time.Minute, IdleTimeout: time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(d.log.Handler(), slog.LevelDebug),
	}
	return nil
}

// unlimited turns the 0 of the settings, which is no limit, into that of the
// edge, where 0 is the default.
func unlimited(n int) int {
	if n == 0 {
		return -1
	}
	return n
}

// listener bounds the connections of the public listener.
func (d *daemon) listener(l net.Listener) net.Listener { return edge.NewListener(l, d.edge) }
