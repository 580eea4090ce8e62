package deliver_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/server/deliver"
)

// R16: each delay is within its ceiling, the delays are spread over it, and
// after the last attempt comes the dead letter.
func TestRetrySchedule(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, deliver.Options{})
		const lanes = 40 // one event each, so that no breaker takes part but by its own schedule
		policy := deliver.Policy{Attempts: 4, Initial: 8 * time.Second, Max: 40 * time.Second, Multiplier: 3}
		tries := make([]*times, lanes)
		var all []*deliver.Lane
		for i := range lanes {
			ts := newTimes()
			tries[i] = ts
			all = append(all, r.lane(fmt.Sprint("h/", i), sendFunc(func(context.Context, *event.Delivery) (event.Receipt, error) {
				ts.add()
				return event.Receipt{}, errDown
			}), func(l *deliver.Lane) { l.Policy = policy }))
		}
		r.run(all...)
		var ids []event.ID
		for i := range lanes {
			ids = append(ids, r.put(`{}`, fmt.Sprint("h/", i)))
		}
		pass(time.Hour)
		ceilings := []time.Duration{8 * time.Second, 24 * time.Second, 40 * time.Second}
		var sums [3]time.Duration
		for i, id := range ids {
			r.want(id, fmt.Sprint("h/", i), queue.StatusDead, 4, modules.CodeUnknown)
			at := tries[i].all()
			if len(at) != 4 || at[0] != 0 {
				t.Fatalf("attempts at %v", at)
			}
			for n, c := range ceilings {
				d := at[n+1] - at[n]
				sums[n] += d
				if d < 0 || d > c {
					t.Errorf("delay %d is %v, beyond %v", n+1, d, c)
				}
			}
		}
		for n, c := range ceilings { // evenly spread: the mean is half; 40 draws leave it within a quarter
			if mean := sums[n] / lanes; mean < c/4 || mean > 3*c/4 {
				t.Errorf("mean delay %d is %v of %v", n+1, mean, c)
			}
		}
		r.stopped()
	})
}

// The documented span of the default policy.
func TestDefaultPolicy(t *testing.T) {
	t.Parallel()
	p, sum := deliver.DefaultPolicy(), time.Duration(0)
	for n := 1; n < p.Attempts; n++ {
		sum += p.Ceiling(n)
	}
	if want := 26*time.Hour + 44*time.Minute + 1*time.Second; sum != want || p.Ceiling(1) != time.Second || p.Ceiling(15) != 4*time.Hour {
		t.Errorf("ceilings add up to %v, want %v", sum, want)
	}
}

func TestPolicyIsClamped(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want deliver.Policy }{
		{deliver.Policy{}, deliver.Policy{Attempts: 1, Multiplier: 0.1}},
		{deliver.Policy{Attempts: -3, Initial: -1, Max: -1, Multiplier: math.NaN()}, deliver.Policy{Attempts: 1, Multiplier: 0.1}},
		{deliver.Policy{Attempts: 1e6, Initial: 5, Max: 1, Multiplier: math.Inf(1)}, deliver.Policy{Attempts: 1000, Initial: 5, Max: 5, Multiplier: 10}},
		{deliver.Policy{Attempts: 2, Initial: 1, Max: 1 << 62, Multiplier: 2}, deliver.Policy{Attempts: 2, Initial: 1, Max: 24 * time.Hour, Multiplier: 2}},
	} {
		if got := c.in.Clamped(); got != c.want {
			t.Errorf("%+v becomes %+v, want %+v", c.in, got, c.want)
		}
	}
	p := deliver.Policy{Attempts: 1000, Initial: time.Hour, Max: 24 * time.Hour, Multiplier: 10}
	if got := p.Ceiling(999); got != 24*time.Hour {
		t.Errorf("ceiling 999 is %v", got)
	}
	if got := (deliver.Policy{Multiplier: 10}).Ceiling(400); got != 0 {
		t.Errorf("ceiling of no delay is %v", got)
	}
}
