package deliver_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/internal/record"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/server/conn"
	"github.com/hookd/hookd/server/deliver"
)

var errDown = errors.New("down")

func ok(context.Context, *event.Delivery) (event.Receipt, error) {
	return event.Receipt{Status: "taken"}, nil
}

func fail(err error) sendFunc {
	return func(context.Context, *event.Delivery) (event.Receipt, error) { return event.Receipt{}, err }
}

func TestDelivers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, deliver.Options{})
		r.run(r.lane("h/a", sendFunc(ok)), r.lane("h/b", sendFunc(ok)))
		id := r.put(`{}`, "h/a", "h/b")
		synctest.Wait()
		r.want(id, "h/a", queue.StatusDelivered, 1, "")
		r.want(id, "h/b", queue.StatusDelivered, 1, "")
		if note := r.state(id, "h/a").Note; note != "taken" {
			t.Errorf("note %q", note)
		}
		facts := r.rec.Recent(10)
		if len(facts) != 2 || facts[0].Kind != record.Delivered || facts[0].Event != id || facts[0].Hook != "h" || facts[0].Bytes != 2 {
			t.Errorf("%+v", facts)
		}
		r.stopped()
		if err := r.e.Run(t.Context()); !errors.Is(err, deliver.ErrRan) {
			t.Errorf("second run: %v", err)
		}
	})
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	once := func(l *deliver.Lane) { l.Policy = deliver.NoRetry() }
	for name, c := range map[string]struct {
		send   sendFunc
		change func(*deliver.Lane)
		status queue.Status
		tries  int
		code   string
	}{
		"refused":     {fail(modules.Reject("http_404", errDown)), nil, queue.StatusDead, 1, "http_404"},
		"no retry":    {fail(errDown), once, queue.StatusDead, 1, modules.CodeUnknown},
		"retried":     {fail(modules.Retry("http_500", errDown)), nil, queue.StatusDelayed, 1, "http_500"},
		"lost counts": {fail(modules.Disconnect(errDown)), nil, queue.StatusDelayed, 1, modules.CodeConnectionLost},
		"panic":       {func(context.Context, *event.Delivery) (event.Receipt, error) { panic("secret") }, nil, queue.StatusDelayed, 1, modules.CodePanic},
		"panic with an error": {func(context.Context, *event.Delivery) (event.Receipt, error) {
			var d *event.Delivery
			return event.Receipt{Status: d.Lane}, nil
		}, once, queue.StatusDead, 1, modules.CodePanic},
		"deadline": {func(ctx context.Context, _ *event.Delivery) (event.Receipt, error) {
			<-ctx.Done()
			return event.Receipt{}, ctx.Err()
		}, once, queue.StatusDead, 1, modules.CodeTimeout},
		"deadline, by another name": {func(ctx context.Context, _ *event.Delivery) (event.Receipt, error) {
			<-ctx.Done()
			return event.Receipt{}, modules.Retry(modules.CodeUnavailable, errDown)
		}, once, queue.StatusDead, 1, modules.CodeTimeout},
		"deadline, but taken": {func(ctx context.Context, _ *event.Delivery) (event.Receipt, error) {
			<-ctx.Done()
			return event.Receipt{}, nil
		}, once, queue.StatusDelivered, 1, ""},
		"refused at the deadline": {func(ctx context.Context, _ *event.Delivery) (event.Receipt, error) {
			<-ctx.Done()
			return event.Receipt{}, modules.Reject("refused", errDown)
		}, nil, queue.StatusDead, 1, "refused"},
		"ignores its time": {func(context.Context, *event.Delivery) (event.Receipt, error) {
			<-time.After(50 * time.Second)
			return event.Receipt{}, nil
		}, once, queue.StatusDead, 1, modules.CodeTimeout},
		"far end asks for a long time": {fail(modules.Throttle(modules.CodeThrottled, 100*time.Hour, errDown)), nil, queue.StatusDelayed, 1, modules.CodeThrottled},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var change []func(*deliver.Lane)
				slow := func(l *deliver.Lane) { l.Policy.Initial, l.Policy.Max = 24*time.Hour, 24*time.Hour }
				if change = append(change, slow); c.change != nil {
					change = append(change, c.change)
				}
				r := newRig(t, deliver.Options{})
				r.run(r.lane("h/a", c.send, change...))
				id := r.put(`{}`, "h/a")
				if c.status == queue.StatusDelayed {
					pass(time.Millisecond) // jitter may well draw some seconds
				} else {
					pass(40 * time.Second)
				}
				r.want(id, "h/a", c.status, c.tries, c.code)
				if note := r.state(id, "h/a").Note; strings.Contains(note, "secret") {
					t.Errorf("note %q shows what the module panicked with", note)
				}
				pass(time.Minute) // lets the one come back that ignored its time
				r.stopped()
			})
		})
	}
}

