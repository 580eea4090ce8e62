package activemq

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-stomp/stomp/v3/frame"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

// farewell bounds how long a closing connection waits for the broker.
const farewell = 5 * time.Second

// client is the sessions with one broker.
type client struct {
	env    modules.Env
	config *Connection
	addr   string
	work   sync.WaitGroup // what runs beside the sends

	slots chan struct{} // one for each session in use
	mu    sync.Mutex
	idle  []*session
}

func open(ctx context.Context, env modules.Env, c *Connection) (*client, error) {
	k := &client{env: env, config: c, addr: c.addr(), slots: make(chan struct{}, c.Connections)}
	s, err := k.openSession(ctx)
	if err != nil {
		return nil, err
	}
	k.idle = append(k.idle, s)
	return k, nil
}

// take gets a session, and opens one where none is idle. It waits while all are
// in use.
func (k *client) take(ctx context.Context) (*session, error) {
	select {
	case k.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, link.Ended(ctx, fmt.Errorf("activemq: %s: all %d connections wait for the broker", k.addr, cap(k.slots)))
	}
	for {
		s := k.pop()
		if s == nil {
			break
		}
		if _, why := s.state(); why == nil {
			return s, nil
		}
		s.cut()
	}
	s, err := k.openSession(ctx)
	if err != nil {
		<-k.slots
		f := modules.FailureOf(err)
		if ctx.Err() == nil {
			f.Kind = modules.Lost // the host knows how to wait for a broker
		}
		return nil, &f
	}
	return s, nil
}

// pop is the session that was used last: those that nobody needs stay alone.
func (k *client) pop() *session {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := len(k.idle)
	if n == 0 {
		return nil
	}
	s := k.idle[n-1]
	k.idle = k.idle[:n-1]
	return s
}

// put gives a session back; one that is of no more use is ended.
func (k *client) put(s *session) {
	if _, why := s.state(); why != nil {
		s.end(why)
	} else {
		k.mu.Lock()
		k.idle = append(k.idle, s)
		k.mu.Unlock()
	}
	<-k.slots
}

// Close says farewell on all sessions. Nothing is left to flush: a send returns
// when it has its receipts.
func (k *client) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, farewell)
	defer cancel()
	var (
		all  sync.WaitGroup
		mu   sync.Mutex
		errs []error
	)
	for s := k.pop(); s != nil; s = k.pop() {
		all.Go(func() {
			if err := s.leave(ctx); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, fmt.Errorf("activemq: %s: close: %w", k.addr, err))
			}
		})
	}
	all.Wait()
	k.work.Wait()
	return errors.Join(errs...)
}

// leave ends a session as STOMP asks for. One that has ended already has nobody
// to say farewell to.
func (s *session) leave(ctx context.Context) error {
	if _, why := s.state(); why != nil {
		s.end(why)
		return nil
	}
	f := frame.New(frame.DISCONNECT)
	r := s.ask(f)
	err := link.Bounded(ctx, s.cut, func() error { return s.write(f) })
	if err == nil {
		select {
		case <-r.done: // or the broker has closed, which is an answer, too
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	s.end(errors.New("closed"))
	return err
}
