package conn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/hookd/hookd/modules"
)

// shared is the connection of one key through all its openings.
type shared struct {
	pool   *Pool
	key    string
	open   Open
	leases int // guarded by pool.mu

	mu       sync.Mutex
	released bool
	current  *opened       // nil when it is not open
	opening  chan struct{} // closed when the opening under way ends; nil when there is none
	times    uint64        // opened
	failures int           // in a row
	err      error         // of the last opening or loss
	next     time.Time     // no opening before
	since    time.Time
}

// opened is one open connection.
type opened struct {
	s          *shared
	conn       modules.Conn
	since      time.Time
	generation uint64

	// Guarded by s.mu.
	users   int
	retired bool // closed when users is 0
}

func (s *shared) use(ctx context.Context) (*Handle, error) {
	for {
		s.mu.Lock()
		switch {
		case s.released:
			s.mu.Unlock()
			return nil, ErrReleased
		case s.current != nil:
			o := s.current
			o.users++
			s.mu.Unlock()
			return &Handle{o: o}, nil
		case s.opening == nil && time.Now().Before(s.next):
			err := s.unavailable()
			s.mu.Unlock()
			return nil, err
		case s.opening == nil:
			s.opening = make(chan struct{})
			s.pool.alive.Add(1)
			go s.connect(s.opening) //nolint:contextcheck // the opening outlives the one who asked first
		}
		opening := s.opening
		s.mu.Unlock()
		select {
		case <-opening:
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for the connection: %w", context.Cause(ctx))
		}
	}
}

// unavailable is the failure of the last opening, with the time to wait.
func (s *shared) unavailable() error {
	f := modules.FailureOf(s.err)
	if f.Code == modules.CodeUnknown || f.Code == "" {
		f.Code = modules.CodeUnavailable
	}
	return &modules.Failure{Kind: modules.Lost, Code: f.Code, After: time.Until(s.next), Err: fmt.Errorf("connection is not open: %w", s.err)}
}

// connect opens, outside of all locks.
func (s *shared) connect(opening chan struct{}) {
	conn, err := s.tryOpen()
	s.mu.Lock()
	defer s.mu.Unlock()
	defer close(opening)
	s.opening = nil
	if err != nil {
		s.fail(err)
		s.pool.o.Log.Warn("connection could not be opened", slog.Any("error", err),
			slog.Int("attempt", s.failures), slog.Duration("retry_in", time.Until(s.next)))
		s.pool.alive.Done()
		return
	}
	s.times++
	o := &opened{s: s, conn: conn, since: time.Now(), generation: s.times}
	if s.released {
		o.retired = true
		go o.close()
		return
	}
	s.current, s.since, s.err = o, o.since, nil
}

func (s *shared) tryOpen() (conn modules.Conn, err error) {
	ctx, cancel := context.WithTimeout(s.pool.ctx, s.pool.o.OpenTimeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			s.pool.o.Log.Error("panic while opening a connection", slog.String("stack", string(debug.Stack())))
			conn, err = nil, modules.Retry(modules.CodePanic, errors.New("panic while opening the connection"))
		}
	}()
	conn, err = s.open(ctx)
	if err == nil && conn == nil {
		err = errors.New("no connection and no error")
	}
	return conn, err
}

// fail notes a failure and when to try again. s.mu is held.
func (s *shared) fail(err error) {
	wait := s.pool.o.MinBackoff << min(s.failures, 16)
	s.failures++
	s.err, s.since = err, time.Now()
	s.next = time.Now().Add(min(wait, s.pool.o.MaxBackoff))
}

func (s *shared) lost(o *opened, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != o {
		return // known already
	}
	s.current = nil
	if time.Since(o.since) >= s.pool.o.Settled {
		s.failures = 0
		s.err, s.since, s.next = why, time.Now(), time.Time{}
	} else {
		s.fail(why)
	}
	s.retire(o)
}

func (s *shared) release(o *opened) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o.users--
	if o.retired && o.users == 0 {
		go o.close()
	}
}

// retire lets a connection go after its last user. s.mu is held.
func (s *shared) retire(o *opened) {
	o.retired = true
	if o.users == 0 {
		go o.close()
	}
}

// end is called when nobody leases the connection any more.
func (s *shared) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.released = true
	if o := s.current; o != nil {
		s.current = nil
		s.retire(o)
	}
}

// close is called once, by whoever made users 0 after retired or the reverse.
func (o *opened) close() {
	defer o.s.pool.alive.Done()
	log := o.s.pool.o.Log
	defer func() {
		if p := recover(); p != nil {
			log.Error("panic while closing a connection", slog.String("stack", string(debug.Stack())))
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), o.s.pool.o.CloseTimeout)
	defer cancel()
	if err := o.conn.Close(ctx); err != nil {
		log.Warn("connection did not close cleanly", slog.Any("error", err))
	}
}

func (s *shared) status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Status{Open: s.current != nil, Since: s.since, Opened: s.times, Err: s.err, NextTry: s.next}
	if s.current != nil {
		st.Users = s.current.users
	}
	return st
}