// Retry-After is honoured, up to a day.
func TestThrottled(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, deliver.Options{})
		ts := newTimes()
		waits := []time.Duration{90 * time.Second, 100 * time.Hour, 0}
		r.run(r.lane("h/a", sendFunc(func(context.Context, *event.Delivery) (event.Receipt, error) {
			if n := ts.add(); waits[n-1] > 0 {
				return event.Receipt{}, modules.Throttle(modules.CodeThrottled, waits[n-1], errDown)
			}
			return event.Receipt{}, nil
		})))
		id := r.put(`{}`, "h/a")
		pass(48 * time.Hour)
		r.want(id, "h/a", queue.StatusDelivered, 3, "")
		want := []time.Duration{0, 90 * time.Second, 90*time.Second + 24*time.Hour}
		if got := ts.all(); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("attempts at %v, want %v", got, want)
		}
		r.stopped()
	})
}

// An open breaker claims nothing: the backlog keeps all its attempts, but for
// one probe at a time.
func TestBreaker(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, deliver.Options{})
		ts := newTimes()
		var up atomic.Bool
		r.run(r.lane("h/a", sendFunc(func(context.Context, *event.Delivery) (event.Receipt, error) {
			if up.Load() {
				return event.Receipt{}, nil
			}
			ts.add()
			return event.Receipt{}, errDown
		}), func(l *deliver.Lane) { l.Concurrency = 1; l.Policy.Initial = time.Hour; l.Policy.Max = time.Hour }))
		var ids []event.ID
		for range 200 {
			ids = append(ids, r.put(`{}`, "h/a"))
		}
		synctest.Wait()
		if st := r.e.Status()[0]; st.Breaker != deliver.BreakerOpen || st.Failures != 5 || st.LastCode != modules.CodeUnknown {
			t.Errorf("%+v", st)
		}
		pass(183 * time.Second)
		want := []time.Duration{0, 0, 0, 0, 0, 1, 3, 7, 15, 31, 63, 123, 183}
		got := ts.all()
		if len(got) != len(want) {
			t.Fatalf("attempts at %v", got)
		}
		for i := range want {
			if got[i] != want[i]*time.Second && i >= 5 || got[i] > time.Second && i < 5 {
				t.Errorf("attempt %d at %v, want %v s", i, got[i], int64(want[i]))
			}
		}
		up.Store(true)
		pass(60 * time.Second)
		if st := r.e.Status()[0]; st.Breaker != deliver.BreakerClosed || st.LastSuccess.IsZero() {
			t.Errorf("%+v", st)
		}
		delivered := 0
		for _, id := range ids {
			if d := r.state(id, "h/a"); d.Status == queue.StatusDelivered && d.Attempts == 1 {
				delivered++
			}
		}
		if delivered < 200-13 {
			t.Errorf("%d were delivered at their first attempt", delivered)
		}
		var states []string
		for _, f := range r.rec.Recent(10_000) {
			if f.Kind == record.Breaker {
				states = append(states, f.Code)
			}
		}
		if n := len(states); n != 19 || states[0] != "closed" || states[n-1] != "open" || states[n-2] != "half_open" {
			t.Errorf("breaker told %v", states)
		}
		r.stopped()
	})
}

// A refusal of one delivery shows that the far end works.
func TestRefusalsOpenNoBreaker(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, deliver.Options{})
		r.run(r.lane("h/a", fail(modules.Reject(modules.CodeRefused, errDown))))
		for range 50 {
			r.put(`{}`, "h/a")
		}
		synctest.Wait()
		if s := r.e.Status()[0]; s.Breaker != deliver.BreakerClosed {
			t.Errorf("%+v", s)
		}
		if d, _ := r.q.Depth(t.Context()); d["h/a"].Dead != 50 {
			t.Errorf("%+v", d)
		}
		r.stopped()
	})
}

