package moduletest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules"
)

// cancelled: a Send whose context has ended returns at once and says that it
// did nothing for good.
func cancelled(t *testing.T, h Harness) {
	w := start(t, h)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ended := time.Now()
	w.prompt(t, func() time.Time { return ended }, func() {
		_, err := w.dest.Send(ctx, w.delivery([]byte(`{}`)))
		w.judge(t, err, modules.Retryable)
		if !isContext(err) {
			t.Errorf("%v does not wrap the context's error", err)
		}
	})
}

// stalled: so does one that waits for a far end which does not answer.
func stalled(t *testing.T, h Harness) {
	w := start(t, h)
	if w.far.Stall == nil {
		t.Skip("the far end cannot stall")
	}
	entered, release := w.far.Stall()
	defer release()
	ctx, ended := cancelAfter(t, entered)
	w.prompt(t, ended, func() {
		_, err := w.dest.Send(ctx, w.delivery([]byte(`{}`)))
		w.judge(t, err, modules.Retryable, modules.Lost)
	})
}

// cut: a lost far end is an error to retry, and its return needs no restart.
func cut(t *testing.T, h Harness) {
	w := start(t, h)
	if w.far.Cut == nil {
		t.Skip("there is no network to cut")
	}
	w.send(t, w.delivery([]byte(`{"before":1}`)))
	w.far.Cut()
	lost := w.delivery([]byte(`{"lost":1}`))
	err := w.fail(t, lost, modules.Retryable, modules.Lost)
	w.far.Restore()
	w.heal(t, err)
	w.send(t, lost)
	if len(w.arrived(lost)) == 0 {
		t.Error("nothing arrived after the return")
	}
}

func refused(t *testing.T, h Harness) {
	w := start(t, h)
	if w.far.Refuse == nil {
		t.Skip("the far end cannot refuse")
	}
	w.far.Refuse()
	w.fail(t, w.delivery([]byte(`{}`)), modules.Rejected)
}

// denied: a right that is missing is tried again, and when it is there again the
// delivery arrives.
func denied(t *testing.T, h Harness) {
	w := start(t, h)
	if w.far.Deny == nil {
		t.Skip("the far end has no rights")
	}
	allow := sync.OnceFunc(w.far.Deny())
	defer allow()
	d := w.delivery([]byte(`{}`))
	err := w.fail(t, d, modules.Retryable, modules.Lost)
	if f := modules.FailureOf(err); err != nil && f.Code != modules.CodeAuthFailed {
		t.Errorf("code %q: %v", f.Code, err)
	}
	w.heal(t, err)
	allow()
	w.send(t, d)
	if n := len(w.arrived(d)); n != 1 {
		t.Errorf("it arrived %d times", n)
	}
}

// check: it tells a working far end from one that is gone, and sends nothing.
func check(t *testing.T, h Harness) {
	w := start(t, h)
	c, ok := w.checker()
	if !ok {
		t.Skip("the module has no check")
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := c.Check(ctx); err != nil {
		t.Errorf("Check: %v", err)
	}
	if w.far.Cut != nil {
		w.far.Cut()
		if err := c.Check(ctx); err == nil {
			t.Error("Check passes with the far end gone")
		}
		w.far.Restore()
		if err := c.Check(ctx); err != nil {
			t.Errorf("Check after the return: %v", err)
		}
	}
	if n := len(w.far.Received()); n != 0 {
		t.Errorf("Check sent %d messages", n)
	}
}

// dials: whatever reaches the far end went through Env.
func dials(t *testing.T, h Harness) {
	w := start(t, h)
	if w.far.Accepted == nil {
		t.Skip("the far end takes no connections")
	}
	const deliveries = 8
	for range deliveries {
		w.send(t, w.delivery([]byte(`{}`)))
	}
	accepted, dialled := w.far.Accepted(), int(w.dials.Load())
	if accepted == 0 || accepted > dialled {
		t.Errorf("%d connections arrived, %d were dialled through Env", accepted, dialled)
	}
	// A pool may give a connection back a moment after the answer, and then
	// dials once more.
	if dialled > deliveries/2 {
		t.Errorf("%d connections for %d deliveries in a row", dialled, deliveries)
	}
}

// secrets: neither logs nor errors nor descriptions show one, whatever fails.
func secrets(t *testing.T, h Harness) {
	w := start(t, h)
	if len(w.far.Secrets) == 0 {
		t.Skip("the configuration has no secret")
	}
	var shown strings.Builder
	o := h.Module.Options()
	Decode(t, w.far.Options, o)
	fmt.Fprintf(&shown, "%v %+v %#v %v\n", o, o, o, spec.Redacted(o))
	if c := h.Module.Connection(); c != nil {
		Decode(t, w.far.Connection, c)
		fmt.Fprintf(&shown, "%v %+v %#v %v\n", c, c, c, spec.Redacted(c))
	}
	say := func(err error) {
		for ; err != nil; err = unwrap(err) {
			fmt.Fprintf(&shown, "%v %+v %#v\n", err, err, err)
		}
	}
	w.send(t, w.delivery([]byte(`{}`)))
	if w.far.Cut != nil {
		w.far.Cut()
		err := w.fail(t, w.delivery([]byte(`{}`)), modules.Retryable, modules.Lost)
		say(err)
		if c, ok := w.dest.(modules.Checker); ok {
			say(c.Check(t.Context()))
		}
		w.far.Restore()
		w.heal(t, err)
	}
	if w.far.Deny != nil {
		allow := w.far.Deny()
		err := w.fail(t, w.delivery([]byte(`{}`)), modules.Retryable, modules.Lost)
		say(err)
		allow()
		w.heal(t, err)
	}
	if w.far.Refuse != nil {
		w.far.Refuse()
		say(w.fail(t, w.delivery([]byte(`{}`)), modules.Rejected))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := w.dest.Send(ctx, w.delivery([]byte(`{}`)))
	say(err)
	all := shown.String() + w.log.String()
	for _, s := range w.far.Secrets {
		if !strings.Contains(w.far.Options+w.far.Connection, s) {
			t.Errorf("%q is not in the configuration: the test would prove nothing", s)
		}
		if at := strings.Index(all, s); at >= 0 {
			t.Errorf("%q is shown: ...%s", s, all[max(0, at-120):min(len(all), at+len(s)+20)])
		}
	}
}

func unwrap(err error) error {
	u, ok := err.(interface{ Unwrap() error }) //nolint:errorlint // walks the chain
	if !ok {
		return nil
	}
	return u.Unwrap()
}

// closes: Close flushes what was taken and leaves nothing running.
func closes(t *testing.T, h Harness) {
	far := h.Start(t)
	fixed := h
	fixed.Start = func(*testing.T) *Far { return far }
	before := goleak.IgnoreCurrent()
	w := start(t, fixed)
	d := w.delivery([]byte(`{"last":1}`))
	w.send(t, d)
	within(t, "Close", w.close)
	if len(w.arrived(d)) != 1 {
		t.Errorf("%d messages after Close", len(w.arrived(d)))
	}
	// What the far end itself started for a connection ends with it.
	goleak.VerifyNone(t, before)
}
