package conn

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/hookd/hookd/modules"
)

// Lease is a right to use a connection, held by one configuration. It is safe
// for concurrent use.
type Lease struct {
	s        *shared
	released atomic.Bool
}

// Use returns the open connection, opening it first where it is not. Opening
// goes on when ctx ends, for the next user. While a failed opening backs off,
// Use returns that failure at once, as a *modules.Failure whose After is the
// time left. Each Handle must be released.
func (l *Lease) Use(ctx context.Context) (*Handle, error) {
	if l.released.Load() {
		return nil, ErrReleased
	}
	return l.s.use(ctx)
}

// Release gives the lease back. Handles stay usable until they are released.
// Calling it again does nothing.
func (l *Lease) Release() {
	if !l.released.Swap(true) {
		l.s.pool.release(l.s)
	}
}

// Status tells how the connection is.
func (l *Lease) Status() Status { return l.s.status() }

// Same reports whether both leases are of one connection.
func (l *Lease) Same(o *Lease) bool { return o != nil && l.s == o.s }

// Status is how a connection is.
type Status struct {
	Open    bool
	Since   time.Time // of the last change of Open; zero before the first
	Opened  uint64    // how often it was opened
	Err     error     // why it is not open; nil before the first attempt
	NextTry time.Time // no attempt to open before
	Users   int
}

// Handle is a connection in use: it is not closed before Release.
type Handle struct {
	o    *opened
	used atomic.Bool
}

// Conn is the connection.
func (h *Handle) Conn() modules.Conn { return h.o.conn }

// Generation counts the openings of this connection: two handles of leases that
// are the Same have the same connection when they have the same generation.
func (h *Handle) Generation() uint64 { return h.o.generation }

// Release ends the use. Calling it again does nothing.
func (h *Handle) Release() {
	if !h.used.Swap(true) {
		h.o.s.release(h.o)
	}
}

// Lost says that the connection is gone: it is closed after its last user, and
// the next Use opens another. To say it twice, or late, does no harm to the one
// that is open then. The Handle must still be released.
func (h *Handle) Lost(why error) { h.o.s.lost(h.o, why) }