// A delivery that always fails dies by its own attempts, breaker or not.
func TestPoisonDies(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, deliver.Options{})
		r.run(r.lane("h/a", sendFunc(func(_ context.Context, d *event.Delivery) (event.Receipt, error) {
			if string(d.Body) == "poison" {
				panic(d)
			}
			return event.Receipt{}, nil
		})))
		poison := r.put("poison", "h/a")
		pass(48 * time.Hour)
		r.want(poison, "h/a", queue.StatusDead, deliver.DefaultPolicy().Attempts, modules.CodePanic)
		good := r.put("good", "h/a")
		pass(time.Minute)
		r.want(good, "h/a", queue.StatusDelivered, 1, "")
		r.stopped()
	})
}

// A connection that does not open uses up no attempt, however long it lasts.
func TestConnectionNotOpenIsNotCounted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, deliver.Options{})
		var opens, down atomic.Int64
		down.Store(1)
		l := r.lane("h/a", sendFunc(ok), func(l *deliver.Lane) {
			l.Policy = deliver.NoRetry()
			l.Conn = r.pool.Acquire("broker", func(context.Context) (modules.Conn, error) {
				opens.Add(1)
				if down.Load() == 1 {
					return nil, modules.Retry(modules.CodeAuthFailed, errDown)
				}
				return &connection{}, nil
			})
		})
		r.run(l)
		id := r.put(`{}`, "h/a")
		pass(48 * time.Hour)
		r.want(id, "h/a", queue.StatusDelayed, 0, modules.CodeAuthFailed)
		if n := opens.Load(); n > 48*60+20 || n < 48*20 {
			t.Errorf("%d attempts to open", n)
		}
		down.Store(0)
		pass(5 * time.Minute)
		r.want(id, "h/a", queue.StatusDelivered, 1, "")
		r.stopped()
	})
}

// A lost connection is opened anew, and the destination made anew on it.
func TestLostConnection(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, deliver.Options{})
		var made atomic.Int64
		l := r.lane("h/a", nil, func(l *deliver.Lane) {
			l.Module = moduleOf(func() (modules.Destination, error) {
				n := made.Add(1)
				return sendFunc(func(context.Context, *event.Delivery) (event.Receipt, error) {
					if n == 1 {
						return event.Receipt{}, modules.Disconnect(errDown)
					}
					return event.Receipt{}, nil
				}), nil
			})
		})
		r.run(l)
		id := r.put(`{}`, "h/a")
		pass(time.Minute)
		r.want(id, "h/a", queue.StatusDelivered, 2, "")
		if made.Load() != 2 || r.e.Status()[0].Conn.Opened != 2 {
			t.Errorf("%d destinations, %+v", made.Load(), r.e.Status()[0].Conn)
		}
		r.stopped()
	})
}

func TestConcurrencyIsBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, deliver.Options{Concurrency: 6})
		var now, most [2]atomic.Int64
		slow := func(i int) sendFunc {
			return func(context.Context, *event.Delivery) (event.Receipt, error) {
				n := now[i].Add(1)
				for m := most[i].Load(); n > m && !most[i].CompareAndSwap(m, n); m = most[i].Load() {
				}
				<-time.After(time.Second)
				now[i].Add(-1)
				return event.Receipt{}, nil
			}
		}
		r.run(r.lane("h/a", slow(0), func(l *deliver.Lane) { l.Concurrency = 4 }), r.lane("h/b", slow(1), func(l *deliver.Lane) { l.Concurrency = 10 }))
		for range 40 {
			r.put(`{}`, "h/a", "h/b")
		}
		pass(500 * time.Millisecond)
		if sum := now[0].Load() + now[1].Load(); sum > 6+2 {
			t.Errorf("%d sends at once", sum)
		}
		pass(time.Minute)
		if most[0].Load() != 4 || most[1].Load() > 7 {
			t.Errorf("at most %d and %d at once", most[0].Load(), most[1].Load())
		}
		if d, _ := r.q.Depth(t.Context()); d["h/a"].Ready+d["h/b"].Ready+d["h/a"].Leased+d["h/b"].Leased != 0 {
			t.Errorf("%+v", d)
		}
		r.stopped()
	})
}

