package moduletest

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
)

// stalledBatch: a batch whose context ends while the far end does not answer
// returns a result for each delivery, and none that says it was delivered.
func stalledBatch(t *testing.T, h Harness) {
	w := start(t, h)
	b, ok := w.dest.(modules.BatchDestination)
	if !ok || w.far.Stall == nil {
		t.Skip("no batches, or the far end cannot stall")
	}
	entered, release := w.far.Stall()
	defer release()
	ctx, ended := cancelAfter(t, entered)
	ds := w.deliveries(5)
	w.prompt(t, ended, func() {
		w.judgeAll(t, ds, b.SendBatch(ctx, ds))
	})
}

// cutBatch: so does one that the network takes away.
func cutBatch(t *testing.T, h Harness) {
	w := start(t, h)
	b, ok := w.dest.(modules.BatchDestination)
	if !ok || w.far.Cut == nil {
		t.Skip("no batches, or no network")
	}
	w.send(t, w.delivery([]byte(`{"before":1}`)))
	w.far.Cut()
	ds := w.deliveries(5)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := w.judgeAll(t, ds, b.SendBatch(ctx, ds))
	w.far.Restore()
	w.heal(t, err)
	for i, r := range w.dest.(modules.BatchDestination).SendBatch(ctx, ds) {
		if r.Err != nil || len(w.arrived(ds[i])) == 0 {
			t.Errorf("item %d after the return: %v, %d messages", i, r.Err, len(w.arrived(ds[i])))
		}
	}
}

// cutUnderLoad: of what many senders were told is delivered, all is there. What
// failed may be there or not, and none of it was refused for good.
func cutUnderLoad(t *testing.T, h Harness) {
	w := start(t, h)
	if w.far.Cut == nil || w.far.Accepted == nil {
		t.Skip("there is no network to cut")
	}
	const workers, before = 8, 40
	var (
		mu       sync.Mutex
		sent     []*event.Delivery
		failures []error
		enough   = make(chan struct{})
		isCut    atomic.Bool
		wg       sync.WaitGroup
	)
	one := func(d *event.Delivery) (failed bool) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		_, err := w.dest.Send(ctx, d)
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			failures = append(failures, err)
			return true
		}
		if sent = append(sent, d); len(sent) == before {
			close(enough)
		}
		return false
	}
	for i := range workers {
		wg.Go(func() {
			// One that fails ends its worker; one that does not, though the far
			// end is gone, soon does.
			for n, gone := 0, 0; gone < 10; n++ {
				if isCut.Load() {
					gone++
				}
				if one(w.delivery([]byte(`{"n":"` + strconv.Itoa(i) + `/` + strconv.Itoa(n) + `"}`))) {
					return
				}
			}
		})
	}
	within(t, "the first sends", func() { <-enough })
	w.far.Cut()
	isCut.Store(true)
	within(t, "sends that were cut", wg.Wait)
	w.far.Restore()
	if len(failures) < workers {
		t.Errorf("%d of %d workers saw a failure", len(failures), workers)
	}
	w.heal(t, w.worst(t, failures))
	w.send(t, w.delivery([]byte(`{"after":1}`)))
	arrived := make(map[string]bool)
	for _, m := range w.far.Received() {
		arrived[m.ID] = true
	}
	lost := 0
	for _, d := range sent {
		if !arrived[d.ID.String()] {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d of %d that were delivered are not there", lost, len(sent))
	}
}

// answerLost: the far end took it and could not say so. That is no success, and
// the repeat has the same id.
func answerLost(t *testing.T, h Harness) {
	w := start(t, h)
	if w.far.Mute == nil {
		t.Skip("answers cannot be held back")
	}
	w.send(t, w.delivery([]byte(`{"before":1}`)))
	entered, release := w.far.Mute()
	ctx, _ := cancelAfter(t, entered)
	d := w.delivery([]byte(`{"twice":1}`))
	_, err := w.dest.Send(ctx, d)
	w.judge(t, err, modules.Retryable, modules.Lost)
	release()
	w.heal(t, err)
	w.send(t, d)
	if n := len(w.arrived(d)); n == 0 || n > 2 {
		t.Errorf("%d messages with the id", n)
	}
	if n := len(w.far.Received()); n != 1+len(w.arrived(d)) {
		t.Errorf("%d messages in all: a repeat had another id", n)
	}
}

// restart: a far end that comes back has what it took, and deliveries flow
// again without a restart of hookd.
func restart(t *testing.T, h Harness) {
	w := start(t, h)
	if w.far.Restart == nil {
		t.Skip("the far end is not restarted")
	}
	before := w.deliveries(3)
	for _, d := range before {
		w.send(t, d)
	}
	w.far.Restart()
	after := w.delivery([]byte(`{"after":1}`))
	for attempt := 1; ; attempt++ {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		_, err := w.dest.Send(ctx, after)
		cancel()
		if err == nil {
			break
		}
		w.judge(t, err, modules.Retryable, modules.Lost)
		if attempt == 3 {
			t.Fatalf("attempt %d after the restart: %v", attempt, err)
		}
		w.heal(t, err)
	}
	for _, d := range append(before, after) {
		if len(w.arrived(d)) == 0 {
			t.Errorf("%s is lost", d.Body)
		}
	}
}

// broken: what the far end cannot take is not delivered, and the check says so
// before.
func broken(t *testing.T, h Harness) {
	w := start(t, h)
	if w.far.Break == nil {
		t.Skip("nothing can be taken away")
	}
	w.send(t, w.delivery([]byte(`{"before":1}`)))
	w.far.Break()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if c, ok := w.checker(); ok {
		if err := c.Check(ctx); err == nil {
			t.Error("Check passes")
		}
	}
	w.fail(t, w.delivery([]byte(`{"after":1}`)), modules.Retryable, modules.Rejected, modules.Lost)
}

// deliveries makes several.
func (w *world) deliveries(n int) []*event.Delivery {
	ds := make([]*event.Delivery, n)
	for i := range ds {
		ds[i] = w.delivery([]byte(`{"n":` + strconv.Itoa(i) + `}`))
	}
	return ds
}

// judgeAll wants a result for each delivery, and each a failure that may heal.
// It returns the one that asks for most.
func (w *world) judgeAll(t *testing.T, ds []*event.Delivery, rs []modules.Result) (worst error) {
	t.Helper()
	if len(rs) != len(ds) {
		t.Errorf("%d results for %d deliveries", len(rs), len(ds))
	}
	errs := make([]error, len(rs))
	for i, r := range rs {
		errs[i] = r.Err
	}
	return w.worst(t, errs)
}

// worst wants failures that may heal, and returns one that lost the connection
// if there is one.
func (w *world) worst(t *testing.T, errs []error) (worst error) {
	t.Helper()
	for _, err := range errs {
		w.judge(t, err, modules.Retryable, modules.Lost)
		if worst == nil || modules.FailureOf(err).Kind == modules.Lost {
			worst = err
		}
	}
	return worst
}

// checker is the destination or its connection, if either can be asked.
func (w *world) checker() (modules.Checker, bool) {
	if c, ok := w.dest.(modules.Checker); ok {
		return c, true
	}
	c, ok := w.conn.(modules.Checker)
	return c, ok
}
