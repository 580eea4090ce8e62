package record

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
)

// ErrTooMany says that there are as many subscribers or waiters as there may be.
var ErrTooMany = errors.New("too many subscribers")

// Tail is a subscription to facts as they happen.
type Tail struct {
	facts   chan Fact
	kinds   []Kind // none: all
	dropped atomic.Int64
	owner   *Recorder
}

// Subscribe follows the facts told from now on, until ctx ends; those of the
// kinds, where any is named. A subscriber that does not keep up misses facts;
// they are counted. It returns ErrTooMany when there are MaxTails subscribers.
func (r *Recorder) Subscribe(ctx context.Context, buffer int, kinds ...Kind) (*Tail, error) {
	t := &Tail{facts: make(chan Fact, max(buffer, 1)), kinds: kinds, owner: r}
	err := r.change(func(tails []*Tail) ([]*Tail, error) {
		if len(tails) >= MaxTails {
			return nil, ErrTooMany
		}
		return append(tails, t), nil
	})
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() {
		_ = r.change(func(tails []*Tail) ([]*Tail, error) {
			return slices.DeleteFunc(tails, func(o *Tail) bool { return o == t }), nil
		})
	})
	return t, nil
}

// change installs a changed copy of the subscribers.
func (r *Recorder) change(f func([]*Tail) ([]*Tail, error)) error {
	r.tailing.Lock()
	defer r.tailing.Unlock()
	var tails []*Tail
	if old := r.tails.Load(); old != nil {
		tails = slices.Clone(*old)
	}
	tails, err := f(tails)
	if err == nil {
		r.tails.Store(&tails)
	}
	return err
}

// Facts is where they come. It is never closed, for Tell never waits for a
// subscriber to leave: select on the context as well.
func (t *Tail) Facts() <-chan Fact { return t.facts }

// Dropped is how many facts there was no room for.
func (t *Tail) Dropped() int64 { return t.dropped.Load() }

func (t *Tail) offer(f *Fact) {
	if len(t.kinds) > 0 && !slices.Contains(t.kinds, f.Kind) {
		return
	}
	select {
	case t.facts <- *f:
	default:
		t.dropped.Add(1)
		t.owner.missed.Add(1)
	}
}
