package cmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync"

	"github.com/spf13/cobra"

	"github.com/hookd/hookd/server"
	"github.com/hookd/hookd/server/admin"
)

type serveOptions struct {
	settings *Settings
	file     string // "" when there is none
}

// serveFlags maps settings to flags.
var serveFlags = map[string]string{
	"webhooks": "webhooks", "connections": "connections", "listen": "listen", "admin_listen": "admin-listen",
	"data_dir": "data-dir", "reload.watch": "watch", "dev": "dev", "log.level": "log-level", "log.format": "log-format",
}

func newServeCmd(a *app, run func(context.Context, *serveOptions) error) *cobra.Command {
	if run == nil {
		run = func(ctx context.Context, o *serveOptions) error { return runServe(ctx, a, o) }
	}
	c := &cobra.Command{
		Use: "serve", Short: "Run the gateway",
		Long: `Run the gateway. A sender gets a 2xx only after its event is on stable storage.

Every setting of hookd.yaml has a variable: HOOKD_QUEUE_MAX_DISK is queue.max_disk.
Flags win over HOOKD_ variables, those over the variables of the original service,
those over the file. SIGHUP reads hooks and connections again; SIGTERM finishes
what is under way and ends, a second one ends at once.

Settings (hookd schema hookd prints them for editors):
` + settingsHelp(),
		Example: `  hookd serve --dev
  hookd serve --config /etc/hookd/hookd.yaml --data-dir /var/lib/hookd`,
		Args: args(cobra.NoArgs),
	}
	f := c.Flags()
	f.SortFlags = false
	f.String("webhooks", "", "`file` or folder with the hooks (default webhooks.json)")
	f.String("connections", "", "`file` or folder with the connections (default connections.json)")
	f.String("listen", "", "`address` of the public listener (default :8000)")
	f.String("admin-listen", "", "`address` of the admin listener, or off (default 127.0.0.1:8001)")
	f.String("data-dir", "", "`folder` of the queue (default ./hookd-data)")
	f.Bool("watch", false, "read hooks and connections again when their files change")
	f.Bool("dev", false, "for trying out: needs no files, allows loopback destinations")
	f.String("log-level", "", "debug, info, warn or error (default info)")
	f.String("log-format", "", "auto, text or json (default auto)")
	keys := settingKeys()
	for _, key := range []string{"log.level", "log.format"} {
		_ = c.RegisterFlagCompletionFunc(serveFlags[key], completeFlag(func() []string { return keys[key].Enum }))
	}
	c.RunE = func(c *cobra.Command, _ []string) error {
		s, file, err := a.settings(settingsSource{flags: serveFlags, set: c.Flags()})
		if err != nil {
			return err
		}
		return run(c.Context(), &serveOptions{settings: s, file: file})
	}
	return c
}

func runServe(ctx context.Context, a *app, o *serveOptions) error {
	s := o.settings
	r, err := newRegistries(a.io.Out)
	if err != nil {
		return err
	}
	opts := s.options()
	opts.Version = readBuildInfo().Version
	opts.Modules, opts.Auth, opts.Catalog = r.modules, r.auth, r.catalog()
	opts.Files.Lookup = a.env.Lookup
	opts.Log = a.logger(s)
	if brokenPipe != nil {
		// Who reads the standard output may go away. That fails what is written to
		// it, and must not end the deliveries to everything else.
		signal.Ignore(brokenPipe)
	}
	reload, stop := onHangup()
	defer stop()
	opts.Reload = reload
	var following sync.WaitGroup
	defer following.Wait()
	shown, unfollow := context.WithCancel(ctx)
	defer unfollow()
	opts.Started = func(st server.Started) {
		a.banner(s, o.file, st)
		if s.Dev && st.Admin != "" {
			following.Go(func() { a.follow(shown, dialable(st.Admin), s) })
		}
	}

	err = server.Run(ctx, opts)
	var bad *server.ConfigError
	if errors.As(err, &bad) {
		a.tell(bad.Problems, bad.Sources)
		return fmt.Errorf("%w: %w", errConfig, err)
	}
	return err
}

// follow shows each event as it passes, for serve --dev.
func (a *app) follow(ctx context.Context, base string, s *Settings) {
	client := &admin.Client{BaseURL: base, Token: s.Admin.Token, HTTP: admin.NewHTTPClient()}
	defer client.HTTP.CloseIdleConnections()
	p := a.io.style()
	for fact, err := range client.Tail(ctx, admin.TailFilter{}) {
		if err != nil {
			return // the daemon ends
		}
		a.io.Errorf("%s\n", factLine(a, p, fact))
	}
}

