package moduletest

import (
	"sync"
	"time"
)

// tick is how exactly a Stopwatch measures.
const tick = 10 * time.Millisecond

// Stopwatch measures time as this process had it: on a machine that is busy with
// other things everything is late, and nothing of the code's is to blame. It
// counts the ticks that a goroutine of its own came to see.
type Stopwatch struct {
	quit, over chan struct{}
	mu         sync.Mutex
	seen       []time.Time
}

// StartWatch starts one. It runs until Stop.
func StartWatch() *Stopwatch {
	s := &Stopwatch{quit: make(chan struct{}), over: make(chan struct{})}
	ticker := time.NewTicker(tick)
	go func() {
		defer close(s.over)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				s.mu.Lock()
				s.seen = append(s.seen, time.Now())
				s.mu.Unlock()
			case <-s.quit:
				return
			}
		}
	}()
	return s
}

// Stop ends the watch, and tells how long it ran after a time.
func (s *Stopwatch) Stop(since time.Time) time.Duration {
	close(s.quit)
	<-s.over
	n := 0
	for _, at := range s.seen {
		if at.After(since) {
			n++
		}
	}
	return time.Duration(n) * tick
}

// Took is how long f takes.
func Took(f func()) time.Duration {
	start, s := time.Now(), StartWatch()
	f()
	return s.Stop(start)
}