// R12: destinations that take every place and never answer delay no other lane.
func TestDeadDestinationsDelayNobody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, deliver.Options{Concurrency: 32})
		hole := sendFunc(func(ctx context.Context, _ *event.Delivery) (event.Receipt, error) {
			<-ctx.Done()
			return event.Receipt{}, ctx.Err()
		})
		lanes := []*deliver.Lane{}
		names := []string{}
		for i := range 16 {
			l := r.lane(fmt.Sprint("h/hole-", i), hole)
			lanes, names = append(lanes, l), append(names, l.Name)
		}
		var worst atomic.Int64
		good := r.lane("h/good", sendFunc(func(_ context.Context, d *event.Delivery) (event.Receipt, error) {
			worst.Store(max(worst.Load(), int64(time.Since(d.Event.Received))))
			return event.Receipt{}, nil
		}))
		r.run(append(lanes, good)...)
		for range 600 {
			r.put(`{}`, append(names, "h/good")...)
			pass(100 * time.Millisecond)
		}
		if d := time.Duration(worst.Load()); d > 0 {
			t.Errorf("the good lane waited up to %v", d)
		}
		if n := r.rec.Snapshot().Lanes[record.Other].Delivered; n != 600 {
			t.Errorf("%d delivered", n)
		}
		r.stopped()
	})
}

// A module that ignores its context is left behind, up to as many workers as
// the lane has slots; then the lane stands still rather than the process grow.
func TestIgnoredTimeoutsArePaidByTheirLane(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, deliver.Options{})
		release := make(chan struct{})
		var inside atomic.Int64
		r.run(r.lane("h/stuck", sendFunc(func(context.Context, *event.Delivery) (event.Receipt, error) {
			inside.Add(1)
			<-release
			inside.Add(-1)
			return event.Receipt{}, nil
		}), func(l *deliver.Lane) { l.Concurrency = 3; l.Timeout = time.Second }))
		for range 100 {
			r.put(`{}`, "h/stuck")
		}
		pass(2 * time.Hour)
		if n := inside.Load(); n > 6 || n < 3 {
			t.Errorf("%d sends are stuck", n)
		}
		if st := r.e.Status()[0]; st.LeftBehind < 3 {
			t.Errorf("%+v", st)
		}
		close(release)
		pass(24 * time.Hour)
		if d, _ := r.q.Depth(t.Context()); d["h/stuck"].Ready+d["h/stuck"].Delayed != 0 {
			t.Errorf("%+v", d)
		}
		if st := r.e.Status()[0]; st.LeftBehind != 0 || st.InFlight != 0 {
			t.Errorf("%+v", st)
		}
		r.stopped()
	})
}

// The lease of a send that takes long is renewed: it is not sent twice.
func TestLeasesAreRenewed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, deliver.Options{Lease: 10 * time.Second})
		ts := newTimes()
		r.run(r.lane("h/a", sendFunc(func(context.Context, *event.Delivery) (event.Receipt, error) {
			ts.add()
			<-time.After(5 * time.Minute)
			return event.Receipt{}, nil
		}), func(l *deliver.Lane) { l.Timeout = 10 * time.Minute }))
		id := r.put(`{}`, "h/a")
		pass(10 * time.Minute)
		r.want(id, "h/a", queue.StatusDelivered, 1, "")
		if n := len(ts.all()); n != 1 {
			t.Errorf("sent %d times", n)
		}
		r.stopped()
	})
}

func TestPauseAndResume(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, deliver.Options{})
		l := r.lane("h/a", sendFunc(ok))
		r.run(l)
		synctest.Wait()
		if err := r.e.Pause("h/a"); err != nil {
			t.Fatal(err)
		}
		if err := r.e.Pause("h/b"); !errors.Is(err, deliver.ErrNoLane) {
			t.Errorf("%v", err)
		}
		id := r.put(`{}`, "h/a")
		pass(time.Hour)
		r.want(id, "h/a", queue.StatusPending, 0, "")
		r.apply(l)
		r.apply()
		r.apply(l) // the pause holds across reloads
		pass(time.Hour)
		if st := r.e.Status()[0]; !st.Paused {
			t.Errorf("%+v", st)
		}
		if err := r.e.Resume("h/a"); err != nil {
			t.Fatal(err)
		}
		next := r.put(`{}`, "h/a")
		synctest.Wait()
		r.want(next, "h/a", queue.StatusDelivered, 1, "")
		r.stopped()
	})
}

