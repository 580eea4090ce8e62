package deliver_test

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/internal/queue/mem"
	"github.com/hookd/hookd/internal/record"
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/server/conn"
	"github.com/hookd/hookd/server/deliver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sendFunc is a destination.
type sendFunc func(ctx context.Context, d *event.Delivery) (event.Receipt, error)

func (f sendFunc) Send(ctx context.Context, d *event.Delivery) (event.Receipt, error) {
	return f(ctx, d)
}

type options struct{}

func (*options) Fields() spec.Fields { return nil }

type connection struct{}

func (*connection) Close(context.Context) error { return nil }

// module makes the same destination always.
func module(dest modules.Destination) modules.Module {
	return moduleOf(func() (modules.Destination, error) { return dest, nil })
}

func moduleOf(make func() (modules.Destination, error)) modules.Module {
	return modules.Define(modules.Definition[modules.None, options, modules.Conn]{
		Name: "fake",
		Open: func(context.Context, modules.Env, *modules.None) (modules.Conn, error) { return &connection{}, nil },
		New:  func(modules.Env, modules.Conn, *options) (modules.Destination, error) { return make() },
	})
}

// rig is an engine on a queue in memory.
type rig struct {
	t     *testing.T
	q     *mem.Queue
	e     *deliver.Engine
	rec   *record.Recorder
	pool  *conn.Pool
	stop  context.CancelFunc
	ended chan struct{}
}

func newRig(t *testing.T, o deliver.Options) *rig {
	t.Helper()
	r := &rig{t: t, q: mem.New(mem.Options{}), rec: record.New(10_000), pool: conn.NewPool(conn.Options{}), ended: make(chan struct{})}
	o.Queue, o.Recorder = r.q, r.rec
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	r.e = deliver.New(o)
	return r
}

// run starts the engine; the test ends it with stopped, or at its end.
func (r *rig) run(lanes ...*deliver.Lane) {
	r.t.Helper()
	r.apply(lanes...)
	ctx, cancel := context.WithCancel(r.t.Context())
	r.stop = cancel
	go func() {
		defer close(r.ended)
		if err := r.e.Run(ctx); err != nil {
			r.t.Errorf("run: %v", err)
		}
	}()
}

func (r *rig) apply(lanes ...*deliver.Lane) {
	r.t.Helper()
	if err := r.e.Apply(lanes); err != nil {
		r.t.Fatal(err)
	}
}

// stopped ends the engine and waits for it.
func (r *rig) stopped() {
	r.t.Helper()
	r.stop()
	<-r.ended
	if err := r.pool.Close(r.t.Context()); err != nil {
		r.t.Errorf("pool: %v", err)
	}
	_ = r.q.Close(r.t.Context())
}

// lane makes a lane to the destination; changes adjust it.
func (r *rig) lane(name string, dest modules.Destination, changes ...func(*deliver.Lane)) *deliver.Lane {
	l := &deliver.Lane{
		Name: name, Hook: "h", Fingerprint: name, Module: module(dest), Options: &options{}, Policy: deliver.DefaultPolicy(),
		Conn: r.pool.Acquire(name, func(context.Context) (modules.Conn, error) { return &connection{}, nil }),
	}
	for _, c := range changes {
		c(l)
	}
	return l
}

func (r *rig) put(body string, lanes ...string) event.ID {
	r.t.Helper()
	p, err := r.q.Put(r.t.Context(), queue.Item{Lanes: lanes, Event: &event.Event{
		Hook: "h", Type: "push", Received: time.Now(), Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body),
	}})
	if err != nil {
		r.t.Fatal(err)
	}
	return p.ID
}

// state reads a delivery from the history.
func (r *rig) state(id event.ID, lane string) queue.DeliveryState {
	r.t.Helper()
	rec, err := r.q.Get(r.t.Context(), id)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, d := range rec.Deliveries {
		if d.Lane == lane {
			return d
		}
	}
	return queue.DeliveryState{}
}

func (r *rig) want(id event.ID, lane string, status queue.Status, attempts int, code string) {
	r.t.Helper()
	if d := r.state(id, lane); d.Status != status || d.Attempts != attempts || d.Code != code {
		r.t.Errorf("%s: %s after %d attempts, code %q (%s); want %s, %d, %q", lane, d.Status, d.Attempts, d.Code, d.Note, status, attempts, code)
	}
}

// pass lets simulated time go by.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// bubble runs a test in simulated time.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Parallel()
	synctest.Test(t, f)
}

// times is a list of moments since the start, safe for concurrent use.
type times struct {
	mu    sync.Mutex
	start time.Time
	at    []time.Duration
}

func newTimes() *times { return &times{start: time.Now()} }

func (ts *times) add() int {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.at = append(ts.at, time.Since(ts.start))
	return len(ts.at)
}

func (ts *times) all() []time.Duration {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	return append([]time.Duration(nil), ts.at...)
}