// options are the settings as the daemon takes them.
func (s *Settings) options() server.Options {
	admin := s.AdminListen
	if admin == off {
		admin = ""
	}
	return server.Options{
		Dev:     s.Dev,
		Files:   server.Files{Webhooks: s.Webhooks, Connections: s.Connections},
		Listen:  s.Listen,
		Admin:   server.Admin{Listen: admin, Token: s.Admin.Token, Hosts: s.Admin.Hosts, Pprof: s.Admin.Pprof},
		DataDir: s.DataDir,
		Queue: server.Queue{
			MaxDisk: s.Queue.MaxDisk, MinFree: s.Queue.MinFree, HistoryAge: s.Queue.HistoryAge,
			HistoryBytes: s.Queue.HistoryBytes, DeadAge: s.Queue.DeadAge, UnsafeNoSync: s.Queue.UnsafeNoSync,
		},
		Quarantine: server.Quarantine{
			Enabled: s.Quarantine.Enabled, MaxEntries: s.Quarantine.MaxEntries, MaxBytes: s.Quarantine.MaxBytes, MaxBody: s.Quarantine.MaxBody,
			PerMinute: s.Quarantine.PerMinute, MaxAge: s.Quarantine.MaxAge,
		},
		Delivery: server.Delivery{
			Timeout: s.Delivery.Timeout, Concurrency: s.Delivery.Concurrency, Global: s.Delivery.Global, Grace: s.Delivery.Grace,
		},
		EventLog: s.EventLog.settings(),
		Egress:   server.Egress{Allow: s.Egress.Allow, AllowLoopback: s.Egress.AllowLoopback || s.Dev, AllowPrivate: s.Egress.AllowPrivate},
		Limits: server.Limits{
			Body: s.Limits.Body, Header: int(s.Limits.Header), Depth: s.Limits.Depth, String: int(s.Limits.String),
			ConnsPerIP: s.Limits.ConnsPerIP, HeaderTime: s.Limits.HeaderTime, BodyTime: s.Limits.BodyTime,
			IdleTime: s.Limits.IdleTime, WriteTime: s.Limits.WriteTime, MinBodyRate: s.Limits.MinBodyRate,
		},
		Edge: server.Edge{
			CORSOrigins: s.HTTP.CORSOrigins, CSP: s.HTTP.CSP, ForceHTTPS: s.HTTP.ForceHTTPS, HSTSMaxAge: s.HTTP.HSTSMaxAge,
			HSTSSubdomains: s.HTTP.HSTSSubdomains, HSTSPreload: s.HTTP.HSTSPreload, TrustedProxies: s.HTTP.proxies(),
			RootRateLimit: s.HTTP.RootRateLimit,
		},
		Stats: server.Stats{
			Token: s.Stats.Token, AllowedIPs: s.Stats.AllowedIPs, RateLimit: s.Stats.RateLimit, SanitizeIDs: s.Stats.SanitizeIDs,
		},
		Compat:         server.Compat{StatusCodes: s.Compat.StatusCodes},
		CleanupDefault: s.Cleanup.Default,
		ReloadToken:    s.Reload.Token,
		OpenAPIBaseURL: s.OpenAPI.BaseURL,
		DocsDisabled:   s.OpenAPI.Disabled,
		Watch:          s.Reload.Watch,
		Debounce:       s.Reload.Debounce,
	}
}

// logger writes the daemon's own log to stderr.
func (a *app) logger(s *Settings) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(s.Log.Level)) // one of four, checked with the settings
	opts := &slog.HandlerOptions{Level: level}
	if s.Log.Format == "json" || s.Log.Format == "auto" && !a.io.ErrTTY && !s.Dev {
		return slog.New(slog.NewJSONHandler(a.io.Err, opts))
	}
	return slog.New(slog.NewTextHandler(a.io.Err, opts))
}

// onHangup turns SIGHUP into a wish to reload. Where there is no such signal,
// nothing ever comes.
func onHangup() (<-chan struct{}, func()) {
	signals := make(chan os.Signal, 1)
	if hangup != nil {
		signal.Notify(signals, hangup)
	}
	out, done := make(chan struct{}, 1), make(chan struct{})
	go func() {
		for {
			select {
			case <-signals:
			case <-done:
				return
			}
			select {
			case out <- struct{}{}:
			default: // one is waiting already
			}
		}
	}()
	return out, func() {
		signal.Stop(signals)
		close(done)
	}
}