// What is left for a lane that the operator removed becomes a dead letter that
// can be revived when the lane is back.
func TestRemovedLane(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, deliver.Options{})
		a, b := r.lane("h/a", sendFunc(ok)), r.lane("h/b", fail(errDown), func(l *deliver.Lane) { l.Policy.Initial, l.Policy.Max = time.Hour, time.Hour })
		early := r.put(`{}`, "h/gone")
		r.run(a, b)
		synctest.Wait()
		r.want(early, "h/gone", queue.StatusDead, 1, modules.CodeRemoved)
		delayed := r.put(`{}`, "h/b")
		synctest.Wait()
		r.want(delayed, "h/b", queue.StatusDelayed, 1, modules.CodeUnknown)
		r.apply(a)
		late := r.put(`{}`, "h/b") // put by a request that began before the reload
		pass(2 * time.Hour)
		r.want(delayed, "h/b", queue.StatusDead, 2, modules.CodeRemoved)
		r.want(late, "h/b", queue.StatusDead, 1, modules.CodeRemoved)
		r.apply(a, r.lane("h/b", sendFunc(ok)))
		if n, err := r.q.Replay(t.Context(), late, "h/b"); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		synctest.Wait()
		r.want(late, "h/b", queue.StatusDelivered, 1, "")
		r.stopped()
	})
}

// Before the first Apply nothing is known to be removed.
func TestNothingIsBuriedBeforeTheFirstApply(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, deliver.Options{})
		id := r.put(`{}`, "h/a")
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			defer close(r.ended)
			_ = r.e.Run(ctx)
		}()
		r.stop = cancel
		pass(time.Hour)
		r.want(id, "h/a", queue.StatusPending, 0, "")
		r.apply(r.lane("h/a", sendFunc(ok)))
		synctest.Wait()
		r.want(id, "h/a", queue.StatusDelivered, 1, "")
		r.stopped()
	})
}

// An unchanged lane keeps its destination and its breaker; a changed one starts
// with new ones.
func TestReload(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, deliver.Options{})
		var made, sent atomic.Int64
		mod := moduleOf(func() (modules.Destination, error) {
			made.Add(1)
			return sendFunc(func(context.Context, *event.Delivery) (event.Receipt, error) {
				if sent.Add(1) > 1 {
					return event.Receipt{}, errDown
				}
				return event.Receipt{}, nil
			}), nil
		})
		lane := func(fingerprint string) *deliver.Lane {
			return r.lane("h/a", nil, func(l *deliver.Lane) { l.Module, l.Fingerprint = mod, fingerprint })
		}
		first := lane("1")
		r.run(first)
		r.put(`{}`, "h/a")
		synctest.Wait()
		second := lane("1")
		r.apply(second)
		first.Conn.Release()
		for range 5 {
			r.put(`{}`, "h/a")
		}
		synctest.Wait()
		if made.Load() != 1 {
			t.Errorf("an unchanged lane made its destination anew")
		}
		r.apply(lane("1"))
		if st := r.e.Status()[0]; st.Breaker != deliver.BreakerOpen {
			t.Errorf("%+v", st)
		}
		r.apply(lane("2"))
		if st := r.e.Status()[0]; st.Breaker != deliver.BreakerClosed || st.Failures != 0 {
			t.Errorf("%+v", st)
		}
		r.put(`{}`, "h/a")
		synctest.Wait()
		if made.Load() != 2 {
			t.Errorf("a changed lane kept its destination")
		}
		r.stopped()
	})
}

func TestApplyRefusesNonsense(t *testing.T) {
	t.Parallel()
	r := newRig(t, deliver.Options{})
	a := r.lane("h/a", sendFunc(ok))
	for name, lanes := range map[string][]*deliver.Lane{
		"twice":     {a, a},
		"no name":   {r.lane("", sendFunc(ok))},
		"own next":  {r.lane("h/a", sendFunc(ok), func(l *deliver.Lane) { l.Next = "h/a" })},
		"no module": {{Name: "h/a"}},
	} {
		if err := r.e.Apply(lanes); err == nil {
			t.Errorf("%s was applied", name)
		}
	}
}

