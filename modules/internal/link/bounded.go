package link

import (
	"context"
	"time"
)

// Grace is how long a client may go on after its context has ended.
const Grace = 300 * time.Millisecond

// Bounded runs f, a call of a client that knows no context. When ctx ends and f
// does not return within Grace, cut is called. It must make f return, which for
// most clients means to close the socket.
func Bounded(ctx context.Context, cut func(), f func() error) error {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(Grace)
		defer timer.Stop()
		select {
		case <-done:
		case <-timer.C:
			cut()
		}
	})
	defer stop()
	defer close(done)
	return f()
}
