package deliver

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/internal/record"
)

// Options make an Engine; zero values take the defaults.
type Options struct {
	Queue    queue.Queue
	Recorder *record.Recorder
	Log      *slog.Logger

	// Concurrency bounds the sends of all lanes together: 512. Each lane has one
	// more place of its own, so that none waits for another's far end.
	Concurrency int
	// Grace is how long attempts in flight may take when Run ends: 25 s.
	Grace time.Duration
	// Lease is how long the queue keeps a delivery for its worker: 1 min. It is
	// renewed while the worker works.
	Lease time.Duration
	// Sweep is how often the queue is searched for work of lanes that are not
	// configured: 1 min.
	Sweep time.Duration
}

func (o Options) defaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Recorder == nil {
		o.Recorder = record.New(0)
	}
	if o.Concurrency <= 0 {
		o.Concurrency = 512
	}
	for _, d := range []struct {
		v   *time.Duration
		def time.Duration
	}{{&o.Grace, 25 * time.Second}, {&o.Lease, time.Minute}, {&o.Sweep, time.Minute}} {
		if *d.v <= 0 {
			*d.v = d.def
		}
	}
	return o
}

// ErrRan is returned by a second Run.
var ErrRan = errors.New("engine ran already")

// Engine works all lanes. Its methods are safe for concurrent use.
type Engine struct {
	o        Options
	global   chan struct{} // a place for each send beyond a lane's own
	outcomes chan outcome
	sendCtx  context.Context // of all sends; ends after the grace
	cancel   context.CancelCauseFunc
	busy     sync.WaitGroup // attempts without a verdict
	loops    sync.WaitGroup // claimers and the sweeper

	mu         sync.Mutex
	ran        bool
	claimCtx   context.Context // of all claims; nil before Run
	configured bool
	runners    map[string]*runner
	stops      map[string]context.CancelFunc
	retired    map[*runner]struct{} // of removed lanes, with attempts in flight
	burying    map[string]context.CancelFunc
	paused     map[string]bool
}

// New makes an engine without lanes.
func New(o Options) *Engine {
	o = o.defaults()
	ctx, cancel := context.WithCancelCause(context.Background())
	return &Engine{
		o: o, global: make(chan struct{}, o.Concurrency), outcomes: make(chan outcome, o.Concurrency),
		sendCtx: ctx, cancel: cancel,
		runners: make(map[string]*runner), stops: make(map[string]context.CancelFunc),
		retired: make(map[*runner]struct{}), burying: make(map[string]context.CancelFunc), paused: make(map[string]bool),
	}
}

// Apply sets the lanes, all of them. Lanes that were there keep their work and
// their pause; a changed one uses its new form from the next send on. Lanes that
// are gone claim nothing more; their sends in flight end as they would. An error
// is a programming error, and changes nothing.
//
// The leases of the lanes that were in force before may be released when Apply
// has returned.
func (e *Engine) Apply(lanes []*Lane) error {
	seen := make(map[string]bool, len(lanes))
	for _, l := range lanes {
		if err := l.check(); err != nil {
			return err
		}
		if seen[l.Name] {
			return errors.New("two lanes are named " + l.Name)
		}
		seen[l.Name] = true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.configured = true
	for name, r := range e.runners {
		if !seen[name] {
			e.remove(r)
		}
	}
	for _, l := range lanes {
		if cancel := e.burying[l.Name]; cancel != nil {
			cancel()
			delete(e.burying, l.Name)
		}
		if r := e.runners[l.Name]; r != nil {
			r.change(l)
			continue
		}
		r := newRunner(e, l)
		r.paused = e.paused[l.Name]
		e.runners[l.Name] = r
		e.launch(r)
	}
	if e.claimCtx != nil && e.claimCtx.Err() == nil {
		e.loops.Go(func() { e.sweep(e.claimCtx) })
	}
	return nil
}

// launch starts the claimer of a runner once the engine runs. e.mu is held.
func (e *Engine) launch(r *runner) {
	if e.claimCtx == nil || e.claimCtx.Err() != nil {
		return
	}
	ctx, cancel := context.WithCancel(e.claimCtx)
	e.stops[r.name] = cancel
	e.loops.Go(func() { r.loop(ctx) })
}

// remove stops a runner. e.mu is held.
func (e *Engine) remove(r *runner) {
	delete(e.runners, r.name)
	if stop := e.stops[r.name]; stop != nil {
		stop()
		delete(e.stops, r.name)
	}
	r.mu.Lock()
	r.stopped = true
	r.mu.Unlock()
	for old := range e.retired {
		if old.idle() {
			delete(e.retired, old)
		}
	}
	e.retired[r] = struct{}{}
}

// Run works the lanes until ctx ends. Then nothing more is claimed, attempts in
// flight get the grace, the rest goes back to the queue uncounted, all verdicts
// are written, and Run returns nil. It may be called once.
func (e *Engine) Run(ctx context.Context) error {
	e.mu.Lock()
	if e.ran {
		e.mu.Unlock()
		return ErrRan
	}
	e.ran, e.claimCtx = true, ctx
	for _, r := range e.runners {
		e.launch(r) //nolint:contextcheck // lanes of a later Apply are started the same way
	}
	e.loops.Go(func() { e.sweeper(ctx) })
	e.mu.Unlock()
	var settled sync.WaitGroup
	settled.Go(e.settler)
	drained, over := context.WithCancel(context.WithoutCancel(ctx)) // leases are renewed during the grace as well
	settled.Go(func() { e.renewer(drained) })

	<-ctx.Done()
	e.mu.Lock() // no launch comes after this
	all := slices.Collect(e.everyone())
	e.mu.Unlock()
	e.loops.Wait()
	e.drain(all)
	over()
	close(e.outcomes)
	settled.Wait()
	e.cancel(errShutdown)
	return nil
}

// drain waits for the attempts in flight: for the grace as they are, a little
// longer with their contexts ended, and then no more.
func (e *Engine) drain(all []*runner) {
	done := make(chan struct{})
	go func() {
		e.busy.Wait()
		close(done)
	}()
	if !e.within(done, e.o.Grace) {
		e.cancel(errShutdown)
		if !e.within(done, ignoredGrace) {
			for _, r := range all {
				r.abandonAll()
			}
		}
	}
	<-done
}

func (e *Engine) within(done <-chan struct{}, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-done:
		return true
	case <-t.C:
		return false
	}
}