// A sequential chain: each step starts when the one before is settled.
func TestChain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first      sendFunc
		onError    bool
		filtered   bool
		one, two   queue.Status
		statusCode string
	}{
		"delivered":             {ok, false, false, queue.StatusDelivered, queue.StatusDelivered, ""},
		"dead stops":            {fail(modules.Reject("refused", errDown)), false, false, queue.StatusDead, "", "refused"},
		"dead, but continue":    {fail(modules.Reject("refused", errDown)), true, false, queue.StatusDead, queue.StatusDelivered, "refused"},
		"a filtered step":       {ok, false, true, queue.StatusFiltered, queue.StatusDelivered, ""},
		"a retry starts nobody": {fail(errDown), true, false, queue.StatusDelayed, "", modules.CodeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newRig(t, deliver.Options{})
				one := r.lane("h/1", c.first, func(l *deliver.Lane) {
					l.Next, l.ContinueOnError, l.Policy.Initial = "h/2", c.onError, time.Hour
					if c.filtered {
						l.Filter = program(t, `false`)
					}
				})
				r.run(one, r.lane("h/2", sendFunc(ok)))
				id := r.put(`{}`, "h/1")
				w, err := r.rec.Await(id, []string{"h/1"})
				if err != nil {
					t.Fatal(err)
				}
				defer w.Close()
				synctest.Wait()
				r.want(id, "h/1", c.one, 1, c.statusCode)
				if st := r.state(id, "h/2").Status; st != c.two {
					t.Errorf("second step is %q, want %q", st, c.two)
				}
				select {
				case <-w.Done():
					if c.one == queue.StatusDelayed {
						t.Error("the wait ended before the chain")
					}
				default:
					if c.one != queue.StatusDelayed {
						t.Errorf("the wait did not end: %+v", w.Outcomes())
					}
				}
				r.stopped()
			})
		})
	}
}

// Shutdown: what ends within the grace is settled as it ended, what does not
// goes back uncounted, what cannot be stopped is left behind.
func TestShutdown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, deliver.Options{Grace: 10 * time.Second})
		release := make(chan struct{})
		wait := func(d time.Duration) sendFunc {
			return func(ctx context.Context, _ *event.Delivery) (event.Receipt, error) {
				select {
				case <-time.After(d):
					return event.Receipt{}, nil
				case <-ctx.Done():
					return event.Receipt{}, ctx.Err()
				}
			}
		}
		long := func(l *deliver.Lane) { l.Timeout, l.Concurrency = time.Hour, 1 }
		r.run(r.lane("h/quick", wait(8*time.Second), long), r.lane("h/slow", wait(time.Minute), long),
			r.lane("h/deaf", sendFunc(func(context.Context, *event.Delivery) (event.Receipt, error) {
				<-release
				return event.Receipt{}, nil
			}), long))
		id := r.put(`{}`, "h/quick", "h/slow", "h/deaf")
		next := r.put(`{}`, "h/quick", "h/slow", "h/deaf")
		synctest.Wait()
		start := time.Now()
		r.stop()
		<-r.ended
		if d := time.Since(start); d != 15*time.Second {
			t.Errorf("stopped after %v, want the grace and 5 s", d)
		}
		r.want(id, "h/quick", queue.StatusDelivered, 1, "")
		r.want(id, "h/slow", queue.StatusPending, 0, "")
		r.want(id, "h/deaf", queue.StatusPending, 0, "")
		for _, lane := range []string{"h/quick", "h/slow", "h/deaf"} {
			r.want(next, lane, queue.StatusPending, 0, "")
		}
		close(release)
		synctest.Wait()
		r.stopped()
	})
}

