// Package server is the daemon: it starts the parts in order, reloads them, and
// shuts them down so that nothing accepted is lost.
//
// wire.go is the only file in which all parts meet.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Run serves until ctx ends, then shuts down in order: not ready, no new
// connections, requests under way finished, attempts in flight given their
// grace, the rest back in the queue uncounted, queue closed. It returns nil
// after an orderly end, a *ConfigError when the configuration has errors, and
// any other error when a part could not start or failed.
func Run(ctx context.Context, o Options) error {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	d, err := newDaemon(ctx, o)
	if err != nil {
		return err
	}
	return d.run(ctx)
}

// run opens the listeners and blocks until the end.
func (d *daemon) run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, d.close(context.WithoutCancel(ctx))) }()
	var lc net.ListenConfig
	public, err := lc.Listen(ctx, "tcp", d.o.Listen)
	if err != nil {
		return fmt.Errorf("public listener: %w", err)
	}
	started := Started{Listen: public.Addr().String(), Problems: d.problems, Sources: d.sources, Hooks: d.banner()}
	var private net.Listener
	if d.admin != nil {
		if private, err = lc.Listen(ctx, "tcp", d.o.Admin.Listen); err != nil {
			_ = public.Close()
			return fmt.Errorf("admin listener: %w", err)
		}
		started.Admin = private.Addr().String()
	}

	// Each part runs until its own context ends, so that the shutdown can end
	// them one after the other.
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	failed := make(chan error, 3)
	var delivering, others, keeping sync.WaitGroup
	delivering.Go(func() {
		if err := d.engine.Run(work); err != nil {
			failed <- fmt.Errorf("delivery: %w", err)
		}
	})
	kept, stopKeeping := context.WithCancel(context.WithoutCancel(ctx))
	defer stopKeeping()
	if d.eventLog != nil {
		keeping.Go(func() { d.eventLog.run(kept) })
	}
	if d.quarantine != nil {
		keeping.Go(func() { _ = d.quarantine.Run(kept) })
	}
	others.Go(func() { serve(d.public, d.listener(public), failed) })
	if private != nil {
		others.Go(func() { serve(d.admin, private, failed) })
	}
	others.Go(func() { d.reloads(ctx) })
	if d.o.Started != nil {
		d.o.Started(started)
	}

	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	d.log.InfoContext(ctx, "shutting down", "grace", d.o.Delivery.Grace)
	d.draining.Store(true)
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.o.Limits.BodyTime+5*time.Second)
	defer cancel()
	err = errors.Join(err, d.end(end, d.public)) // no new requests; those under way are finished
	stopKeeping()
	keeping.Wait() // what was refused or accepted last is written
	stopWork()
	delivering.Wait()
	close(d.stopping)
	if d.admin != nil {
		err = errors.Join(err, d.end(end, d.admin))
	}
	others.Wait()
	return err
}

// end ends a server. Who has not sent a request whole, or not read the answer,
// when ctx ends is cut off: nothing was promised to them, and a client must not
// make an orderly end look like a failure.
func (d *daemon) end(ctx context.Context, s *http.Server) error {
	err := s.Shutdown(ctx)
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	d.log.WarnContext(ctx, "requests were still under way at the end and are cut off")
	return s.Close()
}

func serve(s *http.Server, l net.Listener, failed chan<- error) {
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		failed <- err
	}
}

// reloads reads the files again when it is told to, until ctx ends.
func (d *daemon) reloads(ctx context.Context) {
	if d.o.Watch {
		var wg sync.WaitGroup
		defer wg.Wait()
		wg.Go(func() { d.reload.watch(ctx) })
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.o.Reload:
			if _, err := d.reload.reload(ctx, reloadAll); err != nil {
				d.log.WarnContext(ctx, "reload", "error", err)
			}
		}
	}
}

// close releases what newDaemon opened. It waits at most as long as a
// connection may take to flush.
func (d *daemon) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	d.current.Close() //nolint:contextcheck // gives leases back; the pool closes what is open, with this context
	return errors.Join(d.pool.Close(ctx), d.queue.Close(ctx))
}