// Nothing is lost and nothing comes twice while lanes are swapped under load.
func TestReloadsUnderLoad(t *testing.T) {
	t.Parallel()
	const events, reloads = 3000, 200
	r := newRig(t, deliver.Options{})
	var mu sync.Mutex
	seen := map[string]int{}
	dest := sendFunc(func(_ context.Context, d *event.Delivery) (event.Receipt, error) {
		mu.Lock()
		defer mu.Unlock()
		seen[d.ID.String()]++
		return event.Receipt{}, nil
	})
	lanes := func(i int) []*deliver.Lane {
		var ls []*deliver.Lane
		for _, n := range []string{"h/a", "h/b", "h/c"} {
			ls = append(ls, r.lane(n, dest, func(l *deliver.Lane) {
				l.Fingerprint = fmt.Sprint(i / 3)
				l.Conn = r.pool.Acquire(fmt.Sprint(n, i/5), func(context.Context) (modules.Conn, error) { return &connection{}, nil })
			}))
		}
		return ls
	}
	old := lanes(0)
	r.run(old...)
	var wg sync.WaitGroup
	wg.Go(func() {
		for range events {
			r.put(`{}`, "h/a", "h/b", "h/c")
		}
	})
	for i := range reloads {
		next := lanes(i + 1)
		r.apply(next...)
		for _, l := range old {
			l.Conn.Release()
		}
		old = next
	}
	wg.Wait()
	tail, err := r.rec.Subscribe(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	for {
		d, err := r.q.Depth(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		left := 0
		for _, n := range d {
			left += n.Ready + n.Delayed + n.Leased
		}
		if left == 0 {
			break
		}
		select {
		case <-tail.Facts():
		case <-time.After(5 * time.Second):
			t.Logf("%d left, status %+v", left, r.e.Status()[0])
		case <-t.Context().Done():
			t.Fatal("not drained")
		}
	}
	r.stopped()
	if len(seen) != 3*events {
		t.Errorf("%d of %d arrived", len(seen), 3*events)
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%s arrived %d times", id, n)
		}
	}
}

// conn.ErrReleased must not count: the lane was swapped in between.
func TestReleasedConnectionIsNotCounted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, deliver.Options{})
		l := r.lane("h/a", sendFunc(ok), func(l *deliver.Lane) { l.Policy = deliver.NoRetry() })
		l.Conn.Release()
		r.run(l)
		id := r.put(`{}`, "h/a")
		synctest.Wait()
		d := r.state(id, "h/a")
		if d.Status != queue.StatusDelayed || d.Attempts != 0 {
			t.Errorf("%+v, %v", d, conn.ErrReleased)
		}
		r.stopped()
	})
}

// Neither the log nor the facts hold a payload, whatever went wrong with it.
func TestLogHoldsNoPayload(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var log strings.Builder
		var mu sync.Mutex
		r := newRig(t, deliver.Options{Log: slog.New(slog.NewJSONHandler(&locked{mu: &mu, w: &log}, &slog.HandlerOptions{Level: slog.LevelDebug}))})
		env := modules.Env{Log: slog.New(slog.NewJSONHandler(&locked{mu: &mu, w: &log}, nil))}
		with := func(change func(*deliver.Lane)) func(*deliver.Lane) {
			return func(l *deliver.Lane) { l.Env = env; change(l) }
		}
		r.run(
			r.lane("h/good", sendFunc(ok), with(func(*deliver.Lane) {})),
			r.lane("h/down", fail(modules.Retry("http_500", errDown)), with(func(*deliver.Lane) {})),
			r.lane("h/filter", sendFunc(ok), with(func(l *deliver.Lane) { l.Filter = program(t, `error`) })),
			r.lane("h/transform", sendFunc(ok), with(func(l *deliver.Lane) { l.Transform = program(t, `.card + 1`) })),
			r.lane("h/panic", sendFunc(func(_ context.Context, d *event.Delivery) (event.Receipt, error) { panic(string(d.Body)) }), with(func(*deliver.Lane) {})),
		)
		id := r.put(`{"card":"4111111111111111"}`, "h/good", "h/down", "h/filter", "h/transform", "h/panic")
		synctest.Wait()
		if note := r.state(id, "h/transform").Note; !strings.Contains(note, "4111") {
			t.Errorf("the operator's note %q does not say what jq said", note)
		}
		mu.Lock()
		defer mu.Unlock()
		if strings.Contains(log.String(), "4111") || !strings.Contains(log.String(), id.String()) || !strings.Contains(log.String(), `"code":"http_500"`) {
			t.Errorf("log:\n%s", log.String())
		}
		for _, f := range r.rec.Recent(100) {
			if strings.Contains(f.Note, "4111") {
				t.Errorf("fact %+v", f)
			}
		}
		r.stopped()
	})
}

type locked struct {
	mu *sync.Mutex
	w  *strings.Builder
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}
